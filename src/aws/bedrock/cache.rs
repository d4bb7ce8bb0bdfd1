//! Answers that objects share for a while: whoever asks for the same at the same time shares one request.
//!
//! There is no expiry, which would go by another clock: whoever asks says how old an answer may be.

use std::hash::Hash;

use bedrock_iam::Fault;
use moka::future::Cache;
use tokio::time::Instant;

use super::MaxAge;

/// More answers than one account can have profiles and models in all Regions.
const CACHED_ANSWERS: u64 = 20_000;

/// The last answer to each question; a failure is asked again by the next.
pub(super) struct Shared<K, T>(Cache<K, Dated<T>>);

#[derive(Clone)]
struct Dated<T> {
    asked: Instant,
    answer: Result<T, Fault>,
}

impl<K: Hash + Eq + Send + Sync + Clone + 'static, T: Clone + Send + Sync + 'static> Shared<K, T> {
    pub(super) fn new() -> Self {
        Self(Cache::new(CACHED_ANSWERS))
    }

    /// The answer to a question, at most `max_age` old.
    pub(super) async fn at_most(
        &self,
        max_age: MaxAge,
        question: &K,
        ask: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let ask = async { Dated { asked: Instant::now(), answer: ask.await } };
        let is_stale = |dated: &Dated<T>| dated.answer.is_err() || dated.asked.elapsed() >= max_age;
        self.0.entry_by_ref(question).or_insert_with_if(ask, is_stale).await.into_value().answer
    }
}
