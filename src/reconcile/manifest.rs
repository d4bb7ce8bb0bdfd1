use std::time::Duration;

use bedrock_access_api::annotations::{ACCEPT_SHRINK, RECONCILE_AT};
use bedrock_access_api::parse;
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::decide::{Pace, Remembered};
use bedrock_iam::orphan::ObjectName;
use bedrock_iam::{Answers, Claim, Finding, Intent, Wish};
use kube::ResourceExt;

use super::ask::Ages;
use super::owners::{self, Reliant};
use super::{Context, Uid, status};

/// What an object comes to before anything is asked.
pub(super) struct Manifest {
    pub(super) claim: Claim,
    pub(super) wish: Wish,
    pub(super) pace: Pace,
    /// No cached answer older than this decides anything.
    pub(super) ages: Ages,
}

/// Parses the manifest. The error is of an object with which nothing can be begun.
pub(super) fn read(object: &BedrockAccess, cx: &Context) -> Result<Manifest, Finding> {
    let claim = parse::claim(object, &cx.settings)?;
    let (wish, interval) = match intent(object, cx) {
        Ok((_, interval)) if object.spec.suspend => (as_is(&claim, None), interval),
        Ok((intent, interval)) => (Wish::InStep(Box::new(intent)), interval),
        Err(finding) => (as_is(&claim, Some(finding)), cx.interval),
    };
    let pace = cx.memory.pace(interval.min(cx.interval));
    let ages = if is_asked_for(object) { Ages::default() } else { ages(object, cx, interval) };
    Ok(Manifest { claim, wish, pace, ages })
}

/// A refusal is asked about again at each look, since somebody may wait for it to end: it is shared with others that look at about the
/// same time, and with nobody who has just changed the object.
fn ages(object: &BedrockAccess, cx: &Context, interval: Duration) -> Ages {
    let given = owners::good_for(interval.min(cx.interval));
    let waited = cx.failures.waited(Uid::of(object));
    let refused =
        if is_news(object) { Duration::ZERO } else { waited.map_or(given / 10, |waited| waited / 2) };
    Ages { offers: interval, given, refused: refused.min(given) }
}

/// Whether the object is new, or a person changed it or asks for a look, and nobody was told anything since.
pub(super) fn is_news(object: &BedrockAccess) -> bool {
    let handled = object.status.as_ref().and_then(|status| status.observed_generation);
    handled.is_none() || handled != object.metadata.generation || is_asked_for(object)
}

/// The object goes by what owners answered, and hears of it when they say something else.
pub(super) fn rely(object: &BedrockAccess, cx: &Context, claim: &Claim, pace: &Pace, answers: &Answers) {
    let name = ObjectName { namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
    let reliant = Reliant { name, tenant: claim.tenant.clone(), interval: pace.interval };
    cx.owners.rely(Uid::of(object), reliant, &cx.settings.account, answers);
}

fn intent(object: &BedrockAccess, cx: &Context) -> Result<(Intent, Duration), Finding> {
    let interval = parse::interval(object)?.unwrap_or(cx.interval);
    let mut intent = parse::intent(object, &cx.settings)?;
    let remembered = cx.memory.recall(object, &cx.memory.pace(interval));
    let accepted = object.annotations().get(ACCEPT_SHRINK);
    if accepted.is_some_and(|accepted| remembered.has_settled(accepted)) {
        intent.accepted_shrink = None;
    }
    Ok((intent, interval))
}

/// The policy is to stay as it is, but for what its owners withdrew.
pub(super) fn as_is(claim: &Claim, finding: Option<Finding>) -> Wish {
    Wish::AsIs(claim.clone(), finding)
}

/// What is remembered of the object, by this process and in its status.
pub(super) fn recall(object: &BedrockAccess, cx: &Context, claim: &Claim, pace: &Pace) -> Remembered {
    let remembered = cx.memory.recall(object, pace);
    let remembered = if is_asked_for(object) { remembered.anew() } else { remembered };
    remembered.reporting(&claim.policy(), status::written(object, claim))
}

/// Whether a person asks, by a new `reconcile-at`, for a reconcile that believes nothing but what AWS shows now.
fn is_asked_for(object: &BedrockAccess) -> bool {
    let handled = object.status.as_ref().and_then(|status| status.last_handled_reconcile_at.as_ref());
    let asked = object.annotations().get(RECONCILE_AT);
    asked.is_some() && asked != handled
}
