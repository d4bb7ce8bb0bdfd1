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
#[derive(Clone)]
pub(super) struct Shared<K: Hash + Eq, T>(Cache<K, Dated<T>>);

#[derive(Clone)]
struct Dated<T> {
    asked: Instant,
    answer: Result<T, Fault>,
}

impl<K: Hash + Eq + Send + Sync + Clone + 'static, T: Clone + Send + Sync + 'static> Shared<K, T> {
    pub(super) fn new() -> Self {
        Self(Cache::new(CACHED_ANSWERS))
    }

    pub(super) fn forget_all(&self) {
        self.0.invalidate_all();
    }

    /// The answer to a question, as old as that very answer may be. Who has none waits for a `turn` first, and only then for others
    /// that ask the same: so nobody waits for the turn of a less urgent one.
    pub(super) async fn at_most<Turn, Ask>(
        &self,
        max_age: impl Fn(&T) -> MaxAge + Send + Sync,
        question: &K,
        turn: impl Future<Output = Turn>,
        ask: impl FnOnce(Turn) -> Ask,
    ) -> Result<T, Fault>
    where
        Ask: Future<Output = Result<T, Fault>>,
    {
        let is_stale = |dated: &Dated<T>| {
            dated.answer.as_ref().map_or(true, |answer| dated.asked.elapsed() >= max_age(answer))
        };
        if let Some(dated) = self.0.get(question).await.filter(|dated| !is_stale(dated)) {
            return dated.answer;
        }
        let turn = turn.await;
        let ask = async { Dated { asked: Instant::now(), answer: ask(turn).await } };
        self.0.entry_by_ref(question).or_insert_with_if(ask, is_stale).await.into_value().answer
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use futures::future::join_all;

    use super::*;
    use crate::aws::pace::{Pace, Permit};
    use crate::fairness::{Urgency, behalf};

    #[tokio::test(start_paused = true)]
    async fn who_asks_what_another_waits_to_ask_does_not_wait_for_the_others_turn() {
        let pace = Arc::new(Pace::new(NonZeroU32::new(10).unwrap()));
        let (shared, asked) = (Shared::new(), AtomicU32::new(0));
        let ask = |question: u32, tenant: &'static str| {
            let (pace, shared, asked) = (&pace, &shared, &asked);
            let answer = move |permit: Permit| async move {
                permit.spend();
                asked.fetch_add(1, Ordering::Relaxed);
                Ok(question)
            };
            behalf::of(Arc::from(tenant), Urgency::Routine, async move {
                shared.at_most(|_| MaxAge::MAX, &question, pace.permit(), answer).await
            })
        };
        let begun = Instant::now();
        let flood = join_all((0..100).map(|question| ask(question, "flood")));
        let calm = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(ask(99, "calm").await.unwrap(), 99);
            begun.elapsed()
        };
        let (_, calm) = futures::join!(flood, calm);
        assert!(calm < Duration::from_millis(1500), "{calm:?}");
        assert_eq!(asked.into_inner(), 100, "each question was asked once");
    }
}
