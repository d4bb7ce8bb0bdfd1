//! What became of a plan: whether what was read back is what was wanted, and what a failed write means.

use super::{Desired, Plan, Step};
use crate::iam::foreign::ForeignStatements;
use crate::iam::observed::PolicyState;
use crate::names::account::Account;
use crate::names::fault::{Class, Fault};
use crate::policy::size;
use crate::say::finding::{Finding, Reason};
use crate::want::intent::Claim;

/// Whether the policy read back is the one that was wanted, and lets through every request that Bedrock will make for
/// every grant.
pub fn verify(claim: &Claim, desired: &Desired, read_back: &PolicyState) -> Option<Finding> {
    match read_back {
        PolicyState::Fault(fault) => {
            return Some(Finding::new(Reason::of_policy_fault(fault.class), &fault.message));
        }
        PolicyState::Foreign(_) if *desired != Desired::Nothing => {
            let message =
                format!("policy {} was replaced while it was written", claim.identity.policy_name());
            return Some(Finding::new(Reason::PolicyNameTaken, message));
        }
        PolicyState::Foreign(_) | PolicyState::Absent | PolicyState::Ours(_) | PolicyState::Shared { .. } => {
        }
    }
    if desired.is_met_by(read_back.document()) {
        return None;
    }
    Some(not_shown(claim))
}

/// A write that no read has shown yet.
pub(crate) fn not_shown(claim: &Claim) -> Finding {
    let message = format!(
        "policy {} was written to role {}; IAM does not show it yet",
        claim.identity.policy_name(),
        claim.role
    );
    Finding::new(Reason::Progressing, message)
}

/// What it means that a step failed; `others` is what the role's other inline policies take, in characters, where known.
pub fn step_failed(
    claim: &Claim,
    account: &Account,
    plan: &Plan,
    fault: &Fault,
    others: Option<usize>,
) -> Finding {
    let message = match (&plan.step, &plan.desired, fault.class) {
        (Some(Step::Put { foreign, .. }), Some(Desired::Policy(desired)), Class::Quota) => {
            size::no_room(claim, account, &desired.grants, &desired.terms, beside(foreign.as_ref(), others))
        }
        (Some(Step::Delete), _, Class::Denied) => {
            format!("{}; remove the policy with: {}", fault.message, claim.removal_command())
        }
        (Some(Step::CutOut { foreign }), _, Class::Denied) => format!(
            "{}; take every statement out of policy {} on role {} but: {}",
            fault.message,
            claim.identity.policy_name(),
            claim.role,
            foreign.names()
        ),
        _ => fault.message.clone(),
    };
    // A policy that outlives its consent is the role owner's concern, whatever stopped us.
    let reason =
        if plan.misses_consent() { Reason::ConsentMissing } else { Reason::of_policy_fault(fault.class) };
    Finding::new(reason, message)
}

/// What our statements have to share the quota with.
fn beside(foreign: Option<&ForeignStatements>, others: Option<usize>) -> Option<usize> {
    others.map(|others| others + foreign.map_or(0, ForeignStatements::characters))
}
