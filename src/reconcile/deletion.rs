use bedrock_access_api::annotations::LEAVE_POLICY;
use bedrock_access_api::parse;
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::consent::Consent;
use bedrock_iam::decide::{Failed, Pace, may_stay};
use bedrock_iam::{
    Answers, Claim, Class, CurrentGrants, Decision, Fault, Finding, PolicyState, Reason, RoleState, Wish,
    decide,
};
use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::events::EventType;

use super::{
    Asker, Context, Error, NextLook, Uid, adopt, apply, event, manifest, observe, report, status,
    still_current,
};
use crate::metrics::Ending;

/// Removes our policy before the object goes; an error keeps the finalizer.
pub(super) async fn remove(object: &BedrockAccess, cx: &Context) -> Result<NextLook, Error> {
    // Without a readable role nothing was ever written, since the role cannot change.
    if let Ok(claim) = parse::claim(object, &cx.settings)
        && release(object, cx, &claim).await? == Released::Gone
    {
        forget(cx, &claim).await?;
    }
    cx.memory.forget(Uid::of(object));
    cx.metrics.reconciled(Ending::Removed);
    Ok(NextLook::OnChange)
}

/// Whether a policy is left that may outlive the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Released {
    /// None of ours.
    Gone,
    /// It stays on the role, and in the record.
    Left,
}

/// Takes the policy out of the record. A missing right must not keep the object; the sweep finds the entry again.
async fn forget(cx: &Context, claim: &Claim) -> Result<(), Error> {
    match cx.orphans.record.forget(claim).await {
        Err(kube::Error::Api(status)) if status.code == 403 => {
            tracing::warn!(error = %status.message, "an entry stays in the record of written policies");
            Ok(())
        }
        result => Ok(result?),
    }
}

async fn release(object: &BedrockAccess, cx: &Context, claim: &Claim) -> Result<Released, Error> {
    let wish = match object.spec.deletion_policy.as_str() {
        "Delete" => Wish::Gone(claim.clone()),
        _ => Wish::Retained(claim.clone()),
    };
    let pace = cx.memory.pace(cx.interval);
    let observed = observe::observe(cx, claim).await; // asks AWS
    let remembered = manifest::recall(object, cx, claim, &pace);
    let mut answers = Answers::default();
    if matches!(wish, Wish::Retained(_)) {
        let believed = remembered.believed(&observed, claim); // decides
        let asker = Asker::anew(cx);
        for claim in claim.with_former() {
            asker.ask_owners(claim, believed.policy(&claim.policy()), &mut answers).await; // asks AWS
        }
    }
    let decision = decide(&wish, &answers, &observed, &remembered, &pace); // decides
    let policy = decision.believed.policy(&claim.policy());
    let is_asked_to_stay = matches!(wish, Wish::Retained(_));
    let is_retained = is_asked_to_stay && may_stay(claim, &decision.believed.role);
    if is_asked_to_stay && !is_retained {
        publish_not_allowed(object, cx, claim, policy).await;
    }
    if !is_retained && policy.is_foreign() {
        leave(object, cx, claim, "does not carry this operator's mark").await;
    }
    // Writes to AWS.
    if let Err(fault) = write(object, cx, claim, &decision, &pace).await? {
        return wait(object, cx, claim, &fault).await;
    }
    if let Some(former) = &claim.former
        && decision.leaves(&former.policy()).document().is_none()
    {
        adopt::forget(cx, former).await;
    }
    if !is_retained {
        return Ok(Released::Gone);
    }
    publish_retained(object, cx, claim, &decision).await;
    Ok(Released::Left)
}

