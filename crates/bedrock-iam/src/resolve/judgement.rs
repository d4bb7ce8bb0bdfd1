use crate::policy::grant::Grant;
use crate::say::finding::Finding;

/// What becomes of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is granted.
    Grant(Grant),
    /// The grant that the role has is kept, although this stands against it.
    Keep(Grant, Finding),
    /// It is not granted.
    Refuse(Finding),
    /// Nothing is granted any more, and nobody needs to be told: the user accepted it.
    Release,
}

impl Judgement {
    /// The grant, and what is said, as far as there is either.
    pub(super) fn into_parts(self) -> (Option<Grant>, Option<Finding>) {
        match self {
            Self::Grant(grant) => (Some(grant), None),
            Self::Keep(grant, finding) => (Some(grant), Some(finding)),
            Self::Refuse(finding) => (None, Some(finding)),
            Self::Release => (None, None),
        }
    }
}
