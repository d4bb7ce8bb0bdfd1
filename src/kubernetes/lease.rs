//! One leader among all running operators, by a Lease object.

use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use k8s_controller::LeaderElection;
use kube::Client;
use tokio::time::{Instant, sleep};
use tower::{BoxError, Layer, Service};

use crate::fence::Fence;

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
        Renewals { fence: fence.clone(), open_for: self.renew_deadline }
    }
}

/// One of the running operators, which leads when none of the others does.
pub struct Candidate {
    election: LeaderElection,
    fence: Fence,
}

impl Candidate {
    /// `leases` is the client whose renewals open `fence`; `identity` must be unlike every other candidate's.
    pub fn new(leases: Client, namespace: &str, identity: &str, timings: &Timings, fence: Fence) -> Self {
        let election = LeaderElection::new(leases, namespace, NAME, identity)
            .with_lease_duration(timings.duration)
            .with_renew_deadline(timings.renew_deadline)
            .with_retry_period(timings.retry_period);
        Self { election, fence }
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
            let term = self.election.with_lease(async {
                lead().await;
                // Before the lease is released: whoever takes it may write at once.
                self.fence.seal();
            });
            // A follower leaves at once, a leader finishes its work before it releases the lease.
            let leave = async {
                shutdown.clone().await;
                if self.fence.check().is_ok() {
                    sleep(TIME_TO_LEAVE).await;
                }
            };
            tokio::select! {
                () = leave => return,
                ended = term => match ended {
                    Some(()) => return,
                    // It campaigns again instead of ending the process: what Bedrock answered stays known, and nothing of
                    // the lost term can go on, since its futures are dropped and the fence holds back what it spawned.
                    None => self.fence.close(),
                }
            }
        }
    }
}

/// Opens the fence when a request that acquires or renews the lease succeeds, for a time that begins before it was sent:
/// the others count from when they see it.
#[derive(Clone)]
pub(super) struct Renewals {
    fence: Fence,
    open_for: Duration,
}

#[derive(Clone)]
pub(super) struct Renewing<S> {
    inner: S,
    renewals: Renewals,
}

impl<S> Layer<S> for Renewals {
    type Service = Renewing<S>;

    fn layer(&self, inner: S) -> Renewing<S> {
        Renewing { inner, renewals: self.clone() }
    }
}

impl<S, B, A> Service<Request<B>> for Renewing<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<A>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<A>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_write = matches!(*request.method(), Method::POST | Method::PUT);
        let deadline = Instant::now() + self.renewals.open_for;
        let (fence, answer) = (self.renewals.fence.clone(), self.inner.call(request));
        async move {
            let answer = answer.await.map_err(Into::into)?;
            if is_write && answer.status().is_success() {
                fence.open_until(deadline);
            }
            Ok(answer)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests;
