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
/// from one policy to another, the step that gives them stands before the one that takes them, which is sent only once the first was
/// read back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The policies that are as they should be.
    pub(super) in_sync: BTreeMap<PolicyRef, Desired>,
    /// The writes, in their order.
    pub(super) steps: Vec<Step>,
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

impl Plan {
    /// The policy is as it should be.
    pub(super) fn in_sync(policy: PolicyRef, desired: Desired) -> Self {
        Self { in_sync: [(policy, desired)].into(), ..Self::default() }
    }

    /// The same, and then one more step.
    #[must_use]
    pub(super) fn then(mut self, step: Step) -> Self {
        self.in_sync.remove(&step.policy);
        self.steps.push(step);
        self
    }

    /// The same, with one more step before all others.
    #[must_use]
    pub(super) fn after(mut self, step: Step) -> Self {
        self.in_sync.remove(&step.policy);
        self.steps.insert(0, step);
        self
    }

    /// What is said, and nothing done.
    #[must_use]
    pub(super) fn without_steps(self) -> Self {
        Self { findings: self.findings, ..Self::default() }
    }

    /// Nothing is done, for one reason.
    pub(super) fn against(reason: Reason, message: impl Into<String>) -> Self {
        Self { findings: vec![Finding::new(reason, message)], ..Self::default() }
    }

    /// Nothing can be decided without an answer that did not come.
    pub(super) fn unknown(reason: Reason, fault: &Fault) -> Self {
        Self { obstacle: Some(fault.clone()), ..Self::against(reason, fault.message.clone()) }
    }

    /// The writes, in their order. The first that fails, or that is not proven, ends them.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What a policy is to be once the plan is carried out; `None` where that is not decided, so that it stays as it is.
    pub fn desired(&self, policy: &PolicyRef) -> Option<Desired> {
        let written = self.steps.iter().rfind(|step| step.policy == *policy).map(Step::desired);
        written.or_else(|| self.in_sync.get(policy).cloned())
    }

    /// Whether the role's owner has not consented, or not to this much.
    pub fn misses_consent(&self) -> bool {
        self.findings.iter().any(|finding| finding.reason == Reason::ConsentMissing)
    }
}
