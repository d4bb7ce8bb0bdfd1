//! One leader among all running operators, by a Lease object.

mod renewals;

use std::cell::Cell;
use std::time::Duration;

use k8s_controller::LeaderElection;
use kube::Client;
use tokio::time::sleep;

use crate::fence::Fence;
use renewals::{Renewals, Writes};

/// The name of the Lease object.
pub(super) const NAME: &str = "bedrock-access";

/// From the signal to the end of the process less the time that ending takes: two seconds in all.
const TIME_TO_LEAVE: Duration = Duration::from_millis(1800);

/// How fast leadership is noticed to be gone: see [`Timings::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    duration: Duration,
    renew_deadline: Duration,
    retry_period: Duration,
}

/// The timings contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimingsError {
    /// A leader would go on after another one began.
    #[error("the lease's renew deadline must be shorter than its duration")]
    RenewDeadline,
    /// The first renewal would come too late.
    #[error("the lease's retry period must be longer than 0 s and shorter than its renew deadline")]
    RetryPeriod,
    /// A Lease object counts in seconds.
    #[error("the lease's duration must be at least 1 s and at most one day")]
    Duration,
}

impl Timings {
    /// `duration`: how long the others wait for a leader that has fallen silent. `renew_deadline`: after how long without a
    /// renewal a leader stops. `retry_period`: how often it renews, and the others look.
    pub fn new(
        duration: Duration,
        renew_deadline: Duration,
        retry_period: Duration,
    ) -> Result<Self, TimingsError> {
        if !(Duration::from_secs(1)..=Duration::from_hours(24)).contains(&duration) {
            return Err(TimingsError::Duration);
        }
        if renew_deadline >= duration {
            return Err(TimingsError::RenewDeadline);
        }
        if retry_period.is_zero() || retry_period >= renew_deadline {
            return Err(TimingsError::RetryPeriod);
        }
        Ok(Self { duration, renew_deadline, retry_period })
    }

    /// One request about the lease: a second one must fit before the deadline.
    pub(super) fn request_limit(&self) -> Duration {
        self.renew_deadline / 2
    }

    /// What opens `fence` whenever the lease was acquired or renewed.
    pub(super) fn renewals(&self, fence: &Fence) -> Renewals {
        Renewals { fence: fence.clone(), open_for: self.renew_deadline, writes: Writes::default() }
    }
}

/// For requests about the lease: its renewals open the fence, and its writes are counted.
#[derive(Clone)]
pub struct Leases {
    pub(super) client: Client,
    pub(super) writes: Writes,
}

impl Leases {
    /// Where the lease is unless someone says otherwise: the pod's namespace, or that of the kubeconfig's context.
    pub fn default_namespace(&self) -> &str {
        self.client.default_namespace()
    }
}

/// One of the running operators, which leads when none of the others does.
pub struct Candidate {
    election: LeaderElection,
    writes: Writes,
    fence: Fence,
}

impl Candidate {
    /// `identity` must be unlike every other candidate's; `fence` is the one that `leases` opens.
    pub fn new(leases: Leases, namespace: &str, identity: &str, timings: &Timings, fence: Fence) -> Self {
        let election = LeaderElection::new(leases.client, namespace, NAME, identity)
            .with_lease_duration(timings.duration)
            .with_renew_deadline(timings.renew_deadline)
            .with_retry_period(timings.retry_period);
        Self { election, writes: leases.writes, fence }
    }

    /// Does `lead` whenever it holds the lease, and `follow` whenever it does not, until `shutdown`; by then `lead` has to
    /// end by itself, and the lease is handed over.
    pub async fn run(
        &self,
        shutdown: impl Future<Output = ()> + Clone,
        mut follow: impl FnMut(),
        lead: impl AsyncFn(),
    ) {
        loop {
            follow();
            let holds = Cell::new(false);
            let term = self.term(async {
                holds.set(true);
                lead().await;
            });
            // A follower leaves at once; a leader finishes its work and then releases the lease, and so does who may have
            // become one by a request that is not answered yet.
            let leave = async {
                shutdown.clone().await;
                if holds.get() || self.writes.are_under_way() {
                    sleep(TIME_TO_LEAVE).await;
                }
            };
            tokio::select! {
                // First, so that a lease which was just acquired is known by the time it is asked whether to leave.
                biased;
                ended = term => match ended {
                    Some(()) => return,
                    // It campaigns again instead of ending the process: what Bedrock answered stays known, and nothing of
                    // the lost term can go on, since its futures are dropped and the fence holds back what it spawned.
                    None => self.fence.close(),
                },
                () = leave => return,
            }
        }
    }

    /// Waits for the lease, does `lead` and releases it; nothing if it was lost before.
    async fn term(&self, lead: impl Future<Output = ()>) -> Option<()> {
        let ended = self.election.with_lease(async {
            lead.await;
            // Before the lease is released: whoever takes it may write at once.
            self.fence.seal();
        });
        ended.await?;
        // A renewal that was under way may have overtaken the release.
        self.election.release().await;
        Some(())
    }
}

#[cfg(test)]
mod tests;
