//! An object that goes, and its policy with it.

use super::desired::Desired;
use super::plan::Plan;
use super::step::Step;
use crate::bedrock::answer::Answers;
use crate::iam::observed::{Observed, PolicyState, RoleState};
use crate::iam::provenance::LastWrite;
use crate::names::fault::{Class, Fault};
use crate::say::reason::Reason;
use crate::want::intent::Claim;

/// Takes our statements away; anything else stays.
pub fn teardown(claim: &Claim, policy: &PolicyState) -> Plan {
    match policy {
        PolicyState::Ours(_) | PolicyState::Shared { .. } => {
            Plan::default().then(Step::removal(claim.policy(), policy))
        }
        PolicyState::Absent => Plan::in_sync(claim.policy(), Desired::Nothing),
        PolicyState::Foreign(_) => Plan::default(),
        PolicyState::Fault(fault) => Plan::unknown(Reason::of_policy_fault(fault.class), fault),
    }
}

/// Plans for an object whose finalizer is about to go. No later read mends what this one does not show yet, so a policy of ours
/// that seems to be gone is removed all the same, unless the role withdrew consent and was never written to.
pub(super) fn release(claim: &Claim, observed: &Observed, last_write: &LastWrite) -> Plan {
    let may_be_hidden = match &observed.role {
        RoleState::Found(role) => !claim.tenant.is_withdrawn(&role.tags),
        RoleState::Missing => false,
        RoleState::Fault(_) => true,
    };
    let plan = match observed.policy(&claim.policy()) {
        _ if claim.is_elsewhere() => Plan::default(),
        policy @ PolicyState::Absent if may_be_hidden || last_write.reported.is_some() => {
            Plan::default().then(Step::removal(claim.policy(), policy))
        }
        policy => teardown(claim, policy),
    };
    Plan { is_withdrawal: true, ..plan }
}

/// Whether a policy may outlive its object. A role that is not there, or does not answer, forbids it to nobody.
pub fn may_stay(claim: &Claim, role: &RoleState) -> bool {
    match role {
        RoleState::Found(role) => claim.tenant.may_retain(&role.tags),
        RoleState::Missing | RoleState::Fault(_) => true,
    }
}

/// What AWS did not say of a policy that is to stay: nobody looks after it from here on, and who does not answer may have withdrawn
/// consent.
pub(super) fn unknown(observed: &Observed, owners: &Answers) -> Option<Fault> {
    let of_role = match &observed.role {
        RoleState::Fault(fault) => Some(fault),
        RoleState::Found(_) | RoleState::Missing => None,
    };
    let of_policy = observed.policies.values().find_map(PolicyState::fault);
    let tags = owners.tags.values().chain(owners.guardrails.values());
    let of_owner = tags.filter_map(|tags| tags.as_ref().err()).find(|fault| fault.class != Class::NotFound);
    of_role.or(of_policy).or(of_owner).cloned()
}
