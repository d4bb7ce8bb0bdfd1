//! At most so many calls a second, by the clock that the rest of the operator goes by; those who wait are served in turns.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::fairness::behalf;
use crate::fairness::turns::{Place, Turns};

/// A rate limit, with a line before it.
pub(super) struct Pace {
    limiter: RateLimiter<NotKeyed, InMemoryState, Tokio>,
    line: Mutex<Line>,
    /// Held by the one of those who wait that serves them all.
    serving: tokio::sync::Mutex<()>,
    most_unused: u32,
}

#[derive(Default)]
struct Line {
    turns: Turns<oneshot::Sender<Permit>>,
    /// Permits that were given back.
    unused: u32,
}

/// One call may be made. It goes to the next in line if it is not used.
pub(super) struct Permit {
    pace: Arc<Pace>,
    is_used: bool,
}

/// A place in the line, given up when this is dropped.
struct Waiting {
    pace: Arc<Pace>,
    tenant: Arc<str>,
    place: Place,
    permit: oneshot::Receiver<Permit>,
}

/// Tokio's clock, which stands still and moves with the runtime's.
#[derive(Clone, Debug)]
struct Tokio;

impl Clock for Tokio {
    type Instant = std::time::Instant;

    fn now(&self) -> Self::Instant {
        Instant::now().into_std()
    }
}

impl Pace {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::direct_with_clock(Quota::per_second(per_second), Tokio),
            line: Mutex::default(),
            serving: tokio::sync::Mutex::default(),
            most_unused: per_second.get(),
        }
    }

    /// Waits until one more call may be made, on behalf of whom the running task works for.
    pub(super) async fn permit(self: &Arc<Self>) -> Permit {
        let mut waiting = self.wait();
        loop {
            tokio::select! {
                biased;
                permit = &mut waiting.permit => match permit {
                    Ok(permit) => return permit,
                    // Nobody drops a place but who holds it.
                    Err(_) => waiting = self.wait(),
                },
                never = self.serve() => match never {},
            }
        }
    }

    fn wait(self: &Arc<Self>) -> Waiting {
        let (tenant, urgency) = behalf::current();
        let (permits, permit) = oneshot::channel();
        let place = self.lock().turns.join(&tenant, urgency, permits);
        Waiting { pace: Arc::clone(self), tenant, place, permit }
    }

    /// Serves all who wait, for as long as it is polled; one at a time does.
    async fn serve(self: &Arc<Self>) -> Infallible {
        let _serving = self.serving.lock().await;
        loop {
            match self.allowance() {
                Allowance::One(next) => {
                    // Who has gone meanwhile gives it back.
                    let _ = next.send(Permit { pace: Arc::clone(self), is_used: false });
                }
                Allowance::After(wait) => sleep(wait).await,
                Allowance::NotNeeded => std::future::pending().await,
            }
        }
    }

    /// Whose turn it is is decided when a call may be made, not before.
    fn allowance(&self) -> Allowance {
        let mut line = self.lock();
        if line.turns.is_empty() {
            return Allowance::NotNeeded;
        }
        if line.unused > 0 {
            line.unused -= 1;
        } else if let Err(busy) = self.limiter.check() {
            return Allowance::After(busy.wait_time_from(self.limiter.clock().now()));
        }
        match line.turns.next(|_, _| Some(0)) {
            Some(turn) => Allowance::One(turn.item),
            None => Allowance::NotNeeded,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        // Every change leaves a whole line behind, so a poisoned lock holds a good one.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Allowance {
    One(oneshot::Sender<Permit>),
    After(Duration),
    NotNeeded,
}

impl Permit {
    /// The call is made.
    pub(super) fn spend(mut self) {
        self.is_used = true;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.is_used {
            let mut line = self.pace.lock();
            line.unused = (line.unused + 1).min(self.pace.most_unused);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let left = self.pace.lock().turns.leave(&self.tenant, self.place);
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::{BoxFuture, join_all};

    use super::*;
    use crate::fairness::Urgency;

    fn pace(per_second: u32) -> Arc<Pace> {
        Arc::new(Pace::new(NonZeroU32::new(per_second).unwrap()))
    }

    /// So many calls of a tenant; when the last of them may be made.
    fn calls<'a>(
        pace: &'a Arc<Pace>,
        tenant: &str,
        urgency: Urgency,
        number: usize,
    ) -> BoxFuture<'a, Duration> {
        let begun = Instant::now();
        let tenant = Arc::from(tenant);
        let one = move || behalf::of(Arc::clone(&tenant), urgency, async { pace.permit().await.spend() });
        async move {
            join_all((0..number).map(|_| one())).await;
            begun.elapsed()
        }
        .boxed()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_beyond_the_rate_wait_for_their_turn() {
        let pace = pace(20);
        let took = calls(&pace, "a", Urgency::Routine, 60).await;
        assert!((Duration::from_secs(2)..Duration::from_millis(2200)).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_with_few_calls_does_not_wait_for_one_with_many() {
        for urgency in [Urgency::Routine, Urgency::Change, Urgency::Withdrawal] {
            let pace = pace(20);
            let flood = calls(&pace, "flood", Urgency::Change, 1_000);
            let calm = async {
                tokio::time::sleep(Duration::from_secs(5)).await;
                let (begun, mut most) = (Instant::now(), Duration::ZERO);
                for _ in 0..8 {
                    most = most.max(calls(&pace, "calm", urgency, 1).await);
                }
                (begun.elapsed(), most)
            };
            let (took, (calm, most)) = futures::join!(flood, calm);
            assert!(took >= Duration::from_secs(49), "{took:?}");
            assert!(most <= Duration::from_millis(250), "{urgency:?}: one call waited {most:?}");
            assert!(calm <= Duration::from_millis(1700), "{urgency:?}: {calm:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_takes_something_away_goes_before_those_of_its_own_tenant() {
        let pace = pace(20);
        let flood = calls(&pace, "a", Urgency::Routine, 200);
        let withdrawal = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            calls(&pace, "a", Urgency::Withdrawal, 1).await
        };
        let (_, took) = futures::join!(flood, withdrawal);
        assert!(took <= Duration::from_millis(150), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_or_its_permit_costs_nobody_a_turn() {
        let pace = pace(1);
        pace.permit().await.spend();
        let impatient = tokio::time::timeout(Duration::from_millis(500), pace.permit());
        assert!(impatient.await.is_err());
        assert!(pace.lock().turns.is_empty(), "it still stands in line");
        let begun = Instant::now();
        drop(pace.permit().await);
        pace.permit().await.spend();
        assert!(begun.elapsed() < Duration::from_millis(600), "{:?}", begun.elapsed());
        let begun = Instant::now();
        pace.permit().await.spend();
        assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn the_others_are_served_when_the_one_that_serves_them_leaves() {
        let pace = pace(1);
        pace.permit().await.spend();
        let serving = tokio::spawn({
            let pace = Arc::clone(&pace);
            async move { pace.permit().await.spend() }
        });
        tokio::task::yield_now().await;
        let other = calls(&pace, "b", Urgency::Routine, 1);
        let leaves = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            serving.abort();
        };
        let (took, ()) = futures::join!(other, leaves);
        assert!(took <= Duration::from_secs(1), "{took:?}");
    }
}
