//! What a decision comes to: the steps to take, what to say, and what to remember once it is done.

use std::collections::{BTreeMap, BTreeSet};

use super::desired::Desired;
use super::step::Step;
use crate::names::fault::Fault;
use crate::names::policy_ref::PolicyRef;
use crate::resolve::offers::Offer;
use crate::say::finding::Finding;
use crate::say::reason::Reason;

/// What to do, and what to say about it.
///
/// A plan only ever names our own policies. IAM replaces a policy whole, so a wanted grant is never absent in between; where grants move
/// from one policy to another, the step that gives them stands before the one that takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What becomes of the policies.
    pub course: Course,
    /// What stands against the manifest.
    pub findings: Vec<Finding>,
    /// What AWS did not answer, where nothing can be decided without it.
    pub obstacle: Option<Fault>,
    /// Whether, once it is carried out, the user's acceptance of a shrink is used up.
    pub settles_acceptance: bool,
    /// Combinations of model, scope and source Region that do not exist and need not.
    pub not_offered: BTreeSet<Offer>,
    /// Whether the steps only carry out what an owner withdrew, so that nothing which the tenant may change holds them back.
    pub is_withdrawal: bool,
}

/// What becomes of the policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Course {
    /// They stay as they are, since what they should be is not decided.
    #[default]
    Leave,
    /// They are as they should be.
    InSync(BTreeMap<PolicyRef, Desired>),
    /// These steps, in this order, make them so. The first that fails ends them.
    Write(Vec<Step>),
}

impl Plan {
    /// The one step of a plan for one policy.
    pub(super) fn of(step: Step) -> Self {
        Self { course: Course::Write(vec![step]), ..Self::default() }
    }

    /// The policy is as it should be.
    pub(super) fn in_sync(policy: PolicyRef, desired: Desired) -> Self {
        Self { course: Course::InSync([(policy, desired)].into()), ..Self::default() }
    }

    /// Nothing is done, for one reason.
    pub(super) fn against(reason: Reason, message: impl Into<String>) -> Self {
        Self { findings: vec![Finding::new(reason, message)], ..Self::default() }
    }

    /// Nothing can be decided without an answer that did not come.
    pub(super) fn unknown(reason: Reason, fault: &Fault) -> Self {
        Self { obstacle: Some(fault.clone()), ..Self::against(reason, fault.message.clone()) }
    }

    /// The writes, in their order.
    pub fn steps(&self) -> &[Step] {
        match &self.course {
            Course::Write(steps) => steps,
            Course::Leave | Course::InSync(_) => &[],
        }
    }

    /// What a policy is to be once the plan is carried out; `None` where that is not decided.
    pub fn desired(&self, policy: &PolicyRef) -> Option<Desired> {
        match &self.course {
            Course::Leave => None,
            Course::InSync(policies) => policies.get(policy).cloned(),
            Course::Write(steps) => steps.iter().rfind(|step| step.policy == *policy).map(Step::desired),
        }
    }

    /// Whether it is decided what the policies are to be.
    pub fn is_decided(&self) -> bool {
        self.course != Course::Leave
    }

    /// Whether the role's owner has not consented, or not to this much.
    pub fn misses_consent(&self) -> bool {
        self.findings.iter().any(|finding| finding.reason == Reason::ConsentMissing)
    }
}
