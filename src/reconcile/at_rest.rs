use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::decide::Outcome;
use bedrock_iam::scan::ScannedRole;
use bedrock_iam::{Answers, Claim, Questions, Wish, decide, questions_to_owners};
use jiff::Timestamp;

use super::ask::Asker;
use super::manifest::{self, Manifest};
use super::{Context, Uid, is_held, report, status};

/// Whether a look at an object would find nothing to do and nothing to say, if IAM holds what a scan shows: if so, what Bedrock
/// answered. Nothing is written, to nobody.
pub(crate) async fn at_rest(object: &BedrockAccess, cx: &Context, role: &ScannedRole) -> Option<Answers> {
    // Before anything is asked: whoever is not Ready is none, and there may be many.
    let was_ready = object.status.as_ref().is_some_and(report::is_ready);
    if object.metadata.deletion_timestamp.is_some() || !is_held(object) || !was_ready {
        return None;
    }
    let Manifest { claim, wish, pace, ages } = manifest::read(object, cx).ok()?;
    // One that is to be looked at more often than a scan comes, or whose policy is not moved yet, has to be looked at itself.
    let is_moved = claim.former.as_deref().is_none_or(|former| cx.adoption.is_done(former));
    if pace.interval < cx.interval || ages.offers.is_zero() || !is_moved {
        return None;
    }
    if !matches!(wish, Wish::InStep(_)) {
        return None;
    }
    let answers = Asker::of(cx, &claim, Uid::of(object), ages).ask(&wish).await.ok()?;
    let observed = role.observed(&claim);
    let remembered = manifest::recall(object, cx, &claim, &pace);
    let believed = remembered.believed(&observed, &claim);
    let asks_owners =
        |claim: &Claim| !questions_to_owners(claim, believed.policy(&claim.policy()), &answers).is_empty();
    if claim.with_former().any(asks_owners) {
        return None;
    }
    let decision = decide(&wish, &answers, &observed, &remembered, &pace);
    if !decision.is_at_rest() {
        return None;
    }
    let outcome = Outcome::before(&decision);
    let told = status::of(object, cx, &wish, &decision, &outcome, Timestamp::now());
    if !report::is_ready_as_before(object, &told) {
        return None;
    }
    // What an owner withdraws wakes it.
    manifest::rely(object, cx, &claim, &pace, &answers);
    let mut remembered = decision.remembered;
    remembered.told(&decision.plan, &outcome, &decision.believed.role, None);
    cx.memory.store_first(object, remembered);
    cx.metrics.reconciled(report::ending(&told.status));
    Some(answers)
}

/// Whether an object's last look found no role, and was not the first of those after which one may come at any moment.
pub(crate) fn waits_for_its_role(object: &BedrockAccess, cx: &Context) -> bool {
    let has_waited = cx.failures.waited(Uid::of(object)).is_none_or(|waited| waited >= cx.interval / 4);
    has_waited
        && object.metadata.deletion_timestamp.is_none()
        && is_held(object)
        && !manifest::is_news(object)
        && status::had_no_role(object)
}

/// What Bedrock answers to the same questions. What it answered an interval ago is asked anew, though that was later in its interval.
pub(crate) async fn ask_again(cx: &Context, questions: &Questions) -> Answers {
    let (mut answers, max_age) = (Answers::default(), cx.interval / 2);
    Asker::at_most(cx, max_age).send(questions.clone(), &mut answers).await;
    answers
}
