//! Whether a policy is as we wrote it.
//!
//! | evidence | believed |
//! |---|---|
//! | this process wrote it, or saw it to be as it should | first, whatever checksum someone put on it |
//! | the checksum in the policy's first Sid, which an edit leaves behind | where this process knows nothing |
//! | the object's status | last, and only so that a grant stays: anyone may have written it |

use super::canonical::{CanonicalPolicy, Digest};
use super::document::Document;
use super::identity;
use super::observed::PolicyState;

/// A meaning, and the unique id of the role that holds it: a role that was created again holds nothing of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The role's unique id.
    pub role: String,
    /// The meaning.
    pub digest: Digest,
}

/// What is known of our last write to one policy of the role as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LastWrite {
    /// As this process remembers it.
    pub(crate) remembered: Option<Digest>,
    /// As the object's status says.
    pub(crate) reported: Option<Digest>,
}

/// Whether a policy is as we wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// This process knows that, or the checksum in it says so.
    AsWritten,
    /// The status alone says so.
    AsReported,
    /// Someone edited it since.
    Edited,
}

impl LastWrite {
    /// How the policy came to be what it is; one that is not there, or not ours, was edited by nobody.
    pub(crate) fn provenance(&self, policy: &PolicyState) -> Provenance {
        let Some(document) = policy.document() else { return Provenance::AsWritten };
        let digest = CanonicalPolicy::of(document).digest();
        let is = |known: &Option<Digest>| known.as_ref() == Some(&digest);
        if is(&self.remembered) || (self.remembered.is_none() && identity::has_own_checksum(document)) {
            Provenance::AsWritten
        } else if self.remembered.is_none() && is(&self.reported) {
            Provenance::AsReported
        } else {
            Provenance::Edited
        }
    }

    /// Whether what we last wrote meant this; `None` where nothing tells.
    pub(crate) fn meant(&self, meaning: &CanonicalPolicy, held: Option<&Document>) -> Option<bool> {
        let digest = meaning.digest();
        if self.remembered.as_ref() == Some(&digest) {
            return Some(true);
        }
        held.and_then(|held| identity::was_written_as(held, meaning))
            .or_else(|| self.reported.as_ref().map(|written| *written == digest))
    }
}
