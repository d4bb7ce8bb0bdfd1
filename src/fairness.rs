//! In which order those are served who wait for the same thing, so that no tenant is served at another's cost: workers, and the
//! calls that a rate limit allows.
//!
//! [`turns`] is the order itself, pure; [`behalf`] knows for whom a call is made without each call being told.

pub(crate) mod behalf;
pub(crate) mod turns;

/// How much a piece of work is in a hurry, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Urgency {
    /// Takes something away: consent was withdrawn, or the object is being deleted.
    Withdrawal,
    /// Somebody changed an object and waits for it.
    Change,
    /// A look that only time asked for.
    Routine,
    /// What the operator does by itself, for no object.
    Background,
}

impl Urgency {
    /// Every urgency, the most urgent first.
    pub(crate) const ALL: [Self; 4] = [Self::Withdrawal, Self::Change, Self::Routine, Self::Background];

    /// As logs and metrics name it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Withdrawal => "Withdrawal",
            Self::Change => "Change",
            Self::Routine => "Routine",
            Self::Background => "Background",
        }
    }
}
