use std::collections::BTreeSet;

use bedrock_iam::{Answers, Intent, Region};
use futures::{StreamExt, future, stream};

use crate::aws::{Bedrock, MaxAge};

/// Questions of one object that are under way at once; the rate limit is Bedrock's own concern.
const CONCURRENT_QUESTIONS: usize = 8;

/// Asks Bedrock about every target, and where an answer is a refusal, what else there is in that source Region.
pub(super) async fn ask(bedrock: &Bedrock, intent: &Intent, max_age: MaxAge) -> Answers {
    let targets = stream::iter(intent.targets.iter().cloned())
        .map(|target| async move {
            let answer = bedrock.answer(&target, max_age).await;
            (target, answer)
        })
        .buffer_unordered(CONCURRENT_QUESTIONS)
        .collect()
        .await;
    let mut answers = Answers { targets, ..Answers::default() };
    let refused: BTreeSet<Region> = answers
        .targets
        .iter()
        .filter(|(_, answer)| answer.asks_for_alternatives())
        .map(|(target, _)| target.source().clone())
        .collect();
    // A list that cannot be had only makes a message less helpful.
    answers.listed = stream::iter(refused)
        .map(|source| async move {
            let listed = bedrock.system_profiles(&source, max_age).await;
            listed.ok().map(|listed| (source, listed))
        })
        .buffer_unordered(CONCURRENT_QUESTIONS)
        .filter_map(future::ready)
        .collect()
        .await;
    answers
}
