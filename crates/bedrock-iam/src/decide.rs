//! The whole decision, from values alone: what an object wants, what Bedrock answered, what IAM shows and what is remembered come to a plan.
//!
//! [`decide`] is the only composition of the parts below. It asks nothing and writes nothing; whoever calls it sends the steps of the
//! plan in their order, and stores what is to be remembered.
//!
//! | part | from → to |
//! |---|---|
//! | `expectation` | what a read shows, after a write of ours → what is believed |
//! | `refusal` | role and account → why nothing may be written |
//! | `sync` | grants and the policy on the role → the steps that make the one the other |
//! | `withdrawal` | what owners took back → the steps that cut it out |
//! | `adoption` | a policy under the cluster id of before → the step that takes it away, behind those that make it superfluous |
//! | `teardown` | an object that goes → the steps that take its policy along |
//! | `repairs` | drift that comes back → how soon it is repaired again |

mod adoption;
mod desired;
mod expectation;
mod kept;
mod outcome;
mod plan;
mod refusal;
mod remembered;
mod repairs;
mod step;
mod sync;
mod teardown;
mod withdrawal;

pub use desired::{Desired, DesiredPolicy, Purpose};
pub use expectation::Doubt;
pub use outcome::{Applied, Failed, Outcome, step_failed, verify};
pub use plan::Plan;
pub use remembered::Remembered;
pub use repairs::{Backoff, Pace};
pub use step::{Cause, Change, Step};
pub use teardown::{may_stay, teardown};
pub use withdrawal::{cut, cut_back};

use crate::bedrock::answer::Answers;
use crate::iam::observed::{Observed, PolicyState};
use crate::iam::provenance::{LastWrite, Provenance};
use crate::names::policy_ref::PolicyRef;
use crate::policy::current::CurrentGrants;
use crate::resolve;
use crate::say::finding::Finding;
use crate::want::intent::{Claim, Intent};

/// What is wanted of an object's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It is to hold what the manifest asks for.
    InStep(Box<Intent>),
    /// It is to stay as it is, but for what its owners withdrew: the object is suspended, or the finding says why it cannot be followed.
    AsIs(Claim, Option<Finding>),
    /// It is to go with its object.
    Gone(Claim),
    /// It is to outlive its object, where the role's owner lets it.
    Retained(Claim),
}

impl Wish {
    /// Which policy on which role, and in whose name.
    pub fn claim(&self) -> &Claim {
        match self {
            Self::InStep(intent) => &intent.claim,
            Self::AsIs(claim, _) | Self::Gone(claim) | Self::Retained(claim) => claim,
        }
    }
}

/// What a reconcile comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is believed of what was observed.
    pub believed: Observed,
    /// What to do, and what to say.
    pub plan: Plan,
    /// What is to be remembered from here on.
    pub remembered: Remembered,
    /// What is not known for certain, so that a look comes soon.
    pub doubt: Doubt,
}

impl Decision {
    /// Whether nothing is to be done, nothing is in doubt and nothing was written of late, so that no look is missed if it comes later.
    pub fn is_at_rest(&self) -> bool {
        let is_done = self.plan.steps().is_empty() && self.plan.obstacle.is_none();
        is_done && self.doubt == Doubt::None && self.remembered.is_settled()
    }

    /// What stands under a policy's name once the plan is carried out.
    pub fn leaves(&self, policy: &PolicyRef) -> PolicyState {
        let last = self.plan.steps().iter().rfind(|step| step.policy == *policy);
        last.map_or_else(|| self.believed.policy(policy).clone(), Step::leaves)
    }
}

/// Decides. Of an object that is not kept in step, `answers` need hold no more than the tags of what the role holds.
pub fn decide(
    wish: &Wish,
    answers: &Answers,
    observed: &Observed,
    remembered: &Remembered,
    pace: &Pace,
) -> Decision {
    let claim = wish.claim();
    let mut remembered = remembered.clone();
    let (believed, doubt) = remembered.believe(observed, claim);
    let last_write = remembered.last_write(claim, &believed.role);
    let provenance = last_write.provenance(believed.policy(&claim.policy()));
    let plan = match wish {
        Wish::InStep(intent) => {
            let held = held(&believed, &remembered, claim, provenance);
            let mut resolution = resolve::resolve(intent, answers, &held);
            // Also what somebody put back into the policy, which counts as held by nobody's word.
            if provenance == Provenance::Edited {
                let current = CurrentGrants::in_policy(believed.policy(&claim.policy()));
                resolution.revoked.targets.extend(resolve::withdrawn(claim, answers, &current).targets);
            }
            let repairs = remembered.repairs(claim, pace);
            sync::plan(intent, &resolution, &believed, &last_write, provenance, repairs)
        }
        Wish::AsIs(_, finding) => {
            let mut plan = as_is(claim, answers, &believed, provenance);
            plan.findings.extend(finding.iter().cloned());
            plan
        }
        Wish::Retained(_) if teardown::may_stay(claim, &believed.role) => {
            match teardown::unknown(&believed, answers) {
                Some(fault) => Plan { obstacle: Some(fault), ..Plan::default() },
                None => as_is(claim, answers, &believed, provenance),
            }
        }
        Wish::Gone(_) | Wish::Retained(_) => teardown::release(claim, &believed, &last_write),
    };
    let mut plan = doubt.restrain(plan, claim);
    if plan.steps().is_empty() && matches!(wish, Wish::InStep(_) | Wish::AsIs(..)) {
        plan.findings.extend(remembered.not_shown(claim));
    }
    if let Some(former) = &claim.former {
        plan = adoption::plan(wish, former, answers, (observed.policy(&claim.policy()), &believed), plan);
    }
    Decision { believed, plan, remembered, doubt }
}

/// What is held so far: by the policy of the former cluster id, as long as there is none of this one's or someone edited it, so that
/// a shorter answer of Bedrock's takes nothing.
fn held(
    believed: &Observed,
    remembered: &Remembered,
    claim: &Claim,
    provenance: Provenance,
) -> CurrentGrants {
    let policy = believed.policy(&claim.policy());
    let former = claim.former.as_ref().map(|former| believed.policy(&former.policy()));
    let is_edited = provenance == Provenance::Edited;
    let in_sync = is_edited.then(|| remembered.in_sync(claim)).flatten();
    let is_lost = is_edited && in_sync.is_none();
    match former.filter(|former| former.document().is_some()) {
        Some(former) if *policy == PolicyState::Absent || is_lost => {
            CurrentGrants::read(former, LastWrite::default().provenance(former))
        }
        _ => CurrentGrants::read(policy, provenance).or_remembered(in_sync.as_ref()),
    }
}

fn as_is(claim: &Claim, answers: &Answers, believed: &Observed, provenance: Provenance) -> Plan {
    let held = CurrentGrants::in_policy(believed.policy(&claim.policy()));
    let revoked = resolve::withdrawn(claim, answers, &held);
    withdrawal::plan(claim, believed, &revoked, provenance)
}
