use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bedrock_iam::Class;
use tokio::time::Instant;

/// So many calls in a row without an answer are more than bad luck with one of them.
const SILENCE: u32 = 3;

/// While nothing answers, one call is tried so often.
const REST: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(15))
    .with_max_delay(Duration::from_mins(2))
    .without_max_times()
    .with_jitter();

/// After a throttled call every other one waits too, and longer with each that is throttled again.
const PAUSE: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(500))
    .with_max_delay(Duration::from_secs(8))
    .without_max_times()
    .with_jitter();

/// What an AWS service in one Region can take now, learnt from its answers. Everything that shares its quota shares this.
#[derive(Default)]
pub(super) struct Strain(Mutex<State>);

#[derive(Default)]
struct State {
    answered: Option<Instant>,
    unanswered: u32,
    rests: Option<(Instant, ExponentialBackoff)>,
    pauses: Option<(Instant, ExponentialBackoff)>,
}

/// A call that may be made, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Admitted(Instant);

/// Nothing answers there, and it is not yet time to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resting;

impl Strain {
    /// Waits while the service throttles; refuses at once while it does not answer, but for one call now and then.
    pub(super) async fn admit(&self) -> Result<Admitted, Resting> {
        let pause = {
            let mut state = self.lock();
            if let Some((until, backoff)) = &mut state.rests {
                if Instant::now() < *until {
                    return Err(Resting);
                }
                // This call is the one that tries; the others go on resting meanwhile.
                *until = Instant::now() + backoff.next().unwrap_or_default();
            }
            state.pauses.as_ref().map(|(until, _)| *until)
        };
        if let Some(until) = pause {
            tokio::time::sleep_until(until).await;
        }
        Ok(Admitted(Instant::now()))
    }

    /// Takes note of how a call ended.
    pub(super) fn learn(&self, Admitted(began): Admitted, failure: Option<Class>) {
        let mut state = self.lock();
        match failure {
            Some(Class::Unanswered) => {
                // Whoever answered another call meanwhile is there.
                if state.answered.is_none_or(|answered| answered < began) {
                    state.unanswered += 1;
                }
                if state.unanswered >= SILENCE && state.rests.is_none() {
                    state.rests = Some(begin(REST));
                }
            }
            Some(Class::Throttled) => {
                let (until, backoff) = state.pauses.get_or_insert_with(|| begin(PAUSE));
                *until = Instant::now() + backoff.next().unwrap_or_default();
                *state =
                    State { answered: Some(Instant::now()), pauses: state.pauses.take(), ..State::default() };
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
        let strain = Strain::default();
        for _ in 0..SILENCE {
            let admitted = strain.admit().await.unwrap();
            strain.learn(admitted, Some(Class::Unanswered));
        }
        let started = Instant::now();
        let (mut tried, mut spared) = (0, 0);
        while started.elapsed() < Duration::from_mins(10) {
            match strain.admit().await {
                Ok(admitted) => {
                    tried += 1;
                    strain.learn(admitted, Some(Class::Unanswered));
                }
                Err(Resting) => spared += 1,
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!((3..=15).contains(&tried), "{tried} tried, {spared} spared in ten minutes");
        tokio::time::advance(Duration::from_mins(5)).await;
        let admitted = strain.admit().await.unwrap();
        strain.learn(admitted, None);
        assert!(strain.admit().await.is_ok() && strain.admit().await.is_ok(), "one answer ends the rest");
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_call_without_an_answer_stops_no_other() {
        let strain = Strain::default();
        for failure in [Some(Class::Unanswered), Some(Class::Unanswered), None, Some(Class::Unanswered)] {
            let admitted = strain.admit().await.unwrap();
            strain.learn(admitted, failure);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(strain.admit().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_hang_while_others_are_answered_are_no_sign_of_an_outage() {
        let strain = Strain::default();
        let mut hanging = Vec::new();
        for _ in 0..2 * SILENCE {
            hanging.push(strain.admit().await.unwrap());
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        let answered = strain.admit().await.unwrap();
        strain.learn(answered, None);
        for admitted in hanging {
            strain.learn(admitted, Some(Class::Unanswered));
        }
        assert!(strain.admit().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_slows_every_call_that_shares_the_quota_and_ends_with_the_first_success() {
        let strain = Strain::default();
        let mut waits = Vec::new();
        for _ in 0..8 {
            let admitted = Admitted(Instant::now());
            strain.learn(admitted, Some(Class::Throttled));
            let started = Instant::now();
            strain.admit().await.unwrap();
            waits.push(started.elapsed());
        }
        assert!(waits[0] > Duration::from_millis(400), "{waits:?}");
        assert!(waits[7] >= Duration::from_secs(8) && waits[7] <= Duration::from_secs(16), "{waits:?}");
        strain.learn(Admitted(Instant::now()), None);
        let started = Instant::now();
        strain.admit().await.unwrap();
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}
