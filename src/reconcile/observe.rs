use bedrock_iam::{Claim, Observed};

use crate::aws::Iam;

/// Reads the role and our policy on it.
pub(super) async fn observe(iam: &Iam, claim: &Claim) -> Observed {
    let (role, policy) = futures::join!(iam.role(&claim.role), iam.policy(&claim.role, &claim.identity));
    Observed { role, policy }
}
