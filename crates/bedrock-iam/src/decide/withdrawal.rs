//! What owners took back, while nothing else is to be done: the object is suspended, retained, or cannot be followed.

use super::desired::{DesiredPolicy, Purpose};
use super::plan::Plan;
use super::refusal;
use super::step::{Cause, Step};
use crate::bedrock::answer::Answers;
use crate::iam::observed::{Observed, PolicyState};
use crate::iam::provenance::{LastWrite, Provenance};
use crate::orphan;
use crate::policy::current::CurrentGrants;
use crate::policy::revocation::{self, Remainder, Revoked};
use crate::want::intent::Claim;

/// Nothing, unless consent was withdrawn, by the role or by a target.
pub(super) fn plan(claim: &Claim, observed: &Observed, revoked: &Revoked, provenance: Provenance) -> Plan {
    let plan = match refusal::of_role(claim, observed) {
        Some(plan) if plan.misses_consent() => plan,
        Some(plan) => return Plan { obstacle: plan.obstacle, ..Plan::default() },
        None => Plan::default(),
    };
    let plan = cut_out(claim, observed.policy(&claim.policy()), revoked, provenance, plan);
    Plan { is_withdrawal: !plan.steps().is_empty(), ..plan }
}

/// The write that takes out of a policy, which no reconcile keeps in step, what the owners of its targets withdrew, also in the name
/// of the cluster id of `now`.
pub fn cut_back(claim: &Claim, policy: &PolicyState, now: &str, owners: &Answers) -> Option<Step> {
    cut(claim, policy, &orphan::withdrawn(claim, now, owners, &CurrentGrants::in_policy(policy)))
}

/// The write that takes out of a policy what may not stay, where nothing is remembered of it and nothing else is to be done with it.
pub fn cut(claim: &Claim, policy: &PolicyState, revoked: &Revoked) -> Option<Step> {
    let provenance = LastWrite::default().provenance(policy);
    cut_out(claim, policy, revoked, provenance, Plan::default()).steps().first().cloned()
}

/// Takes out of our policy what may not stay, where a plan would leave it as it is.
pub(super) fn cut_out(
    claim: &Claim,
    policy: &PolicyState,
    revoked: &Revoked,
    provenance: Provenance,
    plan: Plan,
) -> Plan {
    let (None, Some(held)) = (plan.desired(&claim.policy()), policy.document()) else { return plan };
    let step = match revocation::remainder(&claim.identity, held, revoked) {
        Remainder::Whole => return plan,
        // What someone put in must not be written anew under our checksum.
        Remainder::Part(document) if provenance == Provenance::AsWritten => {
            let desired = DesiredPolicy { document, smaller: None, purpose: Purpose::Remainder };
            Step::put(claim.policy(), Box::new(desired), policy, Cause::Withdrawn)
        }
        Remainder::Part(_) | Remainder::Nothing => Step::removal(claim.policy(), policy),
    };
    plan.then(step)
}
