use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::decide::{Applied, Outcome, Pace, verify as judge};
use bedrock_iam::{Claim, Decision, Finding, PolicyState, Step};

use super::Context;
use crate::aws::Iam;

/// Reads until IAM shows a write, in about two seconds; the object is looked at again later where it does not.
const READS: ExponentialBuilder =
    ExponentialBuilder::new().with_min_delay(Duration::from_millis(100)).with_factor(2.0).with_max_times(4);

/// Reads each write back and proves that it is what was wanted; without a write, what was observed is judged.
pub(super) async fn verify(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    decision: &Decision,
    applied: Applied,
    pace: &Pace,
) -> Outcome {
    let mut policies = decision.believed.policies.clone();
    let mut findings = decision.plan.findings.clone();
    findings.extend(applied.failed.iter().map(|failed| failed.finding.clone()));
    for step in &applied.done {
        let (policy, finding) = read_back(&cx.iam, claim, step).await;
        if applied.failed.is_none() {
            findings.extend(finding);
        }
        let policy = cx.memory.update(object, pace, |remembered| remembered.read_back(&step.policy, policy));
        policies.insert(step.policy.clone(), policy);
    }
    Outcome { applied, policies, findings }
}

async fn read_back(iam: &Iam, claim: &Claim, step: &Step) -> (PolicyState, Option<Finding>) {
    let read = || async {
        let policy = iam.policy(&claim.role, &claim.identity).await;
        match judge(claim, &step.desired(), &policy) {
            None => Ok(policy),
            Some(finding) => Err((policy, finding)),
        }
    };
    match read.retry(READS).await {
        Ok(policy) => (policy, None),
        Err((policy, finding)) => (policy, Some(finding)),
    }
}
