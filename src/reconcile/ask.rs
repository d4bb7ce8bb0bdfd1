use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bedrock_iam::consent::Policy as ConsentPolicy;
use bedrock_iam::{
    Account, Answers, Claim, Family, Fault, Finding, GuardrailArn, Held, History, Intent, PolicyState,
    Region, Tags, Target, size,
};
use futures::{StreamExt, stream};

use crate::aws::{Bedrock, MaxAge};

/// Questions of one object that are under way at once; the rate limit is Bedrock's own concern.
const CONCURRENT_QUESTIONS: usize = 8;

/// For all questions of one kind together. What is unanswered by then counts as unavailable, so that a Region that hangs
/// cannot keep the other answers from being used.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Asks Bedrock what the families hold, then about every target, for the consent of those that belong to the account, and
/// where an answer is a refusal, what else there is.
pub(super) async fn ask(
    bedrock: &Bedrock,
    account: &Account,
    intent: &Intent,
    max_age: MaxAge,
) -> Result<Answers, Finding> {
    let mut answers = Answers::default();
    let (of_profiles, of_models): (Vec<&Family>, Vec<&Family>) =
        intent.families.iter().partition(|family| matches!(family, Family::Profiles { .. }));
    let models = |source| async move { bedrock.on_demand_models(&source, max_age).await };
    let profiles = |source| async move { bedrock.system_profiles(&source, max_age).await };
    answers.on_demand = each(sources(of_models), models).await;
    answers.profiles = each(sources(of_profiles), profiles).await;

    let members = intent.families.iter().filter_map(|family| family.members(&answers).ok());
    let targets: BTreeSet<Target> = members.flatten().chain(intent.targets.iter().cloned()).collect();
    if let Some(finding) = size::cannot_fit(&targets) {
        return Err(finding);
    }
    let guardrails = intent.terms.owned_guardrails(account);
    (answers.targets, answers.tags, answers.guardrails) = futures::join!(
        each(targets.clone(), |target| async move { bedrock.answer(&target, max_age).await }),
        consents(bedrock, account, &intent.claim, targets),
        guardrail_consents(bedrock, &intent.claim, guardrails)
    );

    let refused = answers.targets.iter().filter(|(target, answer)| answer.asks_for_alternatives(target));
    let refused: BTreeSet<Region> = refused.map(|(target, _)| target.source().clone()).collect();
    let unlisted = refused.into_iter().filter(|source| !answers.profiles.contains_key(source)).collect();
    answers.profiles.extend(each(unlisted, profiles).await);
    Ok(answers)
}

/// Asks by whose consent the role holds what belongs to the account, where that was not asked yet.
pub(crate) async fn ask_owners(
    bedrock: &Bedrock,
    account: &Account,
    claim: &Claim,
    policy: &PolicyState,
    answers: &mut Answers,
) {
    let held = Held::read(policy, &History::default());
    let unasked = held.targets().filter(|target| !answers.tags.contains_key(target)).collect();
    answers.tags.extend(consents(bedrock, account, claim, unasked).await);
    let is_unasked =
        |guardrail: &&GuardrailArn| guardrail.is_of(account) && !answers.guardrails.contains_key(guardrail);
    let unasked = held.guardrails().iter().filter(is_unasked).cloned().collect();
    answers.guardrails.extend(guardrail_consents(bedrock, claim, unasked).await);
}

async fn guardrail_consents(
    bedrock: &Bedrock,
    claim: &Claim,
    mut guardrails: BTreeSet<GuardrailArn>,
) -> BTreeMap<GuardrailArn, Result<Tags, Fault>> {
    guardrails.retain(|_| claim.applicant.policy != ConsentPolicy::None);
    let tags = |arn: GuardrailArn| async move { bedrock.tags(&arn.region, &arn.to_string()).await };
    each(guardrails, tags).await
}

/// The tags of the targets that belong to the account; asked anew every time, since consent may be withdrawn at any.
async fn consents(
    bedrock: &Bedrock,
    account: &Account,
    claim: &Claim,
    mut targets: BTreeSet<Target>,
) -> BTreeMap<Target, Result<Tags, Fault>> {
    targets.retain(|_| claim.applicant.policy != ConsentPolicy::None);
    let owned = targets.into_iter().filter_map(|target| Some((target.owned(account)?, target)));
    let tags = |(arn, target): (String, Target)| async move { bedrock.tags(target.source(), &arn).await };
    each(owned.collect(), tags).await.into_iter().map(|((_, target), tags)| (target, tags)).collect()
}

fn sources(families: Vec<&Family>) -> BTreeSet<Region> {
    families.into_iter().map(|family| family.source().clone()).collect()
}

/// The answers that come in time.
async fn each<Q, A, F>(questions: BTreeSet<Q>, ask: impl Fn(Q) -> F) -> BTreeMap<Q, A>
where
    Q: Ord + Clone,
    F: Future<Output = A>,
{
    stream::iter(questions)
        .map(|question| {
            let answer = ask(question.clone());
            async move { (question, answer.await) }
        })
        .buffer_unordered(CONCURRENT_QUESTIONS)
        .take_until(tokio::time::sleep(TIME_LIMIT))
        .collect()
        .await
}
