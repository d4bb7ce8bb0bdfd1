//! A write of ours that IAM's reads may not show yet.
//!
//! IAM is eventually consistent: a change may take time to be visible everywhere, and reads are answered in several places
//! (IAM User Guide, "Troubleshooting IAM", "Changes that I make are not always immediately visible"). A read that shows what was
//! there before a write is therefore no drift while the write is young.

use crate::iam::canonical::Meaning;
use crate::iam::observed::{Observed, PolicyState, Role, RoleState};
use crate::plan::{Cause, Plan, Step, not_shown};
use crate::say::finding::{Finding, Reason};
use crate::want::consent::Consent;
use crate::want::intent::Claim;

/// More states of one policy than a minute of writes can leave behind.
const MOST_BEFORE: usize = 16;

/// Our last write to a role, and what a stale read may still show in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsettled {
    role: Role,
    before: Vec<Shown>,
    written: PolicyState,
    is_confirmed: bool,
    doubts: bool,
}

/// What a read shows: the meaning of our statements and of those beside them, as far as there are any of ours.
type Shown = Option<(Meaning, Meaning)>;

fn shown(policy: &PolicyState) -> Shown {
    let foreign = policy.foreign().map(|foreign| Meaning::of(&foreign.alone()));
    policy.document().map(|ours| (Meaning::of(ours), foreign.unwrap_or_default()))
}

impl Unsettled {
    /// After `step` was taken in the situation `observed`, following an earlier write that may be unsettled itself.
    pub fn after(earlier: Option<Self>, observed: &Observed, step: &Step) -> Option<Self> {
        let RoleState::Found(role) = &observed.role else { return None };
        let earlier = earlier.filter(|earlier| earlier.role.id == role.id);
        let mut before = earlier.map(Self::into_states).unwrap_or_default();
        before.push(shown(&observed.policy));
        before.drain(..before.len().saturating_sub(MOST_BEFORE));
        Some(Self { role: role.clone(), before, written: step.leaves(), is_confirmed: false, doubts: false })
    }

    /// What is to be believed of a read: the write itself, where the read shows no more than what was there before it.
    pub fn believe(&mut self, observed: Observed, claim: &Claim) -> Observed {
        let role = self.believe_role(observed.role, claim);
        let is_same_role = matches!(&role, RoleState::Found(role) if role.id == self.role.id);
        let policy = if is_same_role { self.believe_policy(observed.policy) } else { observed.policy };
        Observed { role, policy }
    }

    /// The policy, as far as it goes.
    pub fn believe_policy(&mut self, policy: PolicyState) -> PolicyState {
        match &policy {
            PolicyState::Foreign(_) => {
                self.is_confirmed |= self.written.is_foreign();
                return policy;
            }
            PolicyState::Fault(_) => return policy,
            PolicyState::Absent | PolicyState::Ours(_) | PolicyState::Shared { .. } => {}
        }
        let seen = shown(&policy);
        if !self.written.is_foreign() && seen == shown(&self.written) {
            self.is_confirmed = true;
            return policy;
        }
        if self.before.contains(&seen) { self.written.clone() } else { policy }
    }

    /// Whether the last read of the role was not believed.
    pub fn doubts(&self) -> bool {
        self.doubts
    }

    /// While a read that was not believed may be right after all, what is there stays, but nothing more is granted: else every
    /// write would put off the moment from which the read is believed. Nor is anybody told to consent who may have done so.
    pub fn restrain(&self, mut plan: Plan, claim: &Claim) -> Plan {
        let grants =
            matches!(plan.step, Some(Step::Put { cause: Cause::New | Cause::Changed | Cause::Drift, .. }));
        let is_refused = plan.findings.iter().any(|finding| finding.reason == Reason::ConsentMissing);
        if !self.doubts || !(grants || is_refused) {
            return plan;
        }
        let message = format!(
            "IAM returned conflicting answers about role {}; nothing is granted until its answers agree",
            claim.role
        );
        plan.findings.retain(|finding| finding.reason != Reason::ConsentMissing);
        plan.findings.push(Finding::new(Reason::Progressing, message));
        if grants { Plan { findings: plan.findings, ..Plan::default() } } else { plan }
    }

    /// What is still to be said: nothing once a read has shown the write.
    pub fn finding(&self, claim: &Claim) -> Option<Finding> {
        (!self.is_confirmed).then(|| not_shown(claim))
    }

    /// What the role was when it was written to is not undone by one read that shows another: neither that it exists, nor
    /// whether it consents.
    fn believe_role(&mut self, seen: RoleState, claim: &Claim) -> RoleState {
        let consents = |role: &Role| claim.applicant.consent(&role.tags) == Consent::Given;
        let is_stale = match &seen {
            RoleState::Missing => true,
            RoleState::Found(role) => role.id == self.role.id && consents(role) != consents(&self.role),
            RoleState::Fault(_) => false,
        };
        self.doubts = is_stale;
        if is_stale { RoleState::Found(self.role.clone()) } else { seen }
    }

    fn into_states(self) -> Vec<Shown> {
        let written = shown(&self.written);
        self.before.into_iter().chain([written]).collect()
    }
}
