use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::decide::{Failed, Pace, step_failed};
use bedrock_iam::{Claim, Class, Decision, Fault, Plan, PolicyKind, Step};

use super::Context;
use crate::aws::Iam;

/// Takes a step of the plan, and remembers it; the step that AWS took.
pub(super) async fn apply(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    decision: &Decision,
    step: &Step,
    pace: &Pace,
) -> Result<Step, Failed> {
    let step = take(object, cx, claim, &decision.plan, step, pace).await?;
    let (believed, generation) = (&decision.believed, object.metadata.generation);
    cx.memory.update(object, pace, |remembered| remembered.wrote(believed, &step, generation));
    Ok(step)
}

/// One write, or a second and smaller one where IAM has no room for the first; the one that AWS took.
async fn take(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    plan: &Plan,
    step: &Step,
    pace: &Pace,
) -> Result<Step, Failed> {
    let (iam, claim) = (&cx.iam, claim.in_whose_name(&step.policy));
    let remembered = cx.memory.recall(object, pace);
    if remembered.was_refused(&step.policy)
        && let Ok(others) = iam.others(&claim.role, &claim.identity).await
        && let Some(finding) = remembered.refusal(step, &others)
    {
        let fault = Fault { class: Class::Quota, message: finding.message.clone() };
        return Err(Failed { fault, finding });
    }
    let sent = match (send(iam, claim, step).await, step.smaller()) {
        (Err(Fault { class: Class::Quota, .. }), Some(smaller)) => {
            send(iam, claim, &smaller).await.map(|()| smaller)
        }
        (result, _) => result.map(|()| step.clone()),
    };
    let fault = match sent {
        Ok(step) => return Ok(step),
        Err(fault) => fault,
    };
    let others = match fault.class {
        Class::Quota => iam.others(&claim.role, &claim.identity).await.ok(),
        _ => None,
    };
    let characters = match &others {
        Some(others) => iam.characters(&claim.role, others).await.ok(),
        None => None,
    };
    let finding = step_failed(claim, plan, step, &fault, characters);
    if let Some(others) = others {
        cx.memory.update(object, pace, |remembered| remembered.refuse(step, others, finding.clone()));
    }
    Err(Failed { fault, finding })
}

/// The one write of a step.
pub(crate) async fn send(iam: &Iam, claim: &Claim, step: &Step) -> Result<(), Fault> {
    match (step.policy.kind, step.text()) {
        (PolicyKind::Inline, Some(document)) => iam.put(&claim.role, &claim.identity, &document).await,
        (PolicyKind::Inline, None) => iam.delete(&claim.role, &claim.identity).await,
    }
}
