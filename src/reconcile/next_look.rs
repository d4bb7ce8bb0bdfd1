use std::time::Duration;

/// When to look at an object again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextLook {
    /// After this time, or earlier when it changes.
    After(Duration),
    /// When it changes.
    OnChange,
}
