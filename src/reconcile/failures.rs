use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

const FIRST_DELAY: Duration = Duration::from_secs(2);
const LONGEST_DELAY: Duration = Duration::from_mins(5);

/// How often each object has failed in a row, by its UID; forgotten on success and on deletion.
#[derive(Default)]
pub struct Failures(Mutex<HashMap<String, ExponentialBackoff>>);

impl Failures {
    /// How long to wait after one more failure: doubling with jitter, never longer than `most`.
    pub fn delay(&self, uid: &str, most: Duration) -> Duration {
        let mut failures = self.lock();
        let backoff = failures.entry(uid.to_owned()).or_insert_with(|| {
            ExponentialBuilder::new()
                .with_min_delay(FIRST_DELAY)
                .with_max_delay(LONGEST_DELAY)
                .without_max_times()
                .with_jitter()
                .build()
        });
        backoff.next().unwrap_or(LONGEST_DELAY).min(most)
    }

    /// Forgets the object's failures.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    /// The UIDs of all objects that have failed.
    pub fn uids(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, ExponentialBackoff>> {
        // The map is never left half-written, so a poisoned lock holds a good map.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn delays_grow_to_a_limit_and_start_again_after_success() {
        let failures = Failures::default();
        let delays: Vec<Duration> = (0..12).map(|_| failures.delay("a", HOUR)).collect();
        assert!(delays[0] < Duration::from_secs(5), "{delays:?}");
        assert!(delays[11] >= LONGEST_DELAY, "{delays:?}");
        assert!(failures.delay("b", HOUR) < Duration::from_secs(5), "another object starts afresh");
        failures.forget("a");
        assert!(failures.delay("a", HOUR) < Duration::from_secs(5));
    }

    #[test]
    fn an_object_never_waits_longer_than_its_interval() {
        let failures = Failures::default();
        let most = Duration::from_mins(1);
        assert!((0..12).all(|_| failures.delay("a", most) <= most));
    }
}
