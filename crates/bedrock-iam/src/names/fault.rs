//! Calls to AWS that failed, by what has to happen next.

/// A call to AWS that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What kind of failure it was; decides what happens next.
    pub class: Class,
    /// For the person who must act: stable, without request ids or times.
    pub message: String,
}

/// Why a call failed. It decides whether to wait, to retry or to tell the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The operator may not make the call.
    Denied,
    /// The named thing does not exist.
    NotFound,
    /// AWS alone may modify the role.
    Protected,
    /// A quota of the role would be exceeded.
    Quota,
    /// AWS understood the request and will never accept it.
    Rejected,
    /// Too many requests in the account or Region.
    Throttled,
    /// AWS could not be reached, or did not answer in time.
    Unanswered,
    /// AWS answered that it cannot, or nothing that can be read.
    Unavailable,
}

impl Class {
    /// As metrics and logs show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "Denied",
            Self::NotFound => "NotFound",
            Self::Protected => "Protected",
            Self::Quota => "Quota",
            Self::Rejected => "Rejected",
            Self::Throttled => "Throttled",
            Self::Unanswered => "Unanswered",
            Self::Unavailable => "Unavailable",
        }
    }
}
