use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::decide::{Pace, verify as judge};
use bedrock_iam::{Claim, Finding, PolicyState, Step};

use super::Context;

/// Reads until IAM shows a write, in about two seconds; the object is looked at again later where it does not.
const READS: ExponentialBuilder =
    ExponentialBuilder::new().with_min_delay(Duration::from_millis(100)).with_factor(2.0).with_max_times(4);

/// Reads a write back: what is believed of the policy then, and what stands against its being what was wanted.
pub(super) async fn verify(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    step: &Step,
    pace: &Pace,
) -> (PolicyState, Option<Finding>) {
    let claim = claim.in_whose_name(&step.policy);
    let read = || async {
        let policy = cx.iam.policy(&claim.role, &claim.identity).await;
        match judge(claim, &step.desired(), &policy) {
            None => Ok(policy),
            Some(finding) => Err((policy, finding)),
        }
    };
    let (policy, finding) = match read.retry(READS).await {
        Ok(policy) => (policy, None),
        Err((policy, finding)) => (policy, Some(finding)),
    };
    (cx.memory.update(object, pace, |remembered| remembered.read_back(&step.policy, policy)), finding)
}
