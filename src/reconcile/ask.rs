use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bedrock_iam::answer::unanswered;
use bedrock_iam::{
    Account, Answer, Answers, Claim, Fault, Finding, GuardrailArn, PolicyState, Questions, Region, Tags,
    Target, Wish, next_questions, questions_to_owners,
};
use futures::{StreamExt, stream};

use crate::aws::{Bedrock, MaxAge};

/// Questions of one object that are under way at once; the rate limit is Bedrock's own concern.
const CONCURRENT_QUESTIONS: usize = 8;

/// For all questions that are asked together. What is unanswered by then counts as unavailable, so that a Region that hangs
/// cannot keep the other answers from being used.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Asks Bedrock until the answers suffice to decide by; nothing about an object that is not kept in step.
pub(super) async fn ask(bedrock: &Bedrock, wish: &Wish, max_age: MaxAge) -> Result<Answers, Finding> {
    let mut answers = Answers::default();
    let Wish::InStep(intent) = wish else { return Ok(answers) };
    loop {
        let questions = next_questions(intent, &answers)?;
        if questions.is_empty() {
            return Ok(answers);
        }
        send(bedrock, &intent.claim.account, questions, max_age, &mut answers).await;
    }
}

/// Asks by whose consent the role holds what belongs to the account, where that was not asked yet.
pub(crate) async fn ask_owners(
    bedrock: &Bedrock,
    claim: &Claim,
    policy: &PolicyState,
    answers: &mut Answers,
) {
    let questions = questions_to_owners(claim, policy, answers);
    send(bedrock, &claim.account, questions, MaxAge::ZERO, answers).await;
}

/// Sends the questions together. Consent is asked anew every time, since it may be withdrawn at any.
pub(super) async fn send(
    bedrock: &Bedrock,
    account: &Account,
    questions: Questions,
    max_age: MaxAge,
    answers: &mut Answers,
) {
    let Questions { profiles, on_demand, targets, tags, guardrails } = questions;
    let (profiles, on_demand, targets, tags, guardrails) = futures::join!(
        each(profiles, Err, |source: Region| async move { bedrock.system_profiles(&source, max_age).await }),
        each(
            on_demand,
            Err,
            |source: Region| async move { bedrock.on_demand_models(&source, max_age).await }
        ),
        each(targets, Answer::Fault, |target: Target| async move { bedrock.answer(&target, max_age).await }),
        each(tags, Err, |target: Target| async move { tags_of(bedrock, account, &target).await }),
        each(guardrails, Err, |arn: GuardrailArn| async move {
            bedrock.tags(&arn.region, &arn.to_string()).await
        }),
    );
    answers.profiles.extend(profiles);
    answers.on_demand.extend(on_demand);
    answers.targets.extend(targets);
    answers.tags.extend(tags);
    answers.guardrails.extend(guardrails);
}

async fn tags_of(bedrock: &Bedrock, account: &Account, target: &Target) -> Result<Tags, Fault> {
    match target.owned(account) {
        Some(arn) => bedrock.tags(target.source(), &arn).await,
        None => Ok(Tags::new()),
    }
}

/// An answer for every question: those that come in time, and a fault for the others.
async fn each<Q, A, F>(
    questions: BTreeSet<Q>,
    otherwise: impl Fn(Fault) -> A,
    ask: impl Fn(Q) -> F,
) -> BTreeMap<Q, A>
where
    Q: Ord + Clone,
    F: Future<Output = A>,
{
    let mut answers: BTreeMap<Q, A> = stream::iter(questions.iter().cloned())
        .map(|question| {
            let answer = ask(question.clone());
            async move { (question, answer.await) }
        })
        .buffer_unordered(CONCURRENT_QUESTIONS)
        .take_until(tokio::time::sleep(TIME_LIMIT))
        .collect()
        .await;
    for question in questions {
        answers.entry(question).or_insert_with(|| otherwise(unanswered()));
    }
    answers
}
