//! What an object is told: a pure function of what was decided, what became of it, and the time.

mod messages;
mod policies;
mod transitions;

use bedrock_access_api::annotations::{ACCEPT_SHRINK, RECONCILE_AT};
use bedrock_access_api::v1alpha1::{BedrockAccess, BedrockAccessStatus, RoleStatus};
use bedrock_iam::conditions;
use bedrock_iam::consent::Consent;
use bedrock_iam::decide::{Change, Outcome};
use bedrock_iam::{Claim, Decision, Finding, Intent, PolicyState, Reason, RoleState, Step, Wish};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;

use super::{Context, outage};
pub(crate) use messages::counted;
use messages::success;
pub(super) use policies::written;
use policies::{not_offered, set_policy};
use transitions::{condition, set_conditions};

/// Combinations that are listed: families, scopes and source Regions can be multiplied to thousands.
const MOST_NOT_OFFERED: usize = 100;

/// A status, and when to look again.
pub(super) struct NewStatus {
    pub(super) status: BedrockAccessStatus,
    pub(super) next: conditions::Next,
    /// Of everything that stands against the object.
    pub(super) reasons: Vec<Reason>,
    /// Whether an Event of this reconcile told of a write to AWS already.
    pub(super) follows_a_write: bool,
    /// Whether there is nothing of ours on the role, nor anything under our names: nothing that could be withdrawn or changed.
    pub(super) holds_nothing: bool,
}

impl NewStatus {
    fn new(status: BedrockAccessStatus, next: conditions::Next, findings: &[Finding]) -> Self {
        let reasons = findings.iter().map(|finding| finding.reason).collect();
        Self { status, next, reasons, follows_a_write: false, holds_nothing: false }
    }

    /// The acceptance of a shrink that is acted upon, as the object's annotation says it.
    pub(super) fn accepted_shrink<'a>(&self, object: &'a BedrockAccess) -> Option<&'a str> {
        let accepted = object.annotations().get(ACCEPT_SHRINK)?;
        (self.status.last_accepted_shrink.as_ref() == Some(accepted)).then_some(accepted)
    }
}

/// The status that a decision and its outcome come to.
pub(super) fn of(
    object: &BedrockAccess,
    cx: &Context,
    wish: &Wish,
    decision: &Decision,
    outcome: &Outcome,
    now: Timestamp,
) -> NewStatus {
    let told = match wish {
        Wish::InStep(intent) => kept(object, cx, intent, decision, outcome, now),
        Wish::AsIs(claim, None) => suspended(object, claim, decision, outcome, now),
        Wish::AsIs(claim, Some(_)) | Wish::Gone(claim) | Wish::Retained(claim) => {
            refused(object, claim, decision, outcome, now)
        }
    };
    let is_told = |step: &Step| changes(step, decision.believed.policy(&step.policy));
    let holds_nothing = match &decision.believed.role {
        RoleState::Missing => true,
        RoleState::Found(_) => {
            let mut policies = decision.believed.policies.values();
            outcome.applied.done.is_empty() && policies.all(|policy| *policy == PolicyState::Absent)
        }
        RoleState::Fault(_) => false,
    };
    NewStatus { follows_a_write: outcome.applied.done.iter().any(is_told), holds_nothing, ..told }
}

/// Whether an object was told that there is no role of the name that it gives.
pub(super) fn had_no_role(object: &BedrockAccess) -> bool {
    let mut conditions = object.status.iter().flat_map(|status| &status.conditions);
    conditions.any(|condition| condition.reason == Reason::RoleNotFound.as_str())
}

/// Whether a step changes what was found, so that an Event tells of it.
pub(super) fn changes(step: &Step, found: &PolicyState) -> bool {
    step.change != Change::Delete || *found != PolicyState::Absent
}

/// The status of an object that is kept in step.
fn kept(
    object: &BedrockAccess,
    cx: &Context,
    intent: &Intent,
    decision: &Decision,
    outcome: &Outcome,
    now: Timestamp,
) -> NewStatus {
    let plan = &decision.plan;
    let mut status = handled(object);
    let verdict = conditions::verdict(&outcome.findings, success(intent, decision, outcome));
    let verdict = outage::outlast(object, cx.stale_after, outcome, verdict, now);
    set_conditions(object, &mut status, &verdict, now);
    status.not_offered = plan.not_offered.iter().take(MOST_NOT_OFFERED).map(not_offered).collect();
    set_role(&mut status, &intent.claim, &decision.believed.role);
    set_policy(&mut status, &intent.claim, decision, outcome);
    if plan.settles_acceptance && outcome.applied.failed.is_none() {
        status.last_accepted_shrink = object.annotations().get(ACCEPT_SHRINK).cloned();
    }
    NewStatus::new(status, verdict.next, &outcome.findings)
}

