use bedrock_access_api::annotations::LEAVE_POLICY;
use bedrock_access_api::parse;
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::consent::Consent;
use bedrock_iam::{
    Claim, Class, Document, Fault, Finding, Held, Observed, Plan, PolicyState, Reason, RoleState, Step, plan,
};
use kube::ResourceExt;
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;

use super::apply::Applied;
use super::{Context, Error, adopt, apply, current, event, observe, report, status};
use crate::metrics::Ending;

/// Removes our policy before the object goes; an error keeps the finalizer.
pub(super) async fn remove(object: &BedrockAccess, cx: &Context) -> Result<Action, Error> {
    // Without a readable role nothing was ever written, since the role cannot change.
    if let Ok(claim) = parse::claim(object, &cx.realm)
        && release(object, cx, &claim).await? == Released::Gone
    {
        forget(cx, &claim).await?;
    }
    cx.memory.forget(&object.uid().unwrap_or_default());
    cx.metrics.reconciled(Ending::Removed);
    Ok(Action::await_change())
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
    let observed = observe::observe(object, cx, claim).await;
    let released = match object.spec.deletion_policy.as_str() {
        "Delete" => take_away(object, cx, claim, &observed).await?.map(|()| Released::Gone),
        _ => retain(object, cx, claim, &observed).await?,
    };
    let released = match released {
        Ok(released) => adopt::release(object, cx).await.map(|()| released),
        fault => fault,
    };
    match released {
        Ok(released) => Ok(released),
        // AWS lets us write to tagged roles only: once the tag is gone, the role's owner has to clean up.
        Err(fault) if fault.class == Class::Denied && is_untagged(cx, claim).await => {
            let why = "can no longer be removed by the operator, since the role has lost its consent tag";
            leave(object, cx, claim, why).await;
            Ok(Released::Left)
        }
        // A person may know that AWS will not answer again. When it only asks for patience, it will.
        Err(fault)
            if fault.class != Class::Throttled
                && object.annotations().get(LEAVE_POLICY).is_some_and(|value| value == "true") =>
        {
            let why = format!("could not be removed, and the annotation {LEAVE_POLICY} lets the object go");
            leave(object, cx, claim, &why).await;
            Ok(Released::Left)
        }
        Err(fault) => {
            let message = format!(
                "deletion waits until the policy is removed: {}; to let the object go and leave the policy on the role, \
                 annotate {LEAVE_POLICY}: \"true\"",
                fault.message
            );
            let finding = Finding::new(Reason::of_policy_fault(fault.class), message.clone());
            report::tell(object, cx, &status::blocked(object, finding).status).await?;
            Err(Error::DeletionWaits(message))
        }
    }
}

/// Takes our policy off the role.
async fn take_away(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    observed: &Observed,
) -> Result<Result<(), Fault>, Error> {
    match &observed.policy {
        PolicyState::Fault(fault) => return Ok(Err(fault.clone())),
        PolicyState::Foreign => {
            leave(object, cx, claim, "does not carry this operator's mark").await;
        }
        PolicyState::Absent | PolicyState::Ours(_) | PolicyState::Shared { .. } => {}
    }
    let last_written = status::last_written(object, claim, &observed.role);
    let plan = plan::release(claim, &cx.realm.account, observed, last_written.as_ref());
    match write(object, cx, claim, &plan, &observed.policy).await? {
        // AWS refuses it for a role without the tag, on which there is nothing of ours as far as IAM shows.
        Err(fault) if fault.class == Class::Denied && observed.policy == PolicyState::Absent => Ok(Ok(())),
        result => Ok(result),
    }
}

/// Leaves our policy on the role, where the role's owner allows that; else it goes like any other.
async fn retain(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    observed: &Observed,
) -> Result<Result<Released, Fault>, Error> {
    match &observed.role {
        RoleState::Found(role) if !claim.applicant.may_retain(&role.tags) => {
            if observed.policy.document().is_some() {
                let note = format!(
                    "deletionPolicy is Retain, but the tag of role {} has no entry retain:{} that lets the policy outlive its \
                     object, so it is removed; the owner allows it by: {}",
                    claim.role,
                    claim.applicant.entry(),
                    claim.applicant.remedy_to_retain(&claim.role)
                );
                event::publish(object, cx, EventType::Warning, "RetainNotAllowed", "Delete", &note).await;
            }
            Ok(take_away(object, cx, claim, observed).await?.map(|()| Released::Gone))
        }
        RoleState::Found(_) | RoleState::Missing | RoleState::Fault(_) => {
            Ok(cut_back(object, cx, claim, observed).await?.map(|()| Released::Left))
        }
    }
}

/// Leaves our policy on the role, but for what a target's owner withdrew; who does not answer may have withdrawn it.
async fn cut_back(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    observed: &Observed,
) -> Result<Result<(), Fault>, Error> {
    let owners = super::owners(cx, claim, observed).await;
    let unknown_owner = owners.tags.values().find_map(|tags| tags.as_ref().err());
    match (&observed.role, &observed.policy, unknown_owner) {
        (RoleState::Fault(fault), _, _) | (_, PolicyState::Fault(fault), _) => Ok(Err(fault.clone())),
        (_, _, Some(fault)) if fault.class != Class::NotFound => Ok(Err(fault.clone())),
        _ => {
            let plan = super::withdrawal(cx, claim, observed, &owners);
            let written = write(object, cx, claim, &plan, &observed.policy).await?;
            let after = plan.step.as_ref().map_or_else(|| observed.policy.clone(), Step::leaves);
            if let (Ok(()), Some(document)) = (&written, after.document()) {
                tell_retained(object, cx, claim, document).await;
            }
            Ok(written)
        }
    }
}

/// Nobody looks after the policy from here on, so a person must be able to find it.
async fn tell_retained(object: &BedrockAccess, cx: &Context, claim: &Claim, document: &Document) {
    let (role, policy) = (&claim.role, claim.identity.policy_name());
    let note = format!(
        "deletionPolicy is Retain: policy {policy} stays on role {role} and still grants {}; remove it with {}",
        status::counted(Held::of(document).grants().len(), "grant"),
        claim.removal_command()
    );
    event::publish(object, cx, EventType::Normal, "PolicyRetained", "Delete", &note).await;
}

async fn write(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    plan: &Plan,
    found: &PolicyState,
) -> Result<Result<(), Fault>, Error> {
    let Some(step) = &plan.step else { return Ok(Ok(())) };
    current::confirm(object, cx, plan).await?;
    let written = apply::send(&cx.iam, claim, step).await;
    if written.is_ok() && found.document().is_some() {
        report::announce(object, cx, &claim.identity, &Applied::Done(step.clone()), found).await;
    }
    Ok(written)
}

async fn is_untagged(cx: &Context, claim: &Claim) -> bool {
    match cx.iam.role(&claim.role).await {
        RoleState::Found(role) => claim.applicant.consent(&role.tags) == Consent::Untagged,
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
