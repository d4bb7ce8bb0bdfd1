//! What is remembered of an object from one decision to the next, as a value.
//!
//! All of it may be lost at any time: then IAM's delay looks like drift once, and a quarrel starts afresh.

use std::collections::BTreeSet;
use std::time::Duration;

use super::expectation::{Doubt, Expectation};
use super::kept::KeptDocument;
use super::outcome::{Outcome, not_shown};
use super::plan::Plan;
use super::repairs::{Backoff, Pace, Repairs};
use super::step::{Cause, Step};
use crate::iam::canonical::{CanonicalPolicy, Digest};
use crate::iam::document::Document;
use crate::iam::observed::{Observed, PolicyState, RoleState};
use crate::iam::provenance::{LastWrite, Written};
use crate::names::policy_ref::PolicyRef;
use crate::say::finding::Finding;
use crate::say::reason::ConditionType;
use crate::want::intent::Claim;

/// Before a write for which IAM had no room is sent again, the first time.
const FIRST_PAUSE: Duration = Duration::from_mins(5);

/// Before it is sent again, at most.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// What is remembered of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// By policy, in their order. Most objects have one, and a map would take the room of eleven.
    policies: Vec<(PolicyRef, OfPolicy)>,
    /// The acceptance of a shrink that was acted upon, whatever became of the status that says so too.
    accepted_shrink: Option<String>,
}

/// What is remembered of one policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OfPolicy {
    expectation: Option<Box<Expectation>>,
    repairs: Option<Repairs>,
    /// As it was when it last was as it should be.
    in_sync: Option<KeptDocument>,
    /// What we last wrote, or saw to be as it should.
    written: Option<Written>,
    /// What the object's status says that we wrote.
    reported: Option<Written>,
    refused: Option<Box<Refused>>,
}

/// A write for which IAM had no room.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refused {
    /// The meaning of what was to stand there.
    wanted: Digest,
    /// The role's other inline policies at that time.
    others: BTreeSet<String>,
    finding: Finding,
    age: Duration,
    pause: Duration,
}

impl Remembered {
    /// The same so much later, without what is too old to say anything.
    #[must_use]
    pub fn after(mut self, elapsed: Duration, pace: &Pace) -> Self {
        for policy in self.policies.iter_mut().map(|(_, of_policy)| of_policy) {
            if let Some(expectation) = &mut policy.expectation {
                expectation.age += elapsed;
            }
            policy.expectation.take_if(|expectation| expectation.age >= pace.iam_lag);
            if let Some(repairs) = &mut policy.repairs {
                repairs.age += elapsed;
            }
            policy.repairs.take_if(|repairs| repairs.is_over(pace));
            if let Some(refused) = &mut policy.refused {
                refused.age += elapsed;
            }
        }
        self
    }

    /// With what the object's status says that we last wrote.
    #[must_use]
    pub fn reporting(mut self, policy: &PolicyRef, reported: Option<Written>) -> Self {
        self.entry(policy).reported = reported;
        self
    }

    /// As it is kept until the next decision: the status says again what it says.
    #[must_use]
    pub fn kept(mut self) -> Self {
        for (_, of_policy) in &mut self.policies {
            of_policy.reported = None;
        }
        self.policies.shrink_to_fit();
        self
    }

    /// For a spec of this generation: a person who changes it ends a quarrel.
    #[must_use]
    pub fn following(mut self, generation: Option<i64>) -> Self {
        for policy in self.policies.iter_mut().map(|(_, of_policy)| of_policy) {
            policy.repairs.take_if(|repairs| repairs.generation != generation);
        }
        self
    }

    /// Believes AWS alone from now on and holds nothing back, because a person asks for it.
    #[must_use]
    pub fn anew(mut self) -> Self {
        for policy in self.policies.iter_mut().map(|(_, of_policy)| of_policy) {
            policy.expectation = None;
            policy.repairs = None;
            policy.refused = None;
        }
        self
    }

