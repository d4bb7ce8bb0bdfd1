//! What the requests about the lease tell: that it was renewed, that it can be read, and that a write is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use tokio::time::Instant;
use tower::{BoxError, Layer, Service};

use crate::fence::Fence;
use crate::health::Health;
use crate::metrics::Metrics;

/// The writes to the lease whose answer is awaited; clones count together.
#[derive(Clone, Default)]
pub(crate) struct Writes(Arc<AtomicUsize>);

/// Until this is dropped, a write is under way.
struct UnderWay(Writes);

impl Writes {
    /// Whether one may have been carried out that nobody here knows of yet.
    pub(super) fn are_under_way(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    fn begin(&self) -> UnderWay {
        self.0.fetch_add(1, Ordering::Relaxed);
        UnderWay(self.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where it is kept what is learned about the lease.
#[derive(Clone, Default)]
pub struct Learned {
    /// Whether the lease can be read.
    pub health: Arc<Health>,
    /// How often it could not be read or written.
    pub metrics: Metrics,
    /// Whether it is held.
    pub fence: Fence,
}

/// Opens the fence when a request that acquires or renews the lease succeeds, for a time that begins before it was sent:
/// the others count from when they see it. Tells health and metrics how the requests end.
#[derive(Clone)]
pub(crate) struct Renewals {
    pub(super) learned: Learned,
    pub(super) open_for: Duration,
    pub(super) next_read: Duration,
    pub(crate) writes: Writes,
}

#[derive(Clone)]
pub(crate) struct Renewing<S> {
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
        let under_way = is_write.then(|| self.renewals.writes.begin());
        let next_read = self.renewals.next_read;
        let (learned, answer) = (self.renewals.learned.clone(), self.inner.call(request));
        async move {
            let _under_way = under_way;
            let answer = answer.await.map_err(Into::into);
            match answer.as_ref().map(Response::status) {
                Ok(status) if is_write && status.is_success() => learned.fence.open_until(deadline),
                // Another one wrote at the same time.
                Ok(StatusCode::CONFLICT) => {}
                // There may be none yet.
                Ok(status) if !is_write && (status.is_success() || status == StatusCode::NOT_FOUND) => {
                    learned.health.lease_read(next_read);
                }
                Ok(_) | Err(_) => learned.metrics.lease_failed(),
            }
            answer
        }
        .boxed()
    }
}
