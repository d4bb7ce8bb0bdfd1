//! A circuit breaker for one AWS service in one Region, and the backoff that its throttling asks for. It also knows whether the service is
//! stalled, so that nobody waits for it who need not.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bedrock_iam::Class;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

/// Consecutive unanswered calls after which the breaker opens.
const THRESHOLD: u32 = 3;

/// A call that takes longer counts as unanswered while it is still under way: whoever waits for it may give it up before it fails.
/// The SDK gives up one attempt after this.
const HANGS: Duration = Duration::from_secs(5);

/// Where nothing is answered for so long, nobody waits any longer who need not. More than the first call over a new connection to the
/// other end of the world takes.
const STALLS: Duration = Duration::from_millis(1500);

/// The same while the breaker is open: a service that is back answers soon.
const STAYS_SILENT: Duration = Duration::from_millis(500);

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
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
    opened: Notify,
    under_way: Mutex<UnderWay>,
}

/// The calls without an answer so far: when each was begun, and its number.
#[derive(Debug, Default)]
struct UnderWay {
    calls: BTreeSet<(Instant, u64)>,
    next: u64,
}

#[derive(Debug, Default)]
struct State {
    answered: Option<Instant>,
    /// When an attempt ended otherwise than by taking too long: the service is not silent, though it may refuse.
    heard: Option<Instant>,
    unanswered: u32,
    /// While it is open: when the next probe is due.
    probe: Option<(Instant, ExponentialBackoff)>,
    /// While the service throttles: when the next call may be made.
    throttled: Option<(Instant, ExponentialBackoff)>,
}

/// A call that is made.
#[derive(Debug)]
pub(super) struct Begun {
    at: Instant,
    number: u64,
    breaker: Arc<Breaker>,
    /// Whether it was counted as unanswered already.
    is_counted: bool,
}

/// The breaker is open, and the next probe is not due yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open;

impl Breaker {
    /// Waits while the service throttles; refuses at once while the breaker is open and no probe is due.
    pub(super) async fn admit(&self) -> Result<(), Open> {
        let throttled = {
            let state = self.lock();
            state.refuses()?;
            state.throttled.as_ref().map(|(until, _)| *until)
        };
        if let Some(until) = throttled {
            sleep_until(until).await;
        }
        Ok(())
    }

    /// A call is about to be sent; refused while the breaker is open, unless it is the probe.
    pub(super) fn begin(self: &Arc<Self>) -> Result<Begun, Open> {
        let mut state = self.lock();
        state.refuses()?;
        if let Some((until, backoff)) = &mut state.probe {
            // The others are refused meanwhile.
            *until = Instant::now() + backoff.next().unwrap_or_default();
        }
        let (at, mut under_way) = (Instant::now(), self.under_way());
        let number = under_way.next;
        under_way.next += 1;
        under_way.calls.insert((at, number));
        Ok(Begun { at, number, breaker: Arc::clone(self), is_counted: false })
    }

    /// Whether a call has gone unanswered for so long, while no other was answered, that nobody need wait for more.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalls_at().is_some_and(|at| at <= Instant::now())
    }

    /// An attempt of a call ended, by whatever the service did.
    pub(super) fn hears(&self) {
        self.lock().heard = Some(Instant::now());
    }

    /// Ends when the service is stalled.
    pub(super) async fn stalled(&self) {
        loop {
            match self.stalls_at() {
                Some(at) if at <= Instant::now() => return,
                Some(at) => sleep_until(at).await,
                None => sleep(STALLS).await,
            }
        }
    }

    fn stalls_at(&self) -> Option<Instant> {
        let (heard, patience) = {
            let state = self.lock();
            let patience = if state.probe.is_some() { STAYS_SILENT } else { STALLS };
            (state.answered.max(state.heard), patience)
        };
        let under_way = self.under_way();
        let mut begun = under_way.calls.iter().map(|(at, _)| *at);
        begun.find(|at| heard.is_none_or(|heard| heard < *at)).map(|at| at + patience)
    }

    /// Ends when the call is not worth waiting for: it has gone unanswered for long, and so have others.
    pub(super) async fn hangs(&self, begun: &mut Begun) {
        sleep_until(begun.at + HANGS).await;
        loop {
            let opened = self.opened.notified();
            if self.count(begun) {
                return;
            }
            tokio::select! {
                () = opened => {}
                () = sleep(HANGS) => {}
            }
        }
    }

    /// Records how a call ended.
    pub(super) fn record(&self, mut begun: Begun, failure: Option<Class>) {
        match failure {
            Some(Class::Unanswered) => {
                self.count(&mut begun);
            }
            Some(Class::Throttled) => {
                let mut state = self.lock();
                let (until, backoff) = state.throttled.get_or_insert_with(|| begin(THROTTLED));
                *until = Instant::now() + backoff.next().unwrap_or_default();
                *state = State {
                    answered: Some(Instant::now()),
                    throttled: state.throttled.take(),
                    ..State::default()
                };
            }
            _ => *self.lock() = State { answered: Some(Instant::now()), ..State::default() },
        }
    }

    /// Counts a call as unanswered, once; whether the breaker is open.
    fn count(&self, begun: &mut Begun) -> bool {
        let mut state = self.lock();
        // A service that answered another call meanwhile is there.
        let is_evidence = state.answered.is_none_or(|answered| answered < begun.at);
        if is_evidence && !std::mem::replace(&mut begun.is_counted, true) {
            state.unanswered += 1;
        }
        if state.unanswered >= THRESHOLD && state.probe.is_none() {
            state.probe = Some(begin(PROBES));
            self.opened.notify_waiters();
        }
        state.probe.is_some()
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        // The same.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change leaves a whole state behind, so a poisoned lock holds a good one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.breaker.under_way().calls.remove(&(self.at, self.number));
    }
}

