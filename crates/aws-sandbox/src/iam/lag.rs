//! Eventual consistency: reads that answer what was true some time ago.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::role::Role;

/// What IAM's reads see; writes act on what is true.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reads {
    /// Every write before them.
    #[default]
    Newest,
    /// The state of so long ago.
    Lagging(Duration),
    /// One of both, drawn anew for every read by a generator of this seed, as if several endpoints answered.
    Flapping {
        /// How old the older state is.
        lag: Duration,
        /// The same seed draws the same sequence.
        seed: u64,
    },
}

/// The states that a lagging read may still see.
#[derive(Debug)]
pub(super) struct Past {
    reads: Reads,
    lag: Duration,
    random: Option<Rng>,
    /// So far the sandbox's clock is ahead of the runtime's.
    ahead: Duration,
    /// By role name, oldest first; what holds now is not among them.
    superseded: BTreeMap<String, VecDeque<Superseded>>,
}

/// A state of a role, `None` for none, that a write ended.
#[derive(Debug)]
struct Superseded {
    at: Instant,
    role: Option<Role>,
}

impl Default for Past {
    fn default() -> Self {
        Self::of(Reads::Newest, Duration::ZERO)
    }
}

impl Past {
    fn of(reads: Reads, ahead: Duration) -> Self {
        let (lag, random) = match reads {
            Reads::Newest => (Duration::ZERO, None),
            Reads::Lagging(lag) => (lag, None),
            Reads::Flapping { lag, seed } => (lag, Some(Rng::with_seed(seed))),
        };
        Self { reads, lag, random, ahead, superseded: BTreeMap::new() }
    }

    pub(super) fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Changes what reads see, beginning with the writes from now on.
    pub(super) fn set_reads(&mut self, reads: Reads) {
        *self = Self::of(reads, self.ahead);
    }

    /// Moves the clock forward.
    pub(super) fn advance(&mut self, by: Duration) {
        self.ahead = self.ahead.saturating_add(by);
    }

    /// Keeps the state that a write is about to end.
    pub(super) fn keep(&mut self, name: &str, role: Option<&Role>) {
        self.forget_settled();
        if !self.lag.is_zero() {
            let superseded = Superseded { at: self.now(), role: role.cloned() };
            self.superseded.entry(name.to_owned()).or_default().push_back(superseded);
        }
    }

    /// The states that one read sees instead of the newest ones.
    pub(super) fn seen_by_one_read(&mut self) -> Option<BTreeMap<&str, Option<&Role>>> {
        self.forget_settled();
        if self.random.as_mut().is_some_and(Rng::bool) {
            return None;
        }
        let oldest = self.superseded.iter().filter_map(|(name, states)| {
            let seen = states.front()?;
            Some((name.as_str(), seen.role.as_ref()))
        });
        Some(oldest.collect())
    }

    /// How many states are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.superseded.values().map(VecDeque::len).sum()
    }

    fn forget_settled(&mut self) {
        let (now, lag) = (self.now(), self.lag);
        self.superseded.retain(|_, states| {
            while states.front().is_some_and(|state| now.saturating_duration_since(state.at) >= lag) {
                states.pop_front();
            }
            !states.is_empty()
        });
    }

    fn now(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.ahead).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;
    use crate::iam::Iam;

    const LAG: Duration = Duration::from_mins(1);

    /// So many states as the past of the given writes holds, one second apart.
    fn kept_after(writes: usize, reads: Reads) -> usize {
        let mut iam = Iam::default();
        iam.insert("r".into(), &Home::default());
        iam.set_reads(reads);
        for _ in 0..writes {
            iam.put_policy("r", "p", "{}");
            iam.advance(Duration::from_secs(1));
        }
        iam.past().kept()
    }

    #[test]
    fn no_more_states_are_kept_than_were_ended_within_the_lag() {
        assert_eq!(kept_after(30, Reads::Lagging(LAG)), 30);
        let flapping = Reads::Flapping { lag: LAG, seed: 1 };
        for reads in [Reads::Lagging(LAG), flapping] {
            let kept = kept_after(1000, reads.clone());
            assert!((59..=61).contains(&kept), "{reads:?}: {kept}");
        }
        assert_eq!(kept_after(1000, Reads::Newest), 0);
        assert_eq!(kept_after(1000, Reads::Lagging(Duration::ZERO)), 0);
    }

    #[test]
    fn a_read_forgets_what_is_settled_of_every_role() {
        let (mut iam, home) = (Iam::default(), Home::default());
        iam.set_reads(Reads::Lagging(LAG));
        for number in 0..10 {
            iam.insert(format!("r{number}").as_str().into(), &home);
        }
        iam.remove("r0");
        assert_eq!(iam.past().kept(), 11);
        assert_eq!(iam.read().roles().count(), 0);
        iam.advance(LAG);
        assert_eq!(iam.read().roles().count(), 9);
        assert_eq!(iam.past().kept(), 0);
    }
}
