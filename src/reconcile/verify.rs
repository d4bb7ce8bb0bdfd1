use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::{Claim, Desired, Finding, Plan, PolicyState, plan};
use kube::ResourceExt;

use super::Context;
use super::apply::Applied;
use crate::aws::Iam;

/// Reads that IAM gets to show a write before the object is looked at again later: about two seconds in all.
const READS: ExponentialBuilder =
    ExponentialBuilder::new().with_min_delay(Duration::from_millis(100)).with_factor(2.0).with_max_times(4);

/// What is known after a plan was carried out.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// What was written.
    pub(super) applied: Applied,
    /// Our policy on the role, as last read.
    pub(super) policy: PolicyState,
    /// All that stands against the manifest.
    pub(super) findings: Vec<Finding>,
}

/// Reads a write back and proves that it is what was wanted; without a write, what was observed is judged.
pub(super) async fn verify(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    plan: &Plan,
    applied: Applied,
    observed: &PolicyState,
) -> Outcome {
    let uid = object.uid().unwrap_or_default();
    let mut findings = plan.findings.clone();
    let policy = match &applied {
        Applied::Nothing => {
            findings.extend(cx.memory.not_shown(&uid, claim));
            observed.clone()
        }
        Applied::Failed(finding) => {
            findings.push(finding.clone());
            observed.clone()
        }
        Applied::Done(_) => {
            let (policy, finding) = read_back(&cx.iam, claim, plan.desired.as_ref()).await;
            findings.extend(finding);
            cx.memory.believe_policy(&uid, policy)
        }
    };
    Outcome { applied, policy, findings }
}

async fn read_back(iam: &Iam, claim: &Claim, desired: Option<&Desired>) -> (PolicyState, Option<Finding>) {
    let read = || async {
        let policy = iam.policy(&claim.role, &claim.identity).await;
        match desired.and_then(|desired| plan::verify(claim, desired, &policy)) {
            None => Ok(policy),
            Some(finding) => Err((policy, finding)),
        }
    };
    match read.retry(READS).await {
        Ok(policy) => (policy, None),
        Err((policy, finding)) => (policy, Some(finding)),
    }
}
