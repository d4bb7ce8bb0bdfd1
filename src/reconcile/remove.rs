use bedrock_iam::consent::Consent;
use bedrock_iam::{Claim, Class, Fault, Finding, Plan, PolicyState, Reason, RoleState, Step, plan};
use kube::ResourceExt;
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;

use super::apply::Applied;
use super::{Context, Error, current, observe, report, status};
use crate::api::parse;
use crate::api::v1alpha1::BedrockAccess;
use crate::metrics::Ending;

/// `true` lets an object go whose policy cannot be removed.
const LEAVE_POLICY: &str = "bedrockaccess.io/leave-policy";

/// Removes our policy before the object goes; an error keeps the finalizer.
pub(super) async fn remove(object: &BedrockAccess, cx: &Context) -> Result<Action, Error> {
    release(object, cx).await?;
    cx.memory.forget(&object.uid().unwrap_or_default());
    cx.metrics.reconciled(Ending::Removed);
    Ok(Action::await_change())
}

async fn release(object: &BedrockAccess, cx: &Context) -> Result<(), Error> {
    // Without a readable role nothing was ever written, since the role cannot change.
    let Ok(claim) = parse::claim(object, &cx.realm) else {
        return Ok(());
    };
    let released = match object.spec.deletion_policy.as_str() {
        "Delete" => take_away(object, cx, &claim).await?,
        _ => cut_back(object, cx, &claim).await?,
    };
    match released {
        Ok(()) => Ok(()),
        // AWS lets us write to tagged roles only: once the tag is gone, the role's owner has to clean up.
        Err(fault) if fault.class == Class::Denied && is_untagged(cx, &claim).await => {
            let why = "can no longer be removed by the operator, since the role has lost its consent tag";
            leave(object, cx, &claim, why).await;
            Ok(())
        }
        // A person may know that AWS will not answer again.
        Err(_) if object.annotations().get(LEAVE_POLICY).is_some_and(|value| value == "true") => {
            let why = format!("could not be removed, and the annotation {LEAVE_POLICY} lets the object go");
            leave(object, cx, &claim, &why).await;
            Ok(())
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
async fn take_away(object: &BedrockAccess, cx: &Context, claim: &Claim) -> Result<Result<(), Fault>, Error> {
    let policy = cx.iam.policy(&claim.role, &claim.identity).await;
    match &policy {
        PolicyState::Fault(fault) => return Ok(Err(fault.clone())),
        PolicyState::Foreign => {
            leave(object, cx, claim, "does not have this operator's mark, or other Sids beside it").await;
        }
        PolicyState::Absent | PolicyState::Ours(_) => {}
    }
    match write(object, cx, claim, &plan::release(&policy), &policy).await? {
        // AWS refuses it for a role that does not take part, on which there is nothing of ours as far as IAM shows.
        Err(fault) if fault.class == Class::Denied && policy == PolicyState::Absent => Ok(Ok(())),
        result => Ok(result),
    }
}

/// Leaves our policy on the role, but for what consent was withdrawn from; who does not answer may have withdrawn it.
async fn cut_back(object: &BedrockAccess, cx: &Context, claim: &Claim) -> Result<Result<(), Fault>, Error> {
    let observed = observe::observe(object, cx, claim).await;
    let owners = super::owners(cx, claim, &observed).await;
    let unknown_owner = owners.tags.values().find_map(|tags| tags.as_ref().err());
    match (&observed.role, &observed.policy, unknown_owner) {
        (RoleState::Fault(fault), _, _) | (_, PolicyState::Fault(fault), _) => Ok(Err(fault.clone())),
        (_, _, Some(fault)) if fault.class != Class::NotFound => Ok(Err(fault.clone())),
        _ => {
            let plan = super::withdrawal(cx, claim, &observed, &owners);
            write(object, cx, claim, &plan, &observed.policy).await
        }
    }
}

async fn write(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    plan: &Plan,
    found: &PolicyState,
) -> Result<Result<(), Fault>, Error> {
    let Some(step) = &plan.step else { return Ok(Ok(())) };
    current::confirm(object, cx).await?;
    let written = match step {
        Step::Put { document, .. } => cx.iam.put(&claim.role, &claim.identity, document).await,
        Step::Delete => cx.iam.delete(&claim.role, &claim.identity).await,
    };
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
    report::publish(object, cx, EventType::Warning, "PolicyLeft", "Delete", &note).await;
}
