//! Until when writes may be sent: the deadline of the lease, as a value.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Closed at first; every renewal of the lease opens it for a while longer. Clones are one fence.
///
/// Time is the monotonic clock of this machine: it goes on while the process is stopped (SIGSTOP), but not while a whole
/// machine is suspended.
#[derive(Clone, Debug)]
pub struct Fence(Arc<watch::Sender<Gate>>);

/// A write was held back, or given up while it was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this instance does not hold the lease")]
pub struct Closed;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    Closed,
    Sealed,
    Until(Instant),
}

impl Default for Fence {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Gate::Closed)))
    }
}

impl Fence {
    /// Lets writes through before `deadline`, and before any later one that was given already.
    pub fn open_until(&self, deadline: Instant) {
        self.0.send_if_modified(|gate| {
            let opened = match *gate {
                Gate::Closed => Gate::Until(deadline),
                Gate::Until(known) => Gate::Until(known.max(deadline)),
                Gate::Sealed => Gate::Sealed,
            };
            std::mem::replace(gate, opened) != opened
        });
    }

    /// Lets nothing through until the lease is held again.
    pub fn close(&self) {
        self.0.send_if_modified(|gate| {
            let was_open = matches!(gate, Gate::Until(_));
            if was_open {
                *gate = Gate::Closed;
            }
            was_open
        });
    }

    /// Lets nothing through ever again.
    pub fn seal(&self) {
        self.0.send_replace(Gate::Sealed);
    }

    /// Whether a write may be sent at this instant.
    pub fn check(&self) -> Result<(), Closed> {
        match *self.0.borrow() {
            Gate::Until(deadline) if Instant::now() < deadline => Ok(()),
            Gate::Until(_) | Gate::Closed | Gate::Sealed => Err(Closed),
        }
    }

    /// Does `work` only while the fence is open. Whatever `work` has not sent by the deadline, be it that it waits for a
    /// connection or between two attempts, it does not send any more.
    pub async fn guard<T>(&self, work: impl Future<Output = T>) -> Result<T, Closed> {
        let (mut work, mut closed) = (pin!(work), pin!(self.closed()));
        std::future::poll_fn(|context| {
            // The clock decides and not the timer: after the process was stopped, the work may be woken before the timer is.
            if self.check().is_err() || closed.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(Closed));
            }
            work.as_mut().poll(context).map(Ok)
        })
        .await
    }

    /// Waits until the fence is closed, however often the deadline moves on before.
    async fn closed(&self) {
        let mut changes = self.0.subscribe();
        loop {
            let Gate::Until(deadline) = *changes.borrow_and_update() else { return };
            tokio::select! {
                () = sleep_until(deadline) => return,
                _ = changes.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::{advance, sleep, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MOMENT: Duration = Duration::from_millis(1);

    /// Work that never ends by itself, for as long as the fence lets it go on.
    async fn guarded(fence: &Fence) -> Result<(), Closed> {
        let work = fence.guard(pending());
        timeout(3600 * SECOND, work).await.expect("the work must be given up")
    }

    #[tokio::test(start_paused = true)]
    async fn writes_are_refused_from_the_very_instant_of_the_deadline() {
        let fence = Fence::default();
        assert_eq!(fence.check(), Err(Closed), "nothing is sent before the lease is held");
        fence.open_until(Instant::now() + SECOND);
        advance(999 * MOMENT).await;
        assert_eq!(fence.check(), Ok(()));
        advance(MOMENT).await;
        assert_eq!(fence.check(), Err(Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_never_brings_the_deadline_forward() {
        let fence = Fence::default();
        fence.open_until(Instant::now() + 3 * SECOND);
        fence.open_until(Instant::now() + SECOND);
        advance(2 * SECOND).await;
        assert_eq!(fence.check(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_lease_closes_until_it_is_held_again_and_a_released_one_for_ever() {
        let fence = Fence::default();
        fence.open_until(Instant::now() + SECOND);
        fence.close();
        assert_eq!(fence.check(), Err(Closed));
        fence.open_until(Instant::now() + SECOND);
        assert_eq!(fence.check(), Ok(()));
        fence.seal();
        fence.open_until(Instant::now() + SECOND);
        assert_eq!(fence.check(), Err(Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn work_goes_on_while_renewals_come_and_is_given_up_when_they_cease() {
        let fence = Fence::default();
        let started = Instant::now();
        fence.open_until(started + SECOND);
        let renewals = async {
            for _ in 0..5 {
                sleep(SECOND / 2).await;
                fence.open_until(Instant::now() + SECOND);
            }
            pending::<()>().await;
        };
        let given_up = tokio::select! {
            given_up = guarded(&fence) => given_up,
            () = renewals => Ok(()),
        };
        assert_eq!(given_up, Err(Closed));
        assert_eq!(started.elapsed(), 7 * SECOND / 2);
    }

    #[tokio::test]
    async fn a_process_that_stood_still_sends_nothing_before_its_timers_notice() {
        let fence = Fence::default();
        let (answer, answered) = oneshot::channel();
        let mut sent = false;
        fence.open_until(Instant::now() + 100 * MOMENT);
        {
            let mut work = pin!(fence.guard(async {
                answered.await.unwrap();
                sent = true;
            }));
            assert_eq!(futures::poll!(work.as_mut()), Poll::Pending);
            // The thread and with it the runtime's timers, as SIGSTOP does.
            std::thread::sleep(100 * MOMENT);
            answer.send(()).unwrap();
            assert_eq!(futures::poll!(work), Poll::Ready(Err(Closed)));
        }
        assert!(!sent);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_is_woken_together_with_the_deadline_sends_nothing() {
        let fence = Fence::default();
        let mut sent = false;
        fence.open_until(Instant::now() + SECOND);
        let work = async {
            sleep(SECOND).await;
            sent = true;
        };
        assert_eq!(fence.guard(work).await, Err(Closed));
        assert!(!sent);
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_given_up_at_once_when_the_lease_is_lost_early() {
        let fence = Fence::default();
        let started = Instant::now();
        fence.open_until(started + 10 * SECOND);
        let lost = async {
            sleep(SECOND).await;
            fence.close();
        };
        let (given_up, ()) = tokio::join!(guarded(&fence), lost);
        assert_eq!((given_up, started.elapsed()), (Err(Closed), SECOND));
    }
}
