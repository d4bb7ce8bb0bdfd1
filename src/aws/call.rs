use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::meta::region::RegionProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use bedrock_iam::Fault;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::error::{self, Operation};
use super::strain::Strain;
use crate::fence::Fence;
use crate::metrics::Metrics;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);
const ATTEMPTS: u32 = 3;

/// Through which every call to one AWS service in one Region goes; clones share the rate limit and what was learnt.
#[derive(Clone)]
pub struct Caller {
    limit: Arc<DefaultDirectRateLimiter>,
    strain: Arc<Strain>,
    metrics: Metrics,
}

impl Caller {
    /// A caller with its own rate limit.
    pub fn new(requests_per_second: NonZeroU32, metrics: Metrics) -> Self {
        let limit = Arc::new(RateLimiter::direct(Quota::per_second(requests_per_second)));
        Self { limit, strain: Arc::default(), metrics }
    }

    /// Makes the call once the rate limit allows it, and turns a failure into a class with a stable message.
    pub(super) fn call<T, E>(
        &self,
        operation: Operation,
        subject: &str,
        request: impl Future<Output = Result<T, SdkError<E>>> + Send,
    ) -> impl Future<Output = Result<T, Fault>> + Send
    where
        T: Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        // The SDK's futures take some 20 kB each; boxed, they do not swell every future around them.
        let request = Box::pin(request);
        self.measured(operation, subject, async move {
            request.await.map_err(|source| error::fault(operation, subject, &source))
        })
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
        T: Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let request = Box::pin(request);
        self.measured(operation, subject, async move {
            match fence.guard(request).await {
                Ok(result) => result.map_err(|source| error::fault(operation, subject, &source)),
                Err(closed) => Err(error::given_up(operation, subject, closed)),
            }
        })
    }

    async fn measured<T: Send>(
        &self,
        operation: Operation,
        subject: &str,
        request: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        let Ok(admitted) = self.strain.admit().await else {
            return Err(error::spared(operation, subject));
        };
        self.limit.until_ready().await;
        let started = Instant::now();
        let result = request.await;
        let failure = result.as_ref().err().map(|fault| fault.class);
        self.strain.learn(admitted, failure);
        self.metrics.called(operation.service, operation.name, failure, started.elapsed());
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
