use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bedrock_access_api::annotations::ACCEPT_SHRINK;
use bedrock_access_api::v1alpha1::{BedrockAccess, BedrockAccessStatus};
use bedrock_iam::finding::Area;
use bedrock_iam::plan::Cause;
use bedrock_iam::{
    Claim, Digest, Document, Finding, Meaning, Observed, Patience, Plan, PolicyState, RoleState, Step,
    Unsettled,
};
use kube::ResourceExt;
use tokio::time::Instant;

use super::apply::Applied;
use super::verify::Outcome;

/// So many repairs, each within an interval of the one before, are taken for chance.
const REPAIRS_BY_CHANCE: u32 = 3;

/// Between two repairs of a policy that someone keeps undoing.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Before a write for which IAM had no room is sent again, the first time.
const FIRST_PAUSE: Duration = Duration::from_mins(5);

/// What is remembered of each object, by its UID, from one reconcile to the next. All of it may be lost at any time: then IAM's
/// delay looks like drift once, and a quarrel starts afresh.
pub struct Memory {
    /// How long IAM may show what was there before a write.
    iam_lag: Duration,
    objects: Mutex<HashMap<String, Remembered>>,
}

#[derive(Default)]
struct Remembered {
    unsettled: Option<(Instant, Unsettled)>,
    repairs: Option<Repairs>,
    accepted_shrink: Option<String>,
    in_sync: Option<Document>,
    written: Option<Written>,
    refused: Option<Refused>,
}

/// A write for which IAM had no room.
struct Refused {
    /// The meaning of what was to stand there.
    wanted: Digest,
    /// The role's other inline policies at that time.
    others: BTreeSet<String>,
    finding: Finding,
    at: Instant,
    pause: Duration,
}

/// A meaning, and the unique id of the role that holds it: a role that was created again holds nothing of ours.
struct Written {
    role: String,
    digest: Digest,
}

impl Written {
    fn of(role: &str, document: &Document) -> Self {
        Self { role: role.to_owned(), digest: Meaning::of(document).digest() }
    }
}

/// Repairs that followed one another within an interval.
#[derive(Clone, Copy)]
struct Repairs {
    count: u32,
    last: Instant,
    /// Of the spec that was followed.
    generation: Option<i64>,
}

impl Memory {
    /// Nothing is remembered yet.
    pub fn new(iam_lag: Duration) -> Self {
        Self { iam_lag, objects: Mutex::default() }
    }

    /// What is to be believed of what IAM shows.
    pub(super) fn believe(&self, uid: &str, observed: Observed, claim: &Claim) -> Observed {
        self.with_unsettled(uid, observed, |unsettled, observed| unsettled.believe(observed, claim))
    }

    /// What is to be believed of a policy that was read back.
    pub(super) fn believe_policy(&self, uid: &str, policy: PolicyState) -> PolicyState {
        self.with_unsettled(uid, policy, Unsettled::believe_policy)
    }

    /// Holds a new grant back while a read that was not believed says that the role did not consent.
    pub(super) fn restrain(&self, uid: &str, claim: &Claim, plan: Plan) -> Plan {
        self.with_unsettled(uid, plan, |unsettled, plan| unsettled.restrain(plan, claim))
    }

    /// What is to be said while no read has shown our last write.
    pub(super) fn not_shown(&self, uid: &str, claim: &Claim) -> Option<Finding> {
        self.with_unsettled(uid, None, |unsettled, _| unsettled.finding(claim))
    }

    /// How drift is to be met, and the pause between two repairs; an interval without drift ends a quarrel, and so does a person who
    /// changes the spec.
    pub(super) fn patience(&self, object: &BedrockAccess, interval: Duration) -> (Patience, Duration) {
        const CALM: (Patience, Duration) = (Patience::Calm, Duration::ZERO);
        let mut objects = self.lock();
        let Some(remembered) = objects.get_mut(&object.uid().unwrap_or_default()) else { return CALM };
        let Some(Repairs { count, last, generation }) = remembered.repairs else { return CALM };
        let pause = self.pause(count);
        // The look at which the pause is over may come an interval later.
        if last.elapsed() > pause + interval + self.iam_lag || generation != object.metadata.generation {
            remembered.repairs = None;
            return CALM;
        }
        match (count >= REPAIRS_BY_CHANCE, last.elapsed() >= pause) {
            (false, _) => CALM,
            (true, true) => (Patience::Retrying, pause),
            (true, false) => (Patience::Waiting, pause),
        }
    }

