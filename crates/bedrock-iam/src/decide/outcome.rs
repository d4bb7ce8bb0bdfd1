//! What became of a plan: whether what was read back is what was wanted, and what a failed write means.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::Decision;
use super::desired::{Desired, Purpose};
use super::plan::Plan;
use super::step::{Change, Step};
use crate::iam::canonical::CanonicalPolicy;
use crate::iam::foreign::ForeignStatements;
use crate::iam::observed::{PolicyState, RoleState};
use crate::names::fault::{Class, Fault};
use crate::names::policy_ref::PolicyRef;
use crate::policy::size;
use crate::say::finding::Finding;
use crate::say::reason::{Kstatus, Reason};
use crate::want::intent::Claim;

/// How far the steps of a plan came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The steps that AWS took, in their order.
    pub done: Vec<Step>,
    /// The step behind them that AWS did not take, or did not say so.
    pub failed: Option<Failed>,
}

/// Why a step was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What kind of fault it was.
    pub fault: Fault,
    /// What to say of it.
    pub finding: Finding,
}

/// What is known after a plan was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was written.
    pub applied: Applied,
    /// Our policies on the role, as last read and believed.
    pub policies: BTreeMap<PolicyRef, PolicyState>,
    /// The policies whose last step was read back and is what was wanted.
    pub proven: BTreeSet<PolicyRef>,
    /// All that stands against the manifest.
    pub findings: Vec<Finding>,
}

impl Outcome {
    /// Before the first step: what is believed, and what the plan says.
    pub fn before(decision: &Decision) -> Self {
        let (policies, findings) = (decision.believed.policies.clone(), decision.plan.findings.clone());
        Self { applied: Applied::default(), policies, proven: BTreeSet::new(), findings }
    }

    /// AWS took a step, and its policy was read back like this. Where that does not prove it, no further step may be taken.
    pub fn took(&mut self, step: Step, read_back: PolicyState, finding: Option<Finding>) -> ControlFlow<()> {
        self.policies.insert(step.policy.clone(), read_back);
        let policy = step.policy.clone();
        self.applied.done.push(step);
        match finding {
            None => {
                self.proven.insert(policy);
                ControlFlow::Continue(())
            }
            Some(finding) => {
                self.findings.push(finding);
                ControlFlow::Break(())
            }
        }
    }

    /// AWS did not take a step, or did not say so.
    pub fn failed(&mut self, failed: Failed) -> ControlFlow<()> {
        self.findings.push(failed.finding.clone());
        self.applied.failed = Some(failed);
        ControlFlow::Break(())
    }

    /// A policy as it was last read.
    pub fn policy(&self, policy: &PolicyRef) -> &PolicyState {
        self.policies.get(policy).unwrap_or(&PolicyState::Absent)
    }

    /// The digest of what we wrote to a policy, for the status to say; `reported` is what it says so far.
    pub fn digest(
        &self,
        policy: &PolicyRef,
        plan: &Plan,
        role: &RoleState,
        reported: Option<&str>,
    ) -> Option<String> {
        let of = |state: &PolicyState| {
            state.document().map(|document| CanonicalPolicy::of(document).digest().to_string())
        };
        if let Some(step) = self.applied.done.iter().rfind(|step| step.policy == *policy) {
            return of(&step.leaves());
        }
        let is_complete = self.findings.iter().all(|finding| finding.reason.kstatus() != Kstatus::Unknown);
        let state = self.policy(policy);
        match (&self.applied.failed, plan.desired(policy)) {
            // What only agrees with an incomplete answer was not written by us, and is not to be taken for it.
            (None, Some(Desired::Policy(_))) if is_complete => of(state),
            (None, Some(Desired::Nothing)) if is_complete => None,
            // Nothing of ours stands there, whatever the name.
            (None, _) if state.is_foreign() => None,
            _ => reported.filter(|_| !matches!(role, RoleState::Missing)).map(str::to_owned),
        }
    }
}

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
pub(super) fn not_shown(claim: &Claim) -> Finding {
    let message = format!(
        "policy {} was written to role {}; IAM does not show it yet",
        claim.identity.policy_name(),
        claim.role
    );
    Finding::new(Reason::Progressing, message)
}

/// What it means that a step of a plan failed; `others` is what the role's other inline policies take, in characters, where known.
pub fn step_failed(claim: &Claim, plan: &Plan, step: &Step, fault: &Fault, others: Option<usize>) -> Finding {
    let message = match (&step.change, fault.class) {
        (Change::Put { desired, foreign, .. }, Class::Quota) => {
            let others = beside(foreign.as_ref(), others);
            match &desired.purpose {
                Purpose::Grants(grants, terms) => size::no_room(claim, grants, terms, others),
                Purpose::Remainder => fault.message.clone(),
            }
        }
        (Change::Delete, Class::Denied) => {
            format!("{}; remove the policy with: {}", fault.message, claim.removal_command())
        }
        (Change::CutOut { foreign }, Class::Denied) => format!(
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
