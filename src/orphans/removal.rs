use bedrock_iam::decide::teardown;
use bedrock_iam::orphan::{ObjectName, Standing};
use bedrock_iam::{Claim, Fault, PolicyState, RoleState, Step};
use kube::Client;

use super::objects;
use crate::aws::Iam;
use crate::reconcile::send;

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

/// Reads the object, and where it is absent the role and the policy on it.
pub async fn look(
    client: &Client,
    iam: &Iam,
    claim: &Claim,
    object: &ObjectName,
) -> Result<Look, kube::Error> {
    if objects::looks_after(client, object, &claim.role).await? {
        return Ok(Look::LookedAfter);
    }
    let (role, policy) = futures::join!(iam.role(&claim.role), iam.policy(&claim.role, &claim.identity));
    Ok(match (role, policy) {
        (RoleState::Missing, _) | (_, PolicyState::Absent | PolicyState::Foreign(_)) => Look::Gone,
        (RoleState::Fault(fault), _) | (_, PolicyState::Fault(fault)) => Look::Unknown(fault),
        (RoleState::Found(role), policy) => {
            Look::Orphaned(Standing::of(&claim.applicant, &role.tags), policy)
        }
    })
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
