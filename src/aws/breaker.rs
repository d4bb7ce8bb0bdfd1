//! A circuit breaker for one AWS service in one Region, and the backoff that its throttling asks for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bedrock_iam::Class;
use tokio::time::Instant;

/// Consecutive unanswered calls after which the breaker opens.
const THRESHOLD: u32 = 3;

/// Pauses between the probes of an open breaker.
const PROBES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(15))
    .with_max_delay(Duration::from_mins(2))
    .without_max_times()
    .with_jitter();

/// After a throttled call every other one waits too, and longer with each that is throttled again.
const THROTTLED: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(500))
    .with_max_delay(Duration::from_secs(8))
    .without_max_times()
    .with_jitter();

/// Closed while the service answers. It opens when consecutive calls get no answer, lets one call through now and then to
/// probe, and closes with the first answer. Everything that shares the service's quota shares the breaker.
#[derive(Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Default)]
struct State {
    answered: Option<Instant>,
    unanswered: u32,
    /// While it is open: when the next probe is due.
    probe: Option<(Instant, ExponentialBackoff)>,
    /// While the service throttles: when the next call may be made.
    throttled: Option<(Instant, ExponentialBackoff)>,
}

/// A call that may be made, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Admitted(Instant);

/// The breaker is open, and the next probe is not due yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open;

impl Breaker {
    /// Waits while the service throttles; refuses at once while the breaker is open and no probe is due.
    pub(super) async fn admit(&self) -> Result<Admitted, Open> {
        let throttled = {
            let mut state = self.lock();
            if let Some((until, backoff)) = &mut state.probe {
                if Instant::now() < *until {
                    return Err(Open);
                }
                // This call is the probe; the others are refused meanwhile.
                *until = Instant::now() + backoff.next().unwrap_or_default();
            }
            state.throttled.as_ref().map(|(until, _)| *until)
        };
        if let Some(until) = throttled {
            tokio::time::sleep_until(until).await;
        }
        Ok(Admitted(Instant::now()))
    }

    /// Records how a call ended.
    pub(super) fn record(&self, Admitted(began): Admitted, failure: Option<Class>) {
        let mut state = self.lock();
        match failure {
            Some(Class::Unanswered) => {
                // A service that answered another call meanwhile is there.
                if state.answered.is_none_or(|answered| answered < began) {
                    state.unanswered += 1;
                }
                if state.unanswered >= THRESHOLD && state.probe.is_none() {
                    state.probe = Some(begin(PROBES));
                }
            }
            Some(Class::Throttled) => {
                let (until, backoff) = state.throttled.get_or_insert_with(|| begin(THROTTLED));
                *until = Instant::now() + backoff.next().unwrap_or_default();
                *state = State {
                    answered: Some(Instant::now()),
                    throttled: state.throttled.take(),
                    ..State::default()
                };
            }
            _ => *state = State { answered: Some(Instant::now()), ..State::default() },
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change leaves a whole state behind, so a poisoned lock holds a good one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(builder: ExponentialBuilder) -> (Instant, ExponentialBackoff) {
    let mut backoff = builder.build();
    (Instant::now() + backoff.next().unwrap_or_default(), backoff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_region_that_does_not_answer_is_tried_now_and_then_and_costs_the_others_no_time() {
        let breaker = Breaker::default();
        for _ in 0..THRESHOLD {
            let admitted = breaker.admit().await.unwrap();
            breaker.record(admitted, Some(Class::Unanswered));
        }
        let started = Instant::now();
        let (mut probes, mut refused) = (0, 0);
        while started.elapsed() < Duration::from_mins(10) {
            match breaker.admit().await {
                Ok(admitted) => {
                    probes += 1;
                    breaker.record(admitted, Some(Class::Unanswered));
                }
                Err(Open) => refused += 1,
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!((3..=15).contains(&probes), "{probes} probes, {refused} refused in ten minutes");
        tokio::time::advance(Duration::from_mins(5)).await;
        let admitted = breaker.admit().await.unwrap();
        breaker.record(admitted, None);
        assert!(
            breaker.admit().await.is_ok() && breaker.admit().await.is_ok(),
            "one answer closes the breaker"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_call_without_an_answer_stops_no_other() {
        let breaker = Breaker::default();
        for failure in [Some(Class::Unanswered), Some(Class::Unanswered), None, Some(Class::Unanswered)] {
            let admitted = breaker.admit().await.unwrap();
            breaker.record(admitted, failure);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(breaker.admit().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_hang_while_others_are_answered_are_no_sign_of_an_outage() {
        let breaker = Breaker::default();
        let mut hanging = Vec::new();
        for _ in 0..2 * THRESHOLD {
            hanging.push(breaker.admit().await.unwrap());
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        let answered = breaker.admit().await.unwrap();
        breaker.record(answered, None);
        for admitted in hanging {
            breaker.record(admitted, Some(Class::Unanswered));
        }
        assert!(breaker.admit().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_slows_every_call_that_shares_the_quota_and_ends_with_the_first_success() {
        let breaker = Breaker::default();
        let mut waits = Vec::new();
        for _ in 0..8 {
            let admitted = Admitted(Instant::now());
            breaker.record(admitted, Some(Class::Throttled));
            let started = Instant::now();
            breaker.admit().await.unwrap();
            waits.push(started.elapsed());
        }
        assert!(waits[0] > Duration::from_millis(400), "{waits:?}");
        assert!(waits[7] >= Duration::from_secs(8) && waits[7] <= Duration::from_secs(16), "{waits:?}");
        breaker.record(Admitted(Instant::now()), None);
        let started = Instant::now();
        breaker.admit().await.unwrap();
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}
