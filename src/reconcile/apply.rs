use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::plan::{self, Cause};
use bedrock_iam::{Claim, Class, Fault, Finding, Plan, Step};
use kube::ResourceExt;

use super::Context;
use crate::aws::Iam;

/// What became of a plan.
#[derive(Clone, Debug)]
pub(super) enum Applied {
    /// There was nothing to do.
    Nothing,
    /// AWS took the write.
    Done(Step),
    /// AWS did not take it, or did not say so.
    Failed(Finding),
}

impl Applied {
    /// Whether someone else's change was undone.
    pub(super) fn is_repair(&self) -> bool {
        matches!(self, Self::Done(Step::Put { cause: Cause::Drift, .. }))
    }
}

/// Carries the plan out: one write, or a second and smaller one where IAM has no room for the first.
pub(super) async fn apply(object: &BedrockAccess, cx: &Context, claim: &Claim, plan: &Plan) -> Applied {
    let Some(step) = &plan.step else { return Applied::Nothing };
    let (iam, uid) = (&cx.iam, object.uid().unwrap_or_default());
    if cx.memory.was_refused(&uid)
        && let Ok(others) = iam.others(&claim.role, &claim.identity).await
        && let Some(finding) = cx.memory.refused(&uid, step, &others)
    {
        return Applied::Failed(finding);
    }
    let result = match (send(iam, claim, step).await, step.smaller()) {
        (Err(Fault { class: Class::Quota, .. }), Some(smaller)) => {
            send(iam, claim, &smaller).await.map(|()| smaller)
        }
        (result, _) => result.map(|()| step.clone()),
    };
    match result {
        Ok(step) => Applied::Done(step),
        Err(fault) => {
            let others = match fault.class {
                Class::Quota => iam.others(&claim.role, &claim.identity).await.ok(),
                _ => None,
            };
            let characters = match &others {
                Some(others) => iam.characters(&claim.role, others).await.ok(),
                None => None,
            };
            let finding = plan::step_failed(claim, &cx.realm.account, plan, &fault, characters);
            if let Some(others) = others {
                cx.memory.refuse(&uid, step, others, finding.clone());
            }
            Applied::Failed(finding)
        }
    }
}

/// The one write of a step.
pub(crate) async fn send(iam: &Iam, claim: &Claim, step: &Step) -> Result<(), Fault> {
    match step.text() {
        Some(document) => iam.put(&claim.role, &claim.identity, &document).await,
        None => iam.delete(&claim.role, &claim.identity).await,
    }
}
