use bedrock_iam::decide::{cut_back, teardown};
use bedrock_iam::orphan::{ObjectName, Standing};
use bedrock_iam::{Answers, Claim, Fault, PolicyState, RoleState, Step};
use kube::Client;

use super::objects;
use crate::aws::Iam;
use crate::reconcile::{Asker, Context, send};

/// What fresh reads say of a policy that seems to have no object.
#[derive(Clone, Debug)]
pub enum Look {
    /// Its object is there.
    LookedAfter,
    /// There is no policy of ours on that role.
    Gone,
    /// It is there without its object.
    Orphaned(Standing, PolicyState),
    /// AWS did not say.
    Unknown(Fault),
}

/// Reads the object, and where it is absent the role and the policy on it. `now` is the cluster id that policies are written
/// under now.
pub async fn look(
    client: &Client,
    iam: &Iam,
    claim: &Claim,
    object: &ObjectName,
    now: &str,
) -> Result<Look, kube::Error> {
    if objects::looks_after(client, object, &claim.role).await? {
        return Ok(Look::LookedAfter);
    }
    Ok(look_at_role(iam, claim, now).await)
}

/// Reads role and policy, whatever object there is: for a former cluster id, whose policies none looks after.
pub async fn look_at_role(iam: &Iam, claim: &Claim, now: &str) -> Look {
    let (role, policy) = futures::join!(iam.role(&claim.role), iam.policy(&claim.role, &claim.identity));
    match (role, policy) {
        (RoleState::Missing, _) | (_, PolicyState::Absent | PolicyState::Foreign(_)) => Look::Gone,
        (RoleState::Fault(fault), _) | (_, PolicyState::Fault(fault)) => Look::Unknown(fault),
        (RoleState::Found(role), policy) => {
            Look::Orphaned(Standing::of(&claim.tenant, now, &role.tags), policy)
        }
    }
}

/// Takes our statements off the role; what someone else put beside them stays. What was done, if anything was to do.
///
/// Should someone create the object again at this very moment, its next reconcile writes the policy anew.
pub async fn take_away(iam: &Iam, claim: &Claim, policy: &PolicyState) -> Result<Option<Step>, Fault> {
    let plan = teardown(claim, policy);
    let [step] = plan.steps() else { return Ok(None) };
    send(iam, claim, step).await?;
    Ok(Some(step.clone()))
}

/// The write that takes out of a policy, which no reconcile keeps in step, what the owners of its targets withdrew. Only they are
/// asked; who does not answer keeps what is there.
pub(super) async fn withdrawal(cx: &Context, claim: &Claim, policy: &PolicyState) -> Option<Step> {
    let mut owners = Answers::default();
    Asker::anew(cx).ask_owners(claim, policy, &mut owners).await;
    cut_back(claim, policy, &cx.settings.cluster_id, &owners)
}
