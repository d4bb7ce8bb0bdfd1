//! What went before a plan, as far as it matters to it. All of it may be unknown: then a plan is only less reserved.

use std::time::Duration;

use crate::iam::canonical::Digest;

/// What is known of earlier reconciles of the same object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The meaning that we last wrote to this very role, as the status says.
    pub last_written: Option<Digest>,
    /// The meaning that this process last wrote, or saw to be as it should.
    pub remembered: Option<Digest>,
    /// How drift is met.
    pub patience: Patience,
    /// How long the pause between two repairs is by now.
    pub pause: Duration,
}

/// How drift is met, by how often it was repaired of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// It is repaired.
    #[default]
    Calm,
    /// Someone keeps undoing the policy: it is repaired once more.
    Retrying,
    /// Someone keeps undoing the policy: it is left as it is for now.
    Waiting,
}