    /// Remembers a write that AWS took.
    pub(super) fn wrote(&self, of: &BedrockAccess, observed: &Observed, step: &Step) {
        let mut objects = self.lock();
        let object = objects.entry(of.uid().unwrap_or_default()).or_default();
        let now = Instant::now();
        let earlier = object.unsettled.take().filter(|(at, _)| at.elapsed() < self.iam_lag);
        let unsettled = Unsettled::after(earlier.map(|(_, unsettled)| unsettled), observed, step);
        object.unsettled = unsettled.map(|unsettled| (now, unsettled));
        object.refused = None;
        object.written = match (&observed.role, step.leaves().document()) {
            (RoleState::Found(role), Some(document)) => Some(Written::of(&role.id, document)),
            _ => None,
        };
        if let Step::Put { cause: Cause::Drift, .. } = step {
            let count = object.repairs.map_or(0, |repairs| repairs.count) + 1;
            object.repairs = Some(Repairs { count, last: now, generation: of.metadata.generation });
        }
    }

    /// The meaning that we last wrote to this very role, or saw there to be as it should.
    pub(super) fn written(&self, uid: &str, role: &RoleState) -> Option<Digest> {
        let RoleState::Found(role) = role else { return None };
        let objects = self.lock();
        let written = objects.get(uid)?.written.as_ref()?;
        (written.role == role.id).then(|| written.digest.clone())
    }

    /// What IAM said the last time to the very same write, as long as it would hardly say anything else: while the role has the same
    /// other policies, and for a pause that doubles up to an hour.
    pub(super) fn refused(&self, uid: &str, step: &Step, others: &BTreeSet<String>) -> Option<Finding> {
        let objects = self.lock();
        let refused = objects.get(uid)?.refused.as_ref()?;
        let is_the_same = meaning(step) == Some(refused.wanted.clone()) && *others == refused.others;
        (is_the_same && refused.at.elapsed() < refused.pause).then(|| refused.finding.clone())
    }

    /// Whether IAM had no room for the object's last write.
    pub(super) fn was_refused(&self, uid: &str) -> bool {
        self.lock().get(uid).is_some_and(|object| object.refused.is_some())
    }

    /// Remembers that IAM has no room for a write.
    pub(super) fn refuse(&self, uid: &str, step: &Step, others: BTreeSet<String>, finding: Finding) {
        let Some(wanted) = meaning(step) else { return };
        let mut objects = self.lock();
        let object = objects.entry(uid.to_owned()).or_default();
        let before =
            object.refused.take().filter(|before| before.wanted == wanted && before.others == others);
        let pause = before.map_or(FIRST_PAUSE, |before| (2 * before.pause).min(LONGEST_PAUSE));
        object.refused = Some(Refused { wanted, others, finding, at: Instant::now(), pause });
    }

    /// The policy as it was when it last was as it should be.
    pub(super) fn in_sync(&self, uid: &str) -> Option<Document> {
        self.lock().get(uid)?.in_sync.clone()
    }

    /// Whether the acceptance of a shrink was acted upon, whatever became of the status that says so too.
    pub(super) fn has_settled(&self, object: &BedrockAccess) -> bool {
        let accepted = object.annotations().get(ACCEPT_SHRINK);
        let objects = self.lock();
        let settled =
            objects.get(&object.uid().unwrap_or_default()).and_then(|object| object.accepted_shrink.as_ref());
        accepted.is_some() && accepted == settled
    }

    /// Remembers a policy that is as it should be, and an acceptance that was acted upon.
    pub(super) fn learn(
        &self,
        object: &BedrockAccess,
        plan: &Plan,
        outcome: &Outcome,
        told: &BedrockAccessStatus,
    ) {
        let mut objects = self.lock();
        let remembered = objects.entry(object.uid().unwrap_or_default()).or_default();
        let is_in_sync = outcome.findings.iter().all(|finding| finding.reason.area() != Area::PolicyInSync);
        if plan.desired.is_some() && is_in_sync {
            remembered.in_sync = outcome.policy.document().cloned();
            let role = told.role.as_ref().map(|role| role.id.as_str());
            remembered.written =
                role.zip(remembered.in_sync.as_ref()).map(|(role, document)| Written::of(role, document));
        }
        let accepted = object.annotations().get(ACCEPT_SHRINK);
        if accepted.is_some() && accepted == told.last_accepted_shrink.as_ref() {
            remembered.accepted_shrink = accepted.cloned();
        }
    }

