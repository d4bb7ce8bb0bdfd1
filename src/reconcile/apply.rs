use bedrock_iam::plan;
use bedrock_iam::{Finding, Intent, Plan, Step};

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

/// Carries the plan out: at most one write.
pub(super) async fn apply(iam: &Iam, intent: &Intent, plan: &Plan) -> Applied {
    let Some(step) = &plan.step else {
        return Applied::Nothing;
    };
    let result = match step {
        Step::Put { document, .. } => iam.put(&intent.role, &intent.identity, document).await,
        Step::Delete => iam.delete(&intent.role, &intent.identity).await,
    };
    match result {
        Ok(()) => Applied::Done(step.clone()),
        Err(fault) => Applied::Failed(plan::step_failed(intent, plan, step, &fault)),
    }
}
