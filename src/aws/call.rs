//! How every call to AWS is made: at a bounded rate, through a circuit breaker, counted.

use std::num::NonZeroU32;
use std::sync::Arc;

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use bedrock_iam::Fault;
use futures::FutureExt;
use tokio::time::Instant;

use super::breaker::Breaker;
use super::error;
use super::operations::Operation;
use super::pace::Pace;
use crate::fence::{Closed, Fence};
use crate::metrics::Metrics;

/// Sends the calls to one AWS service in one Region, within its rate limit and through its circuit breaker, and counts them.
/// Clones share both.
#[derive(Clone)]
pub struct Caller {
    pace: Arc<Pace>,
    breaker: Arc<Breaker>,
    metrics: Metrics,
}

impl Caller {
    /// A caller with its own rate limit.
    pub fn new(requests_per_second: NonZeroU32, metrics: Metrics) -> Self {
        Self { pace: Arc::new(Pace::new(requests_per_second)), breaker: Arc::default(), metrics }
    }

    /// Makes the call once the rate limit allows it, and turns a failure into a class with a stable message.
    pub(super) fn call<T, E>(
        &self,
        operation: Operation,
        subject: &str,
        request: impl Future<Output = Result<T, SdkError<E>>> + Send,
    ) -> impl Future<Output = Result<T, Fault>> + Send
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.send(operation, subject, Box::pin(request.map(Ok)))
    }

    /// Like [`Caller::call`], for a call that changes something: no attempt is sent once `fence` is closed.
    pub(super) fn write<T, E>(
        &self,
        fence: &Fence,
        operation: Operation,
        subject: &str,
        request: impl Future<Output = Result<T, SdkError<E>>> + Send,
    ) -> impl Future<Output = Result<T, Fault>> + Send
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.send(operation, subject, Box::pin(fence.guard(request)))
    }

    /// `request` is boxed: the SDK's futures take some 20 kB each, and would swell every future around them.
    async fn send<T, E>(
        &self,
        operation: Operation,
        subject: &str,
        request: impl Future<Output = Result<Result<T, SdkError<E>>, Closed>> + Send,
    ) -> Result<T, Fault>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let Ok(admitted) = self.breaker.admit().await else {
            return Err(error::not_sent(operation, subject));
        };
        self.pace.until_ready().await;
        let started = Instant::now();
        let result = match request.await {
            Ok(answer) => answer.map_err(|source| error::fault(operation, subject, &source)),
            Err(closed) => Err(error::given_up(operation, subject, closed)),
        };
        let failure = result.as_ref().err().map(|fault| fault.class);
        self.breaker.record(admitted, failure);
        self.metrics.called(operation.service(), operation.name(), failure, started.elapsed());
        result
    }
}