    /// What is to be believed of what was observed, for questions that depend on it.
    pub fn believed(&self, observed: &Observed, claim: &Claim) -> Observed {
        self.clone().believe(observed, claim).0
    }

    /// The same for a decision: it is noted what a read has shown, and said what stays in doubt.
    pub(super) fn believe(&mut self, observed: &Observed, claim: &Claim) -> (Observed, Doubt) {
        let (mut believed, mut doubt) = (observed.clone(), Doubt::None);
        for (policy, of_policy) in &mut self.policies {
            let Some(expectation) = &mut of_policy.expectation else { continue };
            let (role, of_role) = expectation.believe_role(believed.role, claim);
            believed.role = role;
            if of_role == Doubt::Role {
                doubt = of_role;
            }
            if expectation.is_of(&believed.role) {
                let seen = believed.policy(policy).clone();
                believed.policies.insert(policy.clone(), expectation.believe_policy(seen));
            }
        }
        (believed, doubt)
    }

    /// What is to be believed of a policy that was read back.
    pub fn read_back(&mut self, policy: &PolicyRef, seen: PolicyState) -> PolicyState {
        let of_policy = self.of_mut(policy);
        match of_policy.and_then(|of_policy| of_policy.expectation.as_mut()) {
            Some(expectation) => expectation.believe_policy(seen),
            None => seen,
        }
    }

    /// After a write that AWS took, where the role and its policies stood as `believed`.
    pub fn wrote(&mut self, believed: &Observed, step: &Step, generation: Option<i64>) {
        let policy = self.entry(&step.policy);
        let earlier = policy.expectation.take();
        policy.refused = None;
        policy.written = None;
        if let RoleState::Found(role) = &believed.role {
            let earlier = earlier.map(|earlier| *earlier);
            let after = Expectation::after(earlier, role, believed.policy(&step.policy), step);
            policy.expectation = Some(Box::new(after));
            let written = |ours: &Document| Written {
                role: role.id.clone(),
                digest: CanonicalPolicy::of(ours).digest(),
            };
            policy.written = step.leaves().document().map(written);
        }
        if step.cause() == Some(Cause::Drift) {
            let count = policy.repairs.map_or(0, |repairs| repairs.count) + 1;
            policy.repairs = Some(Repairs { count, age: Duration::ZERO, generation });
        }
    }

    /// After the object was told: a policy that is as it should be, and an acceptance that was acted upon.
    pub fn told(&mut self, plan: &Plan, outcome: &Outcome, role: &RoleState, accepted_shrink: Option<&str>) {
        let is_of_policy = |finding: &Finding| finding.reason.condition_type() == ConditionType::PolicyInSync;
        let is_plain = !plan.findings.iter().any(is_of_policy);
        for (policy, state) in &outcome.policies {
            let is_written = plan.steps().iter().any(|step| step.policy == *policy);
            let is_left = is_plain && !is_written && plan.desired(policy).is_some();
            if !is_left && !outcome.proven.contains(policy) {
                continue;
            }
            let of_policy = self.entry(policy);
            let document = state.document();
            of_policy.in_sync = document.map(KeptDocument::of);
            let meant = document.map(|document| CanonicalPolicy::of(document).digest());
            of_policy.written = match (role, meant) {
                (RoleState::Found(role), Some(digest)) => Some(Written { role: role.id.clone(), digest }),
                _ => None,
            };
        }
        if let Some(accepted) = accepted_shrink {
            self.accepted_shrink = Some(accepted.to_owned());
        }
    }

    /// Whether an acceptance of a shrink, as its annotation says it, was acted upon.
    pub fn has_settled(&self, accepted: &str) -> bool {
        self.accepted_shrink.as_deref() == Some(accepted)
    }

    /// Whether no write is young, came back, or was refused for want of room.
    pub(super) fn is_settled(&self) -> bool {
        let is_open = |of_policy: &OfPolicy| {
            of_policy.expectation.is_some() || of_policy.repairs.is_some() || of_policy.refused.is_some()
        };
        !self.policies.iter().any(|(_, of_policy)| is_open(of_policy))
    }

