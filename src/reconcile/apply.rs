use bedrock_iam::plan::{self, Cause};
use bedrock_iam::{Account, Claim, Class, Fault, Finding, Plan, Step};

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
pub(super) async fn apply(iam: &Iam, account: &Account, claim: &Claim, plan: &Plan) -> Applied {
    let Some(step) = &plan.step else { return Applied::Nothing };
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
                Class::Quota => iam.characters_of_others(&claim.role, &claim.identity).await.ok(),
                _ => None,
            };
            Applied::Failed(plan::step_failed(claim, account, plan, &fault, others))
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
