//! A write of ours that IAM's reads may not show yet.
//!
//! IAM is eventually consistent: a change may take time to be visible everywhere, and reads are answered in several places
//! (IAM User Guide, "Troubleshooting IAM", "Changes that I make are not always immediately visible"). A read that shows what was
//! there before a write is therefore no drift while the write is young.

use std::time::Duration;

use super::kept::{KeptDocument, KeptRole};
use super::plan::Plan;
use super::step::{Cause, Step};
use crate::iam::canonical::{CanonicalPolicy, Digest};
use crate::iam::observed::{PolicyState, Role, RoleState};
use crate::say::finding::Finding;
use crate::say::reason::Reason;
use crate::want::consent::Consent;
use crate::want::intent::Claim;

/// More states of one policy than a minute of writes can leave behind.
const MOST_BEFORE: usize = 16;

/// Our last write to one policy, and what a stale read may still show in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expectation {
    /// Since the write.
    pub(super) age: Duration,
    role: KeptRole,
    before: Vec<Shown>,
    shows: Shown,
    written: Written,
    is_confirmed: bool,
}

/// What stands there by our write.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Written {
    Ours(KeptDocument),
    Other(Box<PolicyState>),
}

impl Written {
    fn of(policy: PolicyState) -> Self {
        match policy {
            PolicyState::Ours(document) => Self::Ours(KeptDocument::of(&document)),
            other => Self::Other(Box::new(other)),
        }
    }

    /// Our own text is always read; one that is not would count as no policy, and be written anew.
    fn state(&self) -> PolicyState {
        match self {
            Self::Ours(ours) => ours.document().map_or(PolicyState::Absent, PolicyState::Ours),
            Self::Other(policy) => (**policy).clone(),
        }
    }

    fn is_foreign(&self) -> bool {
        matches!(self, Self::Other(policy) if policy.is_foreign())
    }
}

/// What a read shows: the meaning of our statements and of those beside them, as far as there are any of ours. It is kept for every
/// object that was written to of late, so it is kept small.
type Shown = Option<(Digest, Option<Digest>)>;

fn shown(policy: &PolicyState) -> Shown {
    let foreign = policy.foreign().map(|foreign| CanonicalPolicy::of(&foreign.alone()).digest());
    policy.document().map(|ours| (CanonicalPolicy::of(ours).digest(), foreign))
}

/// What is not known for certain about a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Nothing.
    None,
    /// Whether it is there, and consents: a read that was not believed says otherwise.
    Role,
}

impl Doubt {
    /// While a read that was not believed may be right after all, what is there stays, but nothing more is granted: else every
    /// write would put off the moment from which the read is believed. Nor is anybody told to consent who may have done so.
    pub(super) fn restrain(self, mut plan: Plan, claim: &Claim) -> Plan {
        let grants = |step: &Step| step.cause().is_some_and(|cause| cause != Cause::Withdrawn);
        let is_granting = plan.steps().iter().any(grants);
        if self == Self::None || !(is_granting || plan.misses_consent()) {
            return plan;
        }
        let message = format!(
            "IAM returned conflicting answers about role {}; nothing is granted until its answers agree",
            claim.role
        );
        plan.findings.retain(|finding| finding.reason != Reason::ConsentMissing);
        plan.findings.push(Finding::new(Reason::Progressing, message));
        if is_granting { plan.without_steps() } else { plan }
    }
}

impl Expectation {
    /// After `step` was taken where the policy stood as `found`, following an earlier write that reads may not show yet either.
    pub(super) fn after(earlier: Option<Self>, role: &Role, found: &PolicyState, step: &Step) -> Self {
        let mut before: Vec<Shown> = Vec::new();
        for state in earlier.into_iter().flat_map(Self::into_states).chain([shown(found)]) {
            if !before.contains(&state) {
                before.push(state);
            }
        }
        before.drain(..before.len().saturating_sub(MOST_BEFORE));
        let leaves = step.leaves();
        let (role, shows, written) = (KeptRole::of(role), shown(&leaves), Written::of(leaves));
        Self { age: Duration::ZERO, role, before, shows, written, is_confirmed: false }
    }

    /// What the role was when it was written to is not undone by one read that shows another: neither that it exists, nor
    /// whether it consents.
    pub(super) fn believe_role(&self, seen: RoleState, claim: &Claim) -> (RoleState, Doubt) {
        let consents = |role: &Role| claim.tenant.consent(&role.tags) == Consent::Given;
        let known = self.role.role();
        let is_stale = match &seen {
            RoleState::Missing => true,
            RoleState::Found(role) => role.id == known.id && consents(role) != consents(&known),
            RoleState::Fault(_) => false,
        };
        if is_stale { (RoleState::Found(known), Doubt::Role) } else { (seen, Doubt::None) }
    }

    /// Whether the role is the one that was written to.
    pub(super) fn is_of(&self, role: &RoleState) -> bool {
        matches!(role, RoleState::Found(role) if *role.id == *self.role.id)
    }

    /// The write itself, where a read shows no more than what was there before it.
    pub(super) fn believe_policy(&mut self, policy: PolicyState) -> PolicyState {
        match &policy {
            PolicyState::Foreign(_) => {
                self.is_confirmed |= self.written.is_foreign();
                return policy;
            }
            PolicyState::Fault(_) => return policy,
            PolicyState::Absent | PolicyState::Ours(_) | PolicyState::Shared { .. } => {}
        }
        let seen = shown(&policy);
        if !self.written.is_foreign() && seen == self.shows {
            self.is_confirmed = true;
            return policy;
        }
        if self.before.contains(&seen) { self.written.state() } else { policy }
    }

    /// Whether a read has shown the write.
    pub(super) fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    fn into_states(self) -> Vec<Shown> {
        self.before.into_iter().chain([self.shows]).collect()
    }
}
