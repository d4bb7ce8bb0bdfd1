use bedrock_iam::consent::Consent;
use bedrock_iam::plan::teardown;
use bedrock_iam::{Claim, Class, Finding, PolicyState, Reason, RoleState};
use kube::ResourceExt;
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;

use super::apply::Applied;
use super::{Context, Error, report, status};
use crate::api::parse;
use crate::api::v1alpha1::BedrockAccess;
use crate::metrics::Ending;

/// `true` lets an object go whose policy cannot be removed.
const LEAVE_POLICY: &str = "bedrockaccess.io/leave-policy";

/// Removes our policy before the object goes; an error keeps the finalizer.
pub(super) async fn remove(object: &BedrockAccess, cx: &Context) -> Result<Action, Error> {
    release(object, cx).await?;
    let uid = object.uid().unwrap_or_default();
    cx.failures.forget(&uid);
    cx.memory.forget(&uid);
    cx.metrics.reconciled(Ending::Removed);
    Ok(Action::await_change())
}

async fn release(object: &BedrockAccess, cx: &Context) -> Result<(), Error> {
    // Without a readable role nothing was ever written, since the role cannot change.
    let Ok(claim) = parse::claim(object, &cx.realm) else {
        return Ok(());
    };
    // A grant whose consent was withdrawn goes, also where it would be retained.
    if object.spec.deletion_policy == "Retain"
        && matches!(consent(cx, &claim).await, None | Some(Consent::Given))
    {
        return Ok(());
    }
    let policy = cx.iam.policy(&claim.role, &claim.identity).await;
    let plan = teardown(&policy);
    let failure = match (&policy, &plan.step) {
        (PolicyState::Fault(fault), _) => Some(fault.clone()),
        (PolicyState::Foreign, _) => {
            leave(object, cx, &claim, "does not have this operator's mark, or other Sids beside it").await;
            None
        }
        (_, None) => None,
        (_, Some(step)) => match cx.iam.delete(&claim.role, &claim.identity).await {
            Ok(()) => {
                report::announce(object, cx, &claim.identity, &Applied::Done(step.clone()), &policy).await;
                None
            }
            Err(fault) => Some(fault),
        },
    };
    match failure {
        None => Ok(()),
        // AWS lets us write to tagged roles only: once the tag is gone, the role's owner has to clean up.
        Some(fault)
            if fault.class == Class::Denied && consent(cx, &claim).await == Some(Consent::Untagged) =>
        {
            let why = "can no longer be removed by the operator, since the role has lost its consent tag";
            leave(object, cx, &claim, why).await;
            Ok(())
        }
        // A person may know that AWS will not answer again.
        Some(_) if object.annotations().get(LEAVE_POLICY).is_some_and(|value| value == "true") => {
            let why = format!("could not be removed, and the annotation {LEAVE_POLICY} lets the object go");
            leave(object, cx, &claim, &why).await;
            Ok(())
        }
        Some(fault) => {
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

/// What the role's tags say now, where that can be known.
async fn consent(cx: &Context, claim: &Claim) -> Option<Consent> {
    match cx.iam.role(&claim.role).await {
        RoleState::Found(role) => Some(claim.applicant.consent(&role.tags)),
        RoleState::Missing | RoleState::Fault(_) => None,
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
