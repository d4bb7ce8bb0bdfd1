//! What stands between a manifest and its policy: one finding for each, with the reason that a condition shows.

use super::reason::Reason;

/// One thing that is not as the manifest wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Why, as conditions show it.
    pub reason: Reason,
    /// What is wrong, where, and what to do; stable while nothing changes.
    pub message: String,
}

impl Finding {
    /// A finding with its message.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}
