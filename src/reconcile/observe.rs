use bedrock_iam::{Claim, Observed};

use super::Context;
use super::adopt::Predecessor;

/// Reads the role and our policy on it, as IAM shows them.
pub(super) async fn observe(cx: &Context, claim: &Claim, predecessor: Option<&Predecessor>) -> Observed {
    let (role, policy) =
        futures::join!(cx.iam.role(&claim.role), cx.iam.policy(&claim.role, &claim.identity));
    let predecessor = predecessor.map(|predecessor| predecessor.policy.clone());
    Observed { predecessor, ..Observed::new(role, claim.policy(), policy) }
}
