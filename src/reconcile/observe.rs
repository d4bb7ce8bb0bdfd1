use bedrock_iam::{Claim, Observed};

use super::Context;

/// Reads the role and our policies on it, as IAM shows them: the object's own, and until it is moved the one that was written in
/// another name before.
pub(super) async fn observe(cx: &Context, claim: &Claim) -> Observed {
    let read = async |claim: &Claim| (claim.policy(), cx.iam.policy(&claim.role, &claim.identity).await);
    let former = async {
        match claim.former.as_deref().filter(|former| !cx.adoption.is_done(former)) {
            Some(former) => Some(read(former).await),
            None => None,
        }
    };
    let (role, own, former) = futures::join!(cx.iam.role(&claim.role), read(claim), former);
    Observed { role, policies: [own].into_iter().chain(former).collect() }
}
