//! At most so many calls a second, by the clock that the rest of the operator goes by.

use std::num::NonZeroU32;

use governor::clock::Clock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, sleep};

/// A rate limit.
pub(super) struct Pace(RateLimiter<NotKeyed, InMemoryState, Tokio>);

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
        Self(RateLimiter::direct_with_clock(Quota::per_second(per_second), Tokio))
    }

    /// Waits until one more call may be made.
    pub(super) async fn until_ready(&self) {
        while let Err(busy) = self.0.check() {
            sleep(busy.wait_time_from(self.0.clock().now())).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_beyond_the_rate_wait_for_their_turn() {
        let pace = Pace::new(NonZeroU32::new(20).unwrap());
        let started = Instant::now();
        for _ in 0..60 {
            pace.until_ready().await;
        }
        let took = started.elapsed();
        assert!((Duration::from_secs(2)..Duration::from_millis(2200)).contains(&took), "{took:?}");
    }
}