impl State {
    fn refuses(&self) -> Result<(), Open> {
        match &self.probe {
            Some((until, _)) if Instant::now() < *until => Err(Open),
            _ => Ok(()),
        }
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
        let breaker = Arc::new(Breaker::default());
        for _ in 0..THRESHOLD {
            breaker.record(breaker.begin().unwrap(), Some(Class::Unanswered));
        }
        let started = Instant::now();
        let (mut probes, mut refused) = (0, 0);
        while started.elapsed() < Duration::from_mins(10) {
            match breaker.begin() {
                Ok(begun) => {
                    probes += 1;
                    breaker.record(begun, Some(Class::Unanswered));
                }
                Err(Open) => refused += 1,
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!((3..=15).contains(&probes), "{probes} probes, {refused} refused in ten minutes");
        tokio::time::advance(Duration::from_mins(5)).await;
        breaker.record(breaker.begin().unwrap(), None);
        assert!(breaker.begin().is_ok() && breaker.begin().is_ok(), "one answer closes the breaker");
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_call_without_an_answer_stops_no_other() {
        let breaker = Arc::new(Breaker::default());
        for failure in [Some(Class::Unanswered), Some(Class::Unanswered), None, Some(Class::Unanswered)] {
            breaker.record(breaker.begin().unwrap(), failure);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(breaker.begin().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_hang_are_given_up_together_as_soon_as_enough_of_them_do() {
        let breaker = Arc::new(Breaker::default());
        let call = || async {
            let mut begun = breaker.begin().unwrap();
            breaker.hangs(&mut begun).await;
            breaker.record(begun, Some(Class::Unanswered));
        };
        let lone = tokio::time::timeout(Duration::from_mins(1), call());
        assert!(lone.await.is_err(), "one call that hangs is no sign of an outage");
        let started = Instant::now();
        let together = async { futures::join!(call(), call(), call()) };
        assert!(tokio::time::timeout(Duration::from_mins(1), together).await.is_ok());
        assert_eq!(started.elapsed(), HANGS);
        assert_eq!(breaker.begin().unwrap_err(), Open);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_service_that_stalls_and_one_answer_ends_that() {
        let breaker = Arc::new(Breaker::default());
        let hanging = breaker.begin().unwrap();
        let started = Instant::now();
        breaker.stalled().await;
        assert_eq!(started.elapsed(), STALLS);
        assert!(breaker.is_stalled());
        breaker.record(breaker.begin().unwrap(), None);
        assert!(!breaker.is_stalled(), "another call was answered");
        drop(hanging);
        tokio::time::advance(Duration::from_millis(1)).await;
        let given_up = breaker.begin().unwrap();
        tokio::time::advance(2 * STALLS).await;
        assert!(breaker.is_stalled());
        drop(given_up);
        assert!(!breaker.is_stalled(), "nothing is under way");
    }

    /// Whoever waits for calls may have less time than they take.
    #[tokio::test(start_paused = true)]
    async fn calls_that_are_dropped_before_they_end_are_learnt_from() {
        let breaker = Arc::new(Breaker::default());
        for _ in 0..THRESHOLD {
            let mut begun = breaker.begin().unwrap();
            let dropped = tokio::time::timeout(HANGS + Duration::from_millis(1), breaker.hangs(&mut begun));
            let _ = dropped.await;
        }
        assert_eq!(breaker.begin().unwrap_err(), Open);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_hang_while_others_are_answered_are_no_sign_of_an_outage() {
        let breaker = Arc::new(Breaker::default());
        let mut hanging = Vec::new();
        for _ in 0..2 * THRESHOLD {
            hanging.push(breaker.begin().unwrap());
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        breaker.record(breaker.begin().unwrap(), None);
        for begun in hanging {
            breaker.record(begun, Some(Class::Unanswered));
        }
        assert!(breaker.begin().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_slows_every_call_that_shares_the_quota_and_ends_with_the_first_success() {
        let breaker = Arc::new(Breaker::default());
        let mut waits = Vec::new();
        for _ in 0..8 {
            breaker.record(breaker.begin().unwrap(), Some(Class::Throttled));
            let started = Instant::now();
            breaker.admit().await.unwrap();
            waits.push(started.elapsed());
        }
        assert!(waits[0] > Duration::from_millis(400), "{waits:?}");
        assert!(waits[7] >= Duration::from_secs(8) && waits[7] <= Duration::from_secs(16), "{waits:?}");
        breaker.record(breaker.begin().unwrap(), None);
        let started = Instant::now();
        breaker.admit().await.unwrap();
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}
