use bedrock_iam::{Observed, PolicyIdentity, RoleName};

use crate::aws::Iam;

/// Reads the role and our policy on it.
pub(super) async fn observe(iam: &Iam, role: &RoleName, identity: &PolicyIdentity) -> Observed {
    let (role, policy) = futures::join!(iam.role(role), iam.policy(role, identity));
    Observed { role, policy }
}