    /// Whether IAM had no room for the last write to a policy.
    pub fn was_refused(&self, policy: &PolicyRef) -> bool {
        self.of(policy).is_some_and(|of_policy| of_policy.refused.is_some())
    }

    /// What IAM said the last time to the very same write, as long as it would hardly say anything else: while the role has the same
    /// other policies, and for a pause that doubles up to an hour.
    pub fn refusal(&self, step: &Step, others: &BTreeSet<String>) -> Option<Finding> {
        let refused = self.of(&step.policy)?.refused.as_ref()?;
        let is_the_same = meaning(step).as_ref() == Some(&refused.wanted) && *others == refused.others;
        (is_the_same && refused.age < refused.pause).then(|| refused.finding.clone())
    }

    /// After a write for which IAM had no room beside the role's other policies.
    pub fn refuse(&mut self, step: &Step, others: BTreeSet<String>, finding: Finding) {
        let Some(wanted) = meaning(step) else { return };
        let policy = self.entry(&step.policy);
        let before = policy.refused.take();
        let before = before.filter(|before| before.wanted == wanted && before.others == others);
        let pause = before.map_or(FIRST_PAUSE, |before| (2 * before.pause).min(LONGEST_PAUSE));
        policy.refused = Some(Box::new(Refused { wanted, others, finding, age: Duration::ZERO, pause }));
    }

    /// When to look again: as soon as IAM shows whether a repair lasted, or whether a read that was not believed was right.
    pub fn next_look(doubt: Doubt, outcome: &Outcome, pace: &Pace) -> Duration {
        let is_repair = outcome.applied.done.iter().any(|step| step.cause() == Some(Cause::Drift));
        let is_open = is_repair || doubt != Doubt::None;
        if is_open { pace.interval.min(pace.iam_lag + Duration::from_secs(1)) } else { pace.interval }
    }

    /// What is said while no read has shown our last write.
    pub(super) fn not_shown(&self, claim: &Claim) -> Option<Finding> {
        let expectation = self.of(&claim.policy())?.expectation.as_ref()?;
        (!expectation.is_confirmed()).then(|| not_shown(claim))
    }

    pub(super) fn last_write(&self, claim: &Claim, role: &RoleState) -> LastWrite {
        let (Some(of_policy), RoleState::Found(role)) = (self.of(&claim.policy()), role) else {
            return LastWrite::default();
        };
        let to_this_role = |written: &Option<Written>| {
            written.as_ref().filter(|written| written.role == role.id).map(|written| written.digest.clone())
        };
        LastWrite {
            remembered: to_this_role(&of_policy.written),
            reported: to_this_role(&of_policy.reported),
        }
    }

    pub(super) fn repairs(&self, claim: &Claim, pace: &Pace) -> Backoff {
        let repairs = self.of(&claim.policy()).and_then(|of_policy| of_policy.repairs);
        repairs.map_or(Backoff::None, |repairs| repairs.backoff(pace))
    }

    pub(super) fn in_sync(&self, claim: &Claim) -> Option<Document> {
        self.of(&claim.policy())?.in_sync.as_ref()?.document()
    }
}

impl Remembered {
    fn of(&self, policy: &PolicyRef) -> Option<&OfPolicy> {
        self.policies.iter().find(|(known, _)| known == policy).map(|(_, of_policy)| of_policy)
    }

    fn of_mut(&mut self, policy: &PolicyRef) -> Option<&mut OfPolicy> {
        self.policies.iter_mut().find(|(known, _)| known == policy).map(|(_, of_policy)| of_policy)
    }

    fn entry(&mut self, policy: &PolicyRef) -> &mut OfPolicy {
        let at = self.policies.binary_search_by(|(known, _)| known.cmp(policy)).unwrap_or_else(|at| {
            self.policies.insert(at, (policy.clone(), OfPolicy::default()));
            at
        });
        &mut self.policies[at].1
    }
}

fn meaning(step: &Step) -> Option<Digest> {
    step.text().map(|document| CanonicalPolicy::of(&document).digest())
}