    /// When to look again: as soon as IAM shows whether a repair lasted, or whether a read that was not believed was right.
    pub(super) fn next_look(&self, uid: &str, interval: Duration, applied: &Applied) -> Duration {
        let is_open =
            applied.is_repair() || self.with_unsettled(uid, false, |unsettled, _| unsettled.doubts());
        if is_open { interval.min(self.iam_lag + Duration::from_secs(1)) } else { interval }
    }

    /// Believes AWS alone from now on and holds nothing back, because a person asks for it.
    pub(super) fn begin_anew(&self, uid: &str) {
        if let Some(object) = self.lock().get_mut(uid) {
            object.unsettled = None;
            object.repairs = None;
            object.refused = None;
        }
    }

    /// Begins afresh.
    pub fn forget_all(&self) {
        self.lock().clear();
    }

    /// The UIDs of all objects of which something is remembered.
    pub fn uids(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    /// Longer with every repair, and never shorter than it takes to see whether one lasted.
    fn pause(&self, repairs: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(repairs.saturating_sub(REPAIRS_BY_CHANCE));
        self.iam_lag.saturating_mul(doubled).min(LONGEST_PAUSE)
    }

    fn with_unsettled<T>(&self, uid: &str, seen: T, weigh: impl FnOnce(&mut Unsettled, T) -> T) -> T {
        let mut objects = self.lock();
        let Some(object) = objects.get_mut(uid) else { return seen };
        object.unsettled.take_if(|(at, _)| at.elapsed() >= self.iam_lag);
        match &mut object.unsettled {
            Some((_, unsettled)) => weigh(unsettled, seen),
            None => seen,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Remembered>> {
        // The map is never left half-written, so a poisoned lock holds a good map.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn meaning(step: &Step) -> Option<Digest> {
    step.text().map(|document| Meaning::of(&document).digest())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_access_api::v1alpha1::BedrockAccessSpec;

    const LAG: Duration = Duration::from_mins(1);
    const INTERVAL: Duration = Duration::from_mins(10);

    fn object(generation: i64) -> BedrockAccess {
        let mut object = BedrockAccess::new("a", BedrockAccessSpec::default());
        object.metadata.uid = Some("a".to_owned());
        object.metadata.generation = Some(generation);
        object
    }

    fn patience(memory: &Memory) -> Patience {
        memory.patience(&object(1), INTERVAL).0
    }

    fn repair(memory: &Memory) {
        let document = Document::new(Vec::new());
        let step = Step::Put { document, smaller: None, foreign: None, cause: Cause::Drift };
        memory.wrote(&object(1), &Observed { role: RoleState::Missing, policy: PolicyState::Absent }, &step);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_keeps_undoing_the_policy_is_met_less_and_less_often_up_to_an_hour() {
        let memory = Memory::new(LAG);
        let mut pauses = Vec::new();
        for repairs in 1..=12 {
            repair(&memory);
            let repaired = Instant::now();
            // A look every interval, as the object gets one.
            loop {
                tokio::time::advance(INTERVAL).await;
                match patience(&memory) {
                    Patience::Calm if repairs < REPAIRS_BY_CHANCE => break,
                    Patience::Calm => panic!("the quarrel was forgotten after {repairs} repairs"),
                    Patience::Retrying => break,
                    Patience::Waiting => {}
                }
            }
            pauses.push(repaired.elapsed());
        }
        assert!(pauses.is_sorted(), "{pauses:?}");
        assert_eq!(pauses.last(), Some(&LONGEST_PAUSE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_ends_a_quarrel_by_asking_for_a_reconcile_or_changing_the_spec() {
        let quarrel = || {
            let memory = Memory::new(LAG);
            (0..REPAIRS_BY_CHANCE).for_each(|_| repair(&memory));
            assert_eq!(patience(&memory), Patience::Waiting);
            memory
        };
        let asked = quarrel();
        asked.begin_anew("a");
        assert_eq!(patience(&asked), Patience::Calm);
        assert_eq!(quarrel().patience(&object(2), INTERVAL).0, Patience::Calm);
    }

    #[tokio::test(start_paused = true)]
    async fn a_quarrel_ends_with_a_quiet_interval() {
        let memory = Memory::new(LAG);
        (0..REPAIRS_BY_CHANCE).for_each(|_| repair(&memory));
        assert_eq!(patience(&memory), Patience::Waiting);
        tokio::time::advance(3 * INTERVAL).await;
        assert_eq!(patience(&memory), Patience::Calm);
        repair(&memory);
        assert_eq!(patience(&memory), Patience::Calm, "it starts afresh");
    }
}
