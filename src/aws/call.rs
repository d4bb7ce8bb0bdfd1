//! How every call to AWS is made: with time limits, at a bounded rate, through a circuit breaker, counted.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
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

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);
const ATTEMPTS: u32 = 3;

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

/// Credentials and Region by the SDK's standard chain. IAM and STS answer in every Region; Bedrock's clients name theirs.
pub fn default_loader() -> ConfigLoader {
    let region = RegionProviderChain::default_provider().or_else("us-east-1");
    aws_config::defaults(BehaviorVersion::latest()).region(region)
}

/// Completes a loader: a time limit on everything, and few retries, since every object is tried again anyway.
pub async fn sdk_config(loader: ConfigLoader) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    loader.timeout_config(timeouts).retry_config(retries).load().await
}
