use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::{Claim, Observed, PolicyState, RoleState};

use super::{Context, status};

/// Reads what an object's policy needs: of a role that was not there at the last look most often no more than that, since it is not
/// there yet, and so neither are policies.
pub(super) async fn observe_for(object: &BedrockAccess, cx: &Context, claim: &Claim) -> Observed {
    if status::had_no_role(object) && cx.iam.role(&claim.role).await == RoleState::Missing {
        return Observed::new(RoleState::Missing, claim.policy(), PolicyState::Absent);
    }
    observe(cx, claim).await
}

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
