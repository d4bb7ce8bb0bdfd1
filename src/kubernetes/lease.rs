//! One leader among all running operators of a shard, by a Lease object.

mod common;
mod liveness;
mod names;
mod renewals;
mod rivals;

use std::cell::Cell;
use std::time::Duration;

use k8s_controller::LeaderElection;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use tokio::time::sleep;

use crate::fence::Fence;
use crate::grace;
use crate::kubernetes::around;
use crate::shard::Shard;
use common::{CommonLeases, tell_of_shards};
pub(super) use names::{NAME, Names};
pub use renewals::Learned;
use renewals::{Renewals, Writes};
use rivals::{Rival, Rivals};

/// No lease is believed for longer, whatever it states.
const LONGEST_DURATION: Duration = Duration::from_hours(24);

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
        if !(Duration::from_secs(1)..=LONGEST_DURATION).contains(&duration) {
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

    /// What learns from every request about the lease.
    pub(super) fn renewals(&self, learned: &Learned) -> Renewals {
        Renewals {
            learned: learned.clone(),
            open_for: self.renew_deadline,
            // Longer than any pause between two looks at it, with the time that a request may take.
            next_read: self.duration + self.retry_period,
            writes: Writes::default(),
        }
    }
}

/// For requests about the lease: its renewals open the fence, and its writes are counted.
#[derive(Clone)]
pub struct Leases {
    pub(super) client: Client,
    /// Of which nothing is learned.
    plain: Client,
    renewals: Renewals,
}

impl Leases {
    /// The requests of a client, of which `renewals` learns.
    pub(super) fn new(plain: Client, renewals: Renewals) -> Self {
        Self { client: around(plain.clone()).with_layer(&renewals).build(), plain, renewals }
    }

    /// Where the lease is unless someone says otherwise: the pod's namespace, or that of the kubeconfig's context.
    pub fn default_namespace(&self) -> &str {
        self.client.default_namespace()
    }
}

/// Every Lease of the operator's name, in whatever namespace.
pub(super) async fn everywhere(client: &Client) -> Result<Vec<Lease>, kube::Error> {
    rivals::all(client).await
}

/// One of the running operators, which leads when none of the others does.
pub struct Candidate {
    election: LeaderElection,
    rivals: Rivals,
    common: CommonLeases,
    client: Client,
    namespace: String,
    shard: Shard,
    writes: Writes,
    fence: Fence,
}

/// Why a leader does not lead any more.
enum Ending {
    Done,
    GaveWay(Rival),
    Lost,
}

impl Candidate {
    /// Of the operators of a shard. `identity` must be unlike every other candidate's; `fence` is the one that `leases` opens.
    pub fn new(
        leases: Leases,
        namespace: &str,
        identity: &str,
        timings: &Timings,
        shard: &Shard,
        fence: Fence,
    ) -> Self {
        let Leases { client, plain, renewals } = leases;
        let names = Names::of(shard);
        let common = CommonLeases::new(&client, &plain, namespace, &names.common, *timings);
        let own = common.client(plain, &renewals);
        let election = LeaderElection::new(own, namespace, &names.own, identity)
            .with_lease_duration(timings.duration)
            .with_renew_deadline(timings.renew_deadline)
            .with_retry_period(timings.retry_period);
        let rivals = Rivals::new(client.clone(), namespace, *timings);
        let namespace = namespace.to_owned();
        Self {
            election,
            rivals,
            common,
            client,
            namespace,
            shard: shard.clone(),
            writes: renewals.writes,
            fence,
        }
    }

    /// Does `lead` whenever it holds the lease and nobody leads by another one, and `follow` whenever it does not, until
    /// `shutdown`; by then `lead` has to end by itself, and the lease is handed over.
    pub async fn run(
        &mut self,
        shutdown: impl Future<Output = ()> + Clone,
        mut follow: impl FnMut(),
        lead: impl AsyncFn(),
    ) {
        loop {
            follow();
            let (holds, writes) = (Cell::new(false), self.writes.clone());
            let term = self.term(&holds, shutdown.clone(), lead());
            // A follower leaves at once; a leader finishes its work and then releases the lease, and so does who may have
            // become one by a request that is not answered yet.
            let leave = async {
                shutdown.clone().await;
                if holds.get() || writes.are_under_way() {
                    sleep(grace::FOR_BOTH).await;
                }
            };
            let ending = tokio::select! {
                // First, so that a lease which was just acquired is known by the time it is asked whether to leave.
                biased;
                ending = term => ending,
                () = leave => return,
            };
            match ending {
                Ending::Done => return,
                Ending::GaveWay(rival) => {
                    rival.tell("gave way: another operator of this cluster leads by the older Lease of another namespace");
                    // What released the lease was a write to it that succeeded.
                    self.fence.close();
                }
                // It campaigns again instead of ending the process: what Bedrock answered stays known, and nothing of
                // the lost term can go on, since its futures are dropped and the fence holds back what it spawned.
                Ending::Lost => self.fence.close(),
            }
        }
    }

    /// Waits for the lease, does `lead` and releases it.
    async fn term(
        &mut self,
        holds: &Cell<bool>,
        shutdown: impl Future<Output = ()>,
        lead: impl Future<Output = ()>,
    ) -> Ending {
        if self.shard.is_all() {
            tell_of_shards(&self.client, &self.namespace).await;
        }
        let Self { election, rivals, common, fence, .. } = self;
        rivals.stand_by().await;
        common.stand_by().await;
        let ended = election.with_lease(async {
            holds.set(true);
            let ending = preside(rivals, shutdown, lead).await;
            // Before the lease is released: whoever takes it may write at once.
            match ending {
                Ending::Done => fence.seal(),
                Ending::GaveWay(_) | Ending::Lost => fence.close(),
            }
            ending
        });
        let Some(ending) = ended.await else { return Ending::Lost };
        // A renewal that was under way may have overtaken the release.
        election.release().await;
        ending
    }
}

/// Does `lead` once nobody leads by another lease, and gives way to who leads by an older one.
async fn preside(
    rivals: &mut Rivals,
    shutdown: impl Future<Output = ()>,
    lead: impl Future<Output = ()>,
) -> Ending {
    tokio::select! {
        rival = rivals.first_in_line() => if let Some(rival) = rival { return Ending::GaveWay(rival) },
        () = shutdown => return Ending::Done,
    }
    tokio::select! {
        () = lead => Ending::Done,
        rival = rivals.superseded() => Ending::GaveWay(rival),
    }
}

#[cfg(test)]
mod tests;
