//! How every call to AWS is made: at a bounded rate and in turns, through a circuit breaker, counted.

use std::num::NonZeroU32;
use std::sync::Arc;

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use bedrock_iam::Fault;
use futures::FutureExt;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::breaker::{Breaker, Open};
use super::error;
use super::operations::Operation;
use super::pace::{Pace, Permit};
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

/// The right to make one call now; it goes to the next in line if none is made.
pub(super) struct Turn {
    caller: Caller,
    permit: Result<Permit, Open>,
}

impl Caller {
    /// A caller with its own rate limit.
    pub fn new(requests_per_second: NonZeroU32, metrics: Metrics) -> Self {
        Self { pace: Arc::new(Pace::new(requests_per_second)), breaker: Arc::default(), metrics }
    }

    /// Waits until the rate limit allows one more call; not at all while the service does not answer.
    pub(super) async fn turn(&self) -> Turn {
        let permit = match self.breaker.admit().await {
            Ok(()) => Ok(self.pace.permit().await),
            Err(open) => Err(open),
        };
        Turn { caller: self.clone(), permit }
    }

    /// The same, but not at all while the service is stalled either.
    pub(super) async fn turn_unless_stalled(&self) -> Turn {
        if self.breaker.is_stalled() {
            return Turn { caller: self.clone(), permit: Err(Open) };
        }
        self.turn().await
    }

    /// Waits for an answer no longer than until the service stalls. Then what is under way goes on without anybody who waits, so that
    /// whoever asks later finds the answer, and the service is known to be back: so many at once as `late` allows.
    pub(super) async fn unless_stalled<T: Send + 'static>(
        &self,
        late: &Arc<Semaphore>,
        operation: Operation,
        subject: &str,
        work: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Fault> {
        let mut work = Box::pin(work);
        tokio::select! {
            biased;
            answer = &mut work => answer,
            () = self.breaker.stalled() => {
                if let Ok(place) = Arc::clone(late).try_acquire_owned() {
                    tokio::spawn(async move {
                        drop(work.await);
                        drop(place);
                    });
                }
                Err(error::not_sent(operation, subject))
            }
        }
    }

    /// What learns of the service's answers.
    pub(super) fn breaker(&self) -> Arc<Breaker> {
        Arc::clone(&self.breaker)
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
        let request = Box::pin(request);
        async move { self.turn().await.call(operation, subject, request).await }
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
        let request = Box::pin(fence.guard(request));
        async move { self.turn().await.send(operation, subject, request).await }
    }
}

impl Turn {
    /// Makes the call, and turns a failure into a class with a stable message.
    pub(super) fn call<T, E>(
        self,
        operation: Operation,
        subject: &str,
        request: impl Future<Output = Result<T, SdkError<E>>> + Send,
    ) -> impl Future<Output = Result<T, Fault>> + Send
    where
        T: Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.send(operation, subject, Box::pin(request.map(Ok)))
    }

    /// `request` is boxed: the SDK's futures take some 20 kB each, and would swell every future around them.
    async fn send<T, E>(
        self,
        operation: Operation,
        subject: &str,
        mut request: impl Future<Output = Result<Result<T, SdkError<E>>, Closed>> + Send + Unpin,
    ) -> Result<T, Fault>
    where
        T: Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let Self { caller: Caller { breaker, metrics, .. }, permit } = self;
        let Ok(permit) = permit else { return Err(error::not_sent(operation, subject)) };
        // While it stood in line, others may have found that the service does not answer.
        let Ok(mut begun) = breaker.begin() else { return Err(error::not_sent(operation, subject)) };
        permit.spend();
        let started = Instant::now();
        let result = tokio::select! {
            biased;
            answer = &mut request => match answer {
                Ok(answer) => answer.map_err(|source| error::fault(operation, subject, &source)),
                Err(closed) => Err(error::given_up(operation, subject, closed)),
            },
            () = breaker.hangs(&mut begun) => Err(error::not_answered(operation, subject)),
        };
        let failure = result.as_ref().err().map(|fault| fault.class);
        breaker.record(begun, failure);
        metrics.called(operation.service(), operation.name(), failure, started.elapsed());
        result
    }
}
