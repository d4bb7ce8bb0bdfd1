use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bedrock_iam::answer::unanswered;
use bedrock_iam::consent::{Consent, Tenant};
use bedrock_iam::{
    Answer, Answers, Claim, Fault, Finding, GuardrailArn, PolicyState, Questions, Region, Tags, Target, Wish,
    next_questions, questions_to_owners,
};
use futures::stream::FuturesUnordered;
use futures::{StreamExt, stream};

use super::owners::{Due, Owned};
use super::{Context, Uid};
use crate::aws::{MaxAge, Tagged};
use crate::fairness::{Urgency, behalf};

/// Questions of one object that are under way at once; the rate limit is Bedrock's own concern.
const CONCURRENT_QUESTIONS: usize = 32;

/// For all questions that are asked together. What is unanswered by then counts as unavailable, so that a Region that hangs
/// cannot keep the other answers from being used.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// For whom Bedrock is asked, and what an answer may be that was given before.
pub(crate) struct Asker<'a> {
    cx: &'a Context,
    /// Whose consent is asked for, and by which object.
    behalf: Option<(&'a Tenant, Uid)>,
    ages: Ages,
}

/// How old answers may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ages {
    /// What Bedrock offers.
    pub(super) offers: MaxAge,
    /// Of an owner that consents.
    pub(super) given: MaxAge,
    /// Of an owner that does not, or that is not there.
    pub(super) refused: MaxAge,
}

impl<'a> Asker<'a> {
    /// Every question is asked anew.
    pub(crate) fn anew(cx: &'a Context) -> Self {
        Self { cx, behalf: None, ages: Ages::default() }
    }

    /// On behalf of nobody: no answer is older than this.
    pub(super) fn at_most(cx: &'a Context, max_age: MaxAge) -> Self {
        Self { cx, behalf: None, ages: Ages { offers: max_age, given: max_age, refused: max_age } }
    }

    /// On behalf of an object.
    pub(super) fn of(cx: &'a Context, claim: &'a Claim, uid: Uid, ages: Ages) -> Self {
        Self { cx, behalf: Some((&claim.tenant, uid)), ages }
    }

    /// Asks until the answers suffice to decide by; nothing about an object that is not kept in step.
    pub(super) async fn ask(&self, wish: &Wish) -> Result<Answers, Finding> {
        let mut answers = Answers::default();
        let Wish::InStep(intent) = wish else { return Ok(answers) };
        loop {
            let questions = next_questions(intent, &answers)?;
            if questions.is_empty() {
                return Ok(answers);
            }
            self.send(questions, &mut answers).await;
        }
    }

    /// Asks by whose consent the role holds what belongs to the account, where that was not asked yet.
    pub(crate) async fn ask_owners(&self, claim: &Claim, policy: &PolicyState, answers: &mut Answers) {
        self.send(questions_to_owners(claim, policy, answers), answers).await;
    }

    /// Sends the questions together.
    pub(super) async fn send(&self, questions: Questions, answers: &mut Answers) {
        let Questions { profiles, on_demand, targets, tags, guardrails } = questions;
        let (bedrock, account, max_age) = (&self.cx.bedrock, &self.cx.settings.account, self.ages.offers);
        let (profiles, on_demand, targets, tags, guardrails) =
            futures::join!(
                each(profiles, Err, |source: Region| async move {
                    bedrock.system_profiles(&source, max_age).await
                }),
                each(on_demand, Err, |source: Region| async move {
                    bedrock.on_demand_models(&source, max_age).await
                }),
                each(targets, Answer::Fault, |target: Target| async move {
                    bedrock.answer(&target, max_age).await
                }),
                each(tags, Err, |target: Target| async move {
                    match Owned::of_target(&target, account) {
                        Some(owned) => self.tags(&owned).await,
                        None => Ok(Tags::new()),
                    }
                }),
                each(guardrails, Err, |arn: GuardrailArn| async move {
                    self.tags(&Owned::of_guardrail(&arn)).await
                }),
            );
        answers.profiles.extend(profiles);
        answers.on_demand.extend(on_demand);
        answers.targets.extend(targets);
        answers.tags.extend(tags);
        answers.guardrails.extend(guardrails);
    }

    async fn tags(&self, owned: &Owned) -> Tagged {
        let Ages { given, refused, .. } = self.ages;
        let tenant = self.behalf.map(|(tenant, _)| tenant.clone());
        let max_age = move |tags: &Tagged| match (tags, &tenant) {
            (Ok(tags), Some(tenant)) if tenant.consent(tags) == Consent::Given => given,
            (_, Some(_)) => refused,
            (_, None) => given,
        };
        let (owners, learnt) = (self.cx.owners.clone(), owned.clone());
        let asker = self.behalf.map(|(_, uid)| uid);
        let learn = move |tags: &Tagged| owners.learn(&learnt, tags, asker);
        self.cx.bedrock.tags(&owned.region, &owned.arn, max_age, learn).await
    }
}

/// Asks an owner again who said something so long ago that a withdrawal would come too late: once, as soon as one of the namespaces
/// has its turn.
pub(crate) async fn ask_owner_again(cx: &Context, question: &Due) {
    let ask = |namespace: &String| {
        let work = async { Asker::at_most(cx, question.max_age).tags(&question.owned).await };
        behalf::of(Arc::from(namespace.as_str()), Urgency::Routine, work)
    };
    let mut asked: FuturesUnordered<_> = question.namespaces.iter().map(ask).collect();
    // What it says now is learnt by all, and what stands against asking is told to those who look.
    drop(asked.next().await);
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
