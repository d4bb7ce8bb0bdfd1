use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::{Claim, Observed};
use kube::ResourceExt;

use super::Context;

/// Reads the role and our policy on it, and believes of it what cannot be older than our last write.
pub(super) async fn observe(object: &BedrockAccess, cx: &Context, claim: &Claim) -> Observed {
    let (role, policy) =
        futures::join!(cx.iam.role(&claim.role), cx.iam.policy(&claim.role, &claim.identity));
    cx.memory.believe(&object.uid().unwrap_or_default(), Observed { role, policy }, claim)
}