/// Keeps the object until its policy can be dealt with, unless nobody ever will be able to.
async fn wait(object: &BedrockAccess, cx: &Context, claim: &Claim, fault: &Fault) -> Result<Released, Error> {
    // AWS lets us write to tagged roles only: once the tag is gone, the role's owner has to clean up.
    if fault.class == Class::Denied && is_untagged(cx, claim).await {
        let why = "can no longer be removed by the operator, since the role has lost its consent tag";
        leave(object, cx, claim, why).await;
        return Ok(Released::Left);
    }
    // A person may know that AWS will not answer again. When it only asks for patience, it will.
    if fault.class != Class::Throttled
        && object.annotations().get(LEAVE_POLICY).is_some_and(|value| value == "true")
    {
        let why = format!("could not be removed, and the annotation {LEAVE_POLICY} lets the object go");
        leave(object, cx, claim, &why).await;
        return Ok(Released::Left);
    }
    let message = format!(
        "deletion waits until the policy is removed: {}; to let the object go and leave the policy on the role, \
         annotate {LEAVE_POLICY}: \"true\"",
        fault.message
    );
    let finding = Finding::new(Reason::of_policy_fault(fault.class), message.clone());
    report::write(object, cx, &status::blocked(object, finding, Timestamp::now())).await?;
    Err(Error::DeletionWaits(message))
}

async fn write(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    decision: &Decision,
    pace: &Pace,
) -> Result<Result<(), Fault>, Error> {
    if let Some(fault) = &decision.plan.obstacle {
        return Ok(Err(fault.clone()));
    }
    if decision.plan.steps().is_empty() {
        return Ok(Ok(()));
    }
    still_current::confirm(object, cx, &decision.plan).await?;
    for step in decision.plan.steps() {
        match apply::apply(object, cx, claim, decision, step, pace).await {
            Ok(step) => {
                let found = decision.believed.policy(&step.policy);
                report::publish_write(object, cx, claim, &step, found).await;
            }
            // AWS refuses it for a role without the tag, on which there is nothing of ours as far as IAM shows.
            Err(Failed { fault, .. })
                if fault.class == Class::Denied
                    && *decision.believed.policy(&step.policy) == PolicyState::Absent => {}
            Err(failed) => return Ok(Err(failed.fault)),
        }
    }
    Ok(Ok(()))
}

/// The role's owner did not allow what the manifest asks for.
async fn publish_not_allowed(object: &BedrockAccess, cx: &Context, claim: &Claim, policy: &PolicyState) {
    if policy.document().is_none() {
        return;
    }
    let note = format!(
        "deletionPolicy is Retain, but the tag of role {} has no entry retain:{} that lets the policy outlive its object, so it is \
         removed; the owner allows it by: {}",
        claim.role,
        claim.tenant.entry(),
        claim.tenant.remedy_to_retain(&claim.role)
    );
    event::publish(object, cx, EventType::Warning, "RetainNotAllowed", "Delete", &note).await;
}

/// Nobody looks after the policy from here on, so a person must be able to find it.
async fn publish_retained(object: &BedrockAccess, cx: &Context, claim: &Claim, decision: &Decision) {
    let reference = claim.policy();
    let left = decision.leaves(&reference);
    let Some(document) = left.document() else { return };
    let (role, policy) = (&claim.role, &reference.name);
    let note = format!(
        "deletionPolicy is Retain: policy {policy} stays on role {role} and still grants {}; remove it with {}",
        status::counted(CurrentGrants::of(document).count(), "grant"),
        claim.removal_command()
    );
    event::publish(object, cx, EventType::Normal, "PolicyRetained", "Delete", &note).await;
}

async fn is_untagged(cx: &Context, claim: &Claim) -> bool {
    match cx.iam.role(&claim.role).await {
        RoleState::Found(role) => claim.tenant.consent(&role.tags) == Consent::Untagged,
        RoleState::Missing | RoleState::Fault(_) => false,
    }
}

async fn leave(object: &BedrockAccess, cx: &Context, claim: &Claim, why: &str) {
    let (role, policy) = (&claim.role, claim.identity.policy_name());
    let note = format!(
        "policy {policy} on role {role} {why}; it stays, and may still grant: remove it with {}",
        claim.removal_command()
    );
    event::publish(object, cx, EventType::Warning, "PolicyLeft", "Delete", &note).await;
}