/// The status of an object with which nothing can be begun, for the one reason given.
pub(super) fn blocked(object: &BedrockAccess, finding: Finding, now: Timestamp) -> NewStatus {
    against(object, &[finding], now)
}

/// The status of an object for which nothing could be done: whatever is on the role stays, unless consent was withdrawn.
fn refused(
    object: &BedrockAccess,
    claim: &Claim,
    decision: &Decision,
    outcome: &Outcome,
    now: Timestamp,
) -> NewStatus {
    let mut told = against(object, &outcome.findings, now);
    set_role(&mut told.status, claim, &decision.believed.role);
    set_policy(&mut told.status, claim, decision, outcome);
    told
}

/// The status of a suspended object: `Ready` stays as it was, unless consent was withdrawn.
fn suspended(
    object: &BedrockAccess,
    claim: &Claim,
    decision: &Decision,
    outcome: &Outcome,
    now: Timestamp,
) -> NewStatus {
    let mut told = if outcome.findings.is_empty() {
        let (status, next) = (handled(object), conditions::Next::AtInterval);
        let mut told = NewStatus::new(status, next, &[]);
        set_role(&mut told.status, claim, &decision.believed.role);
        set_policy(&mut told.status, claim, decision, outcome);
        told
    } else {
        refused(object, claim, decision, outcome, now)
    };
    let held = match outcome.policy(&claim.policy()) {
        PolicyState::Fault(_) => None,
        _ => usize::try_from(told.status.grant_count).ok(),
    };
    let suspended = conditions::suspended();
    let conditions = &mut told.status.conditions;
    conditions.retain(|condition| condition.type_ != suspended.kind);
    if outcome.findings.is_empty() {
        conditions.retain(|condition| condition.type_ != conditions::RECONCILING);
    }
    match conditions.iter().find(|condition| condition.type_ == conditions::READY) {
        None => conditions.push(condition(object, &conditions::unknown_while_suspended(held), now)),
        Some(ready) if outcome.findings.is_empty() && is_overtaken(object, ready) => {
            conditions.push(condition(object, &conditions::not_followed_while_suspended(), now));
        }
        Some(_) => {}
    }
    conditions.push(condition(object, &suspended, now));
    told
}

/// Whether the spec changed since it was last followed. Suspending is one change of it by itself.
fn is_overtaken(object: &BedrockAccess, ready: &Condition) -> bool {
    let followed = ready.observed_generation.unwrap_or_default();
    object.metadata.generation.is_some_and(|generation| generation > followed + 1)
}

/// The old status with only what stands against the object.
fn against(object: &BedrockAccess, findings: &[Finding], now: Timestamp) -> NewStatus {
    let verdict = conditions::refusal(findings);
    let mut status = handled(object);
    set_conditions(object, &mut status, &verdict, now);
    NewStatus::new(status, verdict.next, findings)
}

/// The old status, marked as seen.
fn handled(object: &BedrockAccess) -> BedrockAccessStatus {
    let mut status = object.status.clone().unwrap_or_default();
    // Another writer's conditions are not ours to carry.
    status.conditions.retain(|condition| conditions::KINDS.contains(&condition.type_.as_str()));
    status.observed_generation = object.metadata.generation;
    status.last_handled_reconcile_at = object.annotations().get(RECONCILE_AT).cloned();
    status
}

/// Whoever has no consent learns nothing of the role but the name that the manifest gave.
fn set_role(status: &mut BedrockAccessStatus, claim: &Claim, role: &RoleState) {
    match role {
        RoleState::Found(role) if claim.tenant.consent(&role.tags) == Consent::Given => {
            status.role = Some(RoleStatus {
                name: claim.role.to_string(),
                arn: role.arn.to_string(),
                id: role.id.clone(),
            });
        }
        RoleState::Found(_) | RoleState::Missing => {
            status.role = Some(RoleStatus { name: claim.role.to_string(), ..RoleStatus::default() });
        }
        RoleState::Fault(_) => {
            let name = claim.role.to_string();
            status.role.get_or_insert_with(|| RoleStatus { name, ..RoleStatus::default() });
        }
    }
}
