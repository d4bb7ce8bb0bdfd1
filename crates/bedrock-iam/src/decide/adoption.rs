//! The policy that was written under the cluster id of before: it goes once the policy of this one stands and grants all that is
//! wanted, and what was withdrawn goes from it at once. Should the operator die in between, both stand there until the next look.

use super::plan::Plan;
use super::step::Step;
use super::withdrawal;
use super::{Wish, teardown};
use crate::bedrock::answer::Answers;
use crate::iam::observed::{Observed, PolicyState, RoleState};
use crate::names::fault::Fault;
use crate::want::intent::Claim;

/// Adds what becomes of the former policy to what becomes of the object's own; `seen` is the latter as it was read.
pub(super) fn plan(
    wish: &Wish,
    former: &Claim,
    answers: &Answers,
    (seen, observed): (&PolicyState, &Observed),
    plan: Plan,
) -> Plan {
    match wish {
        Wish::InStep(_) | Wish::AsIs(..) => succeed(wish, former, answers, (seen, observed), plan),
        Wish::Retained(claim) if may_stay(former, &observed.role) => {
            match teardown::unknown(observed, answers) {
                Some(fault) => wait_for(plan, &fault),
                None => cut_back(claim, former, answers, observed, plan),
            }
        }
        Wish::Gone(_) | Wish::Retained(_) => release(former, observed, plan),
    }
}

/// The object stays.
fn succeed(
    wish: &Wish,
    former: &Claim,
    answers: &Answers,
    (seen, observed): (&PolicyState, &Observed),
    plan: Plan,
) -> Plan {
    let (claim, policy) = (wish.claim(), observed.policy(&former.policy()));
    let RoleState::Found(role) = &observed.role else { return plan };
    if policy.document().is_none() {
        return plan;
    }
    // That a read is old, by which the new policy is gone, may be believed of it alone: it may be right, and take the last grant.
    let is_shown = !plan.steps().is_empty() || seen == observed.policy(&claim.policy());
    let is_replaced = matches!(wish, Wish::InStep(_))
        && is_shown
        && plan.findings.is_empty()
        && plan.desired(&claim.policy()).is_some();
    if is_replaced {
        return plan.then(Step::removal(former.policy(), policy));
    }
    // The owner's word for either id lets it stand.
    if claim.tenant.is_withdrawn(&role.tags) && former.tenant.is_withdrawn(&role.tags) {
        return withdraw(plan, Step::removal(former.policy(), policy));
    }
    cut_back(claim, former, answers, observed, plan)
}

/// Takes out what the owners of its targets withdrew.
fn cut_back(claim: &Claim, former: &Claim, answers: &Answers, observed: &Observed, plan: Plan) -> Plan {
    match withdrawal::cut_back(former, observed.policy(&former.policy()), &claim.tenant.cluster_id, answers) {
        Some(step) => withdraw(plan, step),
        None => plan,
    }
}

fn withdraw(plan: Plan, step: Step) -> Plan {
    let is_withdrawal = plan.is_withdrawal || plan.steps().is_empty();
    Plan { is_withdrawal, ..plan.then(step) }
}

fn wait_for(plan: Plan, fault: &Fault) -> Plan {
    Plan { obstacle: plan.obstacle.clone().or_else(|| Some(fault.clone())), ..plan.without_steps() }
}

/// The object goes: the former policy goes first, since a role without the tag may refuse the removal of one that no read shows.
fn release(former: &Claim, observed: &Observed, plan: Plan) -> Plan {
    let policy = observed.policy(&former.policy());
    if let Some(fault) = policy.fault() {
        return wait_for(plan, fault);
    }
    if policy.document().is_none() {
        return plan;
    }
    plan.after(Step::removal(former.policy(), policy))
}

/// Only the owner's own word lets it stay: nobody looks after it from here on.
fn may_stay(former: &Claim, role: &RoleState) -> bool {
    matches!(role, RoleState::Found(_)) && teardown::may_stay(former, role)
}
