//! What `/livez` and `/readyz` answer from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A reconcile that runs longer has outlived its own deadline: the process is stuck, and a restart helps.
const STUCK: Duration = Duration::from_mins(5);

/// While the watch fails it does so at least this often.
const WATCH_RECOVERED: Duration = Duration::from_mins(2);

/// An object that waits longer for a worker is not looked at as often as was promised: the operator has more to do than it can.
const LATE: Duration = Duration::from_mins(10);

/// What the parts of the operator tell about themselves.
#[derive(Default)]
pub struct Health(Mutex<State>);

#[derive(Default)]
struct State {
    duty: Duty,
    watch_failed: Option<Instant>,
    /// Until when the lease counts as readable; nothing before it was read at all.
    lease_readable: Option<Instant>,
    /// Since when the object has been due that waits longest for a worker.
    oldest_due: Option<Instant>,
    running: BTreeMap<u64, Instant>,
    next: u64,
}

/// What the operator has to do now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Duty {
    /// Nothing yet: cluster or account are not known.
    #[default]
    Starting,
    /// Waiting for the lease.
    Following,
    /// Getting to know all objects.
    Listing,
    /// Reconciling.
    Reconciling,
}

/// A reconcile under way; it ends when this is dropped.
pub struct Running {
    health: Arc<Health>,
    id: u64,
}

impl Health {
    /// Another operator holds the lease, or nobody does yet.
    pub fn follows(&self) {
        self.lock().duty = Duty::Following;
    }

    /// This operator holds the lease.
    pub fn leads(&self) {
        let mut state = self.lock();
        state.duty = Duty::Listing;
        state.oldest_due = None;
    }

    /// All objects are known.
    pub fn synced(&self) {
        self.lock().duty = Duty::Reconciling;
    }

    /// The watch was interrupted.
    pub fn watch_failed(&self) {
        self.lock().watch_failed = Some(Instant::now());
    }

    /// Since when the object has been due that waits longest for a worker, if any waits.
    pub(crate) fn oldest_due(&self, since: Option<Instant>) {
        self.lock().oldest_due = since;
    }

    /// The lease was read, and is read again within `next`.
    pub fn lease_read(&self, next: Duration) {
        self.lock().lease_readable = Some(Instant::now() + next);
    }

    /// A reconcile begins.
    pub fn reconciling(self: &Arc<Self>) -> Running {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        state.running.insert(id, Instant::now());
        Running { health: Arc::clone(self), id }
    }

    /// Why a restart would help, if it would.
    pub fn stuck(&self) -> Option<String> {
        let state = self.lock();
        let longest = state.running.values().map(Instant::elapsed).max()?;
        (longest > STUCK).then(|| format!("a reconcile has been running for {} s", longest.as_secs()))
    }

    /// Why the operator neither works on objects nor stands by, if so.
    pub fn not_ready(&self) -> Option<&'static str> {
        let state = self.lock();
        if state.lease_readable.is_some_and(|until| until <= Instant::now()) {
            return Some("the lease cannot be read");
        }
        match state.duty {
            Duty::Starting => Some("cluster and account are not known yet"),
            // It is ready to take over, which is all that a rolling update waits for.
            Duty::Following => None,
            Duty::Listing => Some("the objects are not known yet"),
            Duty::Reconciling => {
                let is_late = state.oldest_due.is_some_and(|since| since.elapsed() > LATE);
                if state.watch_failed.is_some_and(|at| at.elapsed() < WATCH_RECOVERED) {
                    Some("the watch on BedrockAccess is interrupted")
                } else {
                    is_late.then_some("an object has been waiting for more than ten minutes to be looked at")
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is a single assignment, so a poisoned lock holds a good state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.health.lock().running.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[test]
    fn ready_only_once_all_objects_are_known_and_the_watch_holds() {
        let health = Health::default();
        assert!(health.not_ready().is_some());
        health.synced();
        assert_eq!(health.not_ready(), None);
        health.watch_failed();
        assert!(health.not_ready().is_some());
    }

    #[test]
    fn a_follower_is_ready_and_a_new_leader_only_once_all_objects_are_known() {
        let health = Health::default();
        health.follows();
        assert_eq!(health.not_ready(), None);
        health.leads();
        assert!(health.not_ready().is_some());
        health.synced();
        assert_eq!(health.not_ready(), None);
    }

    #[test]
    fn nobody_is_ready_whose_lease_cannot_be_read_and_everybody_once_it_can() {
        let duties = [Health::follows, Health::synced];
        let health = Health::default();
        for duty in duties {
            duty(&health);
            health.lease_read(Duration::ZERO);
            assert_eq!(health.not_ready(), Some("the lease cannot be read"));
            health.lease_read(Duration::from_mins(1));
            assert_eq!(health.not_ready(), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reconcile_counts_as_stuck_after_five_minutes_and_until_it_ends() {
        let health = Arc::new(Health::default());
        let running = health.reconciling();
        advance(STUCK).await;
        let younger = health.reconciling();
        assert_eq!(health.stuck(), None);
        advance(Duration::from_secs(1)).await;
        assert_eq!(health.stuck().as_deref(), Some("a reconcile has been running for 301 s"));
        drop(running);
        assert_eq!(health.stuck(), None, "the other one has only begun");
        drop(younger);
        assert!(health.lock().running.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_failed_counts_as_recovered_after_two_minutes_without_a_failure() {
        let health = Health::default();
        health.synced();
        health.watch_failed();
        advance(Duration::from_secs(119)).await;
        assert_eq!(health.not_ready(), Some("the watch on BedrockAccess is interrupted"));
        advance(Duration::from_secs(1)).await;
        assert_eq!(health.not_ready(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_that_falls_behind_by_ten_minutes_is_not_ready() {
        let health = Health::default();
        health.synced();
        health.oldest_due(Some(Instant::now()));
        advance(LATE).await;
        assert_eq!(health.not_ready(), None);
        advance(Duration::from_secs(1)).await;
        assert!(health.not_ready().is_some_and(|why| why.contains("ten minutes")));
        health.follows();
        assert_eq!(health.not_ready(), None, "nothing is due of a follower");
        health.leads();
        health.synced();
        assert_eq!(health.not_ready(), None, "what was due before is not");
    }
}
