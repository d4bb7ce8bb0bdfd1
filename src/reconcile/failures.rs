use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bedrock_access_api::parse;
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::conditions::Next;
use bedrock_iam::reason::Kstatus;

use super::manifest::is_news;
use super::status::NewStatus;
use super::{Context, Uid};

const FIRST_DELAY: Duration = Duration::from_secs(2);

/// However long the operator's interval is.
const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// Of the operator's intervals, where there is nothing on the role that anybody could withdraw or change.
const IDLE_INTERVALS: u32 = 4;

/// While AWS cannot be asked.
const LONGEST_OUTAGE: Duration = Duration::from_mins(5);

/// How often each object has failed in a row, by its UID; forgotten on success and on deletion.
#[derive(Default)]
pub struct Failures(Mutex<HashMap<Uid, Failing>>);

struct Failing {
    backoff: ExponentialBackoff,
    waits: Duration,
}

impl Failures {
    /// How long to wait after one more failure: doubling with jitter, never longer than `most`.
    pub fn delay(&self, uid: Uid, most: Duration) -> Duration {
        let mut failures = self.lock();
        let failing = failures.entry(uid).or_insert_with(Failing::begin);
        failing.waits = failing.backoff.next().unwrap_or(LONGEST_DELAY).min(most);
        failing.waits
    }

    /// How long an object was to wait after its latest failure, if that was its latest look.
    pub(crate) fn waited(&self, uid: Uid) -> Option<Duration> {
        self.lock().get(&uid).map(|failing| failing.waits)
    }

    fn waits(&self, uid: Uid, delay: Duration) {
        if let Some(failing) = self.lock().get_mut(&uid) {
            failing.waits = delay;
        }
    }

    /// Forgets the object's failures.
    pub fn forget(&self, uid: Uid) {
        self.lock().remove(&uid);
    }

    /// The UIDs of all objects that have failed.
    pub fn uids(&self) -> Vec<Uid> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uid, Failing>> {
        // The map is never left half-written, so a poisoned lock holds a good map.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failing {
    fn begin() -> Self {
        let backoff = ExponentialBuilder::new()
            .with_min_delay(FIRST_DELAY)
            .with_max_delay(LONGEST_DELAY)
            .without_max_times()
            .with_jitter()
            .build();
        Self { backoff, waits: Duration::ZERO }
    }
}

/// How long to wait before the next look at an object that was told this, and is looked at in `interval` while it is in step.
///
/// An object with which something is wrong is looked at less and less often, whatever shorter interval it asks for, but once in the
/// operator's interval, since an owner may have withdrawn consent; where nothing was granted, once in some intervals. A person who
/// changes the object begins that anew. One that is in doubt, and therefore looked at earlier, stays so. An
/// outage is nothing wrong with the object, and its end is to be noticed.
pub(super) fn delay(object: &BedrockAccess, cx: &Context, told: &NewStatus, interval: Duration) -> Duration {
    let uid = Uid::of(object);
    let own = parse::interval(object).ok().flatten().unwrap_or(cx.interval);
    let most = if interval < own.min(cx.interval) {
        interval
    } else if told.holds_nothing {
        (IDLE_INTERVALS * cx.interval).min(LONGEST_DELAY).max(cx.interval)
    } else {
        cx.interval
    };
    if is_news(object) {
        cx.failures.forget(uid);
    }
    let worst = told.reasons.iter().map(|reason| reason.kstatus());
    match (told.next, worst.max()) {
        (Next::BackOff, Some(Kstatus::Unknown)) => cx.failures.delay(uid, interval.min(LONGEST_OUTAGE)),
        (Next::BackOff, _) => cx.failures.delay(uid, most),
        (Next::AtInterval, Some(Kstatus::Stalled)) => {
            let delay = spread(cx.failures.delay(uid, most).max(interval));
            cx.failures.waits(uid, delay);
            delay
        }
        (Next::AtInterval, _) => {
            cx.failures.forget(uid);
            spread(interval)
        }
    }
}

/// Up to a tenth earlier, so that objects created together are not looked at together for ever.
fn spread(interval: Duration) -> Duration {
    interval.mul_f64(1.0 - 0.1 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn delays_grow_to_a_limit_and_start_again_after_success() {
        let failures = Failures::default();
        let delays: Vec<Duration> = (0..12).map(|_| failures.delay("a".into(), HOUR)).collect();
        assert!(delays[0] < Duration::from_secs(5), "{delays:?}");
        assert!(delays[11] >= HOUR, "{delays:?}");
        assert!(failures.delay("b".into(), HOUR) < Duration::from_secs(5), "another object starts afresh");
        failures.forget("a".into());
        assert!(failures.delay("a".into(), HOUR) < Duration::from_secs(5));
    }

    #[test]
    fn an_object_never_waits_longer_than_its_interval() {
        let failures = Failures::default();
        let most = Duration::from_mins(1);
        assert!((0..12).all(|_| failures.delay("a".into(), most) <= most));
    }

    #[test]
    fn intervals_are_spread_but_never_exceeded() {
        let interval = Duration::from_mins(10);
        let waits: Vec<Duration> = (0..100).map(|_| spread(interval)).collect();
        assert!(waits.iter().all(|wait| *wait <= interval && *wait >= interval.mul_f64(0.89)));
        let (earliest, latest) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*latest > *earliest + interval.mul_f64(0.05), "from {earliest:?} to {latest:?}");
    }
}
