use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
use crate::api::parse::ACCEPT_SHRINK;
use crate::api::v1alpha1::{BedrockAccess, BedrockAccessStatus};

/// So many repairs, each within an interval of the one before, are taken for chance.
const REPAIRS_BY_CHANCE: u32 = 3;

/// Between two repairs of a policy that someone keeps undoing.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

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

    /// How drift is to be met; an interval without any ends a quarrel.
    pub(super) fn patience(&self, uid: &str, interval: Duration) -> Patience {
        let mut objects = self.lock();
        let Some(object) = objects.get_mut(uid) else { return Patience::Calm };
        let Some(Repairs { count, last }) = object.repairs else { return Patience::Calm };
        let pause = self.pause(count);
        // The look at which the pause is over may come an interval later.
        if last.elapsed() > pause + interval + self.iam_lag {
            object.repairs = None;
            return Patience::Calm;
        }
        match (count >= REPAIRS_BY_CHANCE, last.elapsed() >= pause) {
            (false, _) => Patience::Calm,
            (true, true) => Patience::Retrying,
            (true, false) => Patience::Waiting,
        }
    }

    /// Remembers a write that AWS took.
    pub(super) fn wrote(&self, uid: &str, observed: &Observed, step: &Step) {
        let mut objects = self.lock();
        let object = objects.entry(uid.to_owned()).or_default();
        let now = Instant::now();
        let earlier = object.unsettled.take().filter(|(at, _)| at.elapsed() < self.iam_lag);
        let unsettled = Unsettled::after(earlier.map(|(_, unsettled)| unsettled), observed, step);
        object.unsettled = unsettled.map(|unsettled| (now, unsettled));
        object.written = match (&observed.role, step.leaves().document()) {
            (RoleState::Found(role), Some(document)) => Some(Written::of(&role.id, document)),
            _ => None,
        };
        if let Step::Put { cause: Cause::Drift, .. } = step {
            let count = object.repairs.map_or(0, |repairs| repairs.count) + 1;
            object.repairs = Some(Repairs { count, last: now });
        }
    }

    /// The meaning that we last wrote to this very role, or saw there to be as it should.
    pub(super) fn written(&self, uid: &str, role: &RoleState) -> Option<Digest> {
        let RoleState::Found(role) = role else { return None };
        let objects = self.lock();
        let written = objects.get(uid)?.written.as_ref()?;
        (written.role == role.id).then(|| written.digest.clone())
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

    /// Believes AWS alone from now on, because a person asks for it.
    pub(super) fn forget_write(&self, uid: &str) {
        if let Some(object) = self.lock().get_mut(uid) {
            object.unsettled = None;
        }
    }

    /// Begins afresh.
    pub fn forget_all(&self) {
        self.lock().clear();
    }

    /// Forgets what is remembered of all other objects than these: the watch may never have shown how one went.
    pub fn keep_only(&self, is_known: impl Fn(&str) -> bool) {
        self.lock().retain(|uid, _| is_known(uid));
    }

    /// Forgets an object that is gone.
    pub(super) fn forget(&self, uid: &str) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const LAG: Duration = Duration::from_mins(1);
    const INTERVAL: Duration = Duration::from_mins(10);

    fn repair(memory: &Memory) {
        let document = Document::new(Vec::new());
        let step = Step::Put { document, smaller: None, foreign: None, cause: Cause::Drift };
        memory.wrote("a", &Observed { role: RoleState::Missing, policy: PolicyState::Absent }, &step);
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
                match memory.patience("a", INTERVAL) {
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
    async fn a_quarrel_ends_with_a_quiet_interval() {
        let memory = Memory::new(LAG);
        (0..REPAIRS_BY_CHANCE).for_each(|_| repair(&memory));
        assert_eq!(memory.patience("a", INTERVAL), Patience::Waiting);
        tokio::time::advance(3 * INTERVAL).await;
        assert_eq!(memory.patience("a", INTERVAL), Patience::Calm);
        repair(&memory);
        assert_eq!(memory.patience("a", INTERVAL), Patience::Calm, "it starts afresh");
    }
}
