//! How soon drift that comes back is repaired again.

use std::time::Duration;

/// So many repairs, each within an interval of the one before, are taken for chance.
const REPAIRS_BY_CHANCE: u32 = 3;

/// Between two repairs of a policy that someone keeps undoing.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The times that a decision keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long IAM may show what was there before a write.
    pub iam_lag: Duration,
    /// How often the object is looked at.
    pub interval: Duration,
    /// So many repairs, each within an interval of the one before, are taken for chance.
    pub repairs_by_chance: u32,
}

impl Pace {
    /// The product's own pace, but for what is set.
    pub fn new(iam_lag: Duration, interval: Duration) -> Self {
        Self { iam_lag, interval, repairs_by_chance: REPAIRS_BY_CHANCE }
    }
}

/// How drift is met, by how often it was repaired of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// It is repaired.
    None,
    /// Someone keeps undoing the policy: it is repaired once more, and again after so long.
    Due(Duration),
    /// Someone keeps undoing the policy: it is left as it is until so long after the last repair.
    Waiting(Duration),
}

/// Repairs that followed one another within an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repairs {
    pub(super) count: u32,
    /// Since the last one.
    pub(super) age: Duration,
    /// Of the spec that was followed.
    pub(super) generation: Option<i64>,
}

impl Repairs {
    pub(super) fn backoff(&self, pace: &Pace) -> Backoff {
        let pause = self.pause(pace);
        match (self.count >= pace.repairs_by_chance, self.age >= pause) {
            (false, _) => Backoff::None,
            (true, true) => Backoff::Due(pause),
            (true, false) => Backoff::Waiting(pause),
        }
    }

    /// An interval without drift ends a quarrel. The look at which the pause is over may come an interval later.
    pub(super) fn is_over(&self, pace: &Pace) -> bool {
        self.age > self.pause(pace) + pace.interval + pace.iam_lag
    }

    /// Longer with every repair, and never shorter than it takes to see whether one lasted.
    fn pause(&self, pace: &Pace) -> Duration {
        let doubled = 2_u32.saturating_pow(self.count.saturating_sub(pace.repairs_by_chance));
        pace.iam_lag.saturating_mul(doubled).min(LONGEST_PAUSE)
    }
}
