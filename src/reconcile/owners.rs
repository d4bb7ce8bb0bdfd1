//! By whose consent objects hold what they hold: what the tags of each target said last, and which objects went by that. As soon as tags
//! say something else, those objects are to be looked at.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bedrock_iam::consent::{Consent, Tenant};
use bedrock_iam::orphan::ObjectName;
use bedrock_iam::{Account, Answers, Class, GuardrailArn, Region, Target};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Uid;
use crate::aws::{MaxAge, Tagged};
use crate::fairness::Urgency;

/// What belongs to the account, and consents by a tag of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Owned {
    pub(crate) region: Region,
    pub(crate) arn: String,
}

/// An object that goes by the consent of owners.
#[derive(Debug)]
pub(crate) struct Reliant {
    pub(crate) name: ObjectName,
    pub(crate) tenant: Tenant,
    /// Within which time a withdrawal has to reach it.
    pub(crate) interval: Duration,
}

/// A question to an owner that is due, and how old its answer may be.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) owned: Arc<Owned>,
    /// On whose behalf: who waits for many other answers keeps nobody waiting who does not.
    pub(crate) namespaces: Vec<String>,
    pub(crate) max_age: MaxAge,
}

/// What is known of owners, and of those who go by their word. Clones share it.
#[derive(Clone, Default)]
pub struct Owners(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    has_changed: Notify,
}

#[derive(Default)]
struct State {
    known: HashMap<Arc<Owned>, Known>,
    reliants: HashMap<Uid, (Reliant, BTreeSet<Arc<Owned>>)>,
    woken: HashMap<ObjectName, Urgency>,
}

/// What one owner said last.
struct Known {
    tags: Tagged,
    asked: Instant,
    /// When the question is to be asked again, however nobody looks.
    due: Instant,
    reliants: HashSet<Uid>,
}

/// For how long an owner's word holds for who has to hear of a withdrawal within an interval: a little less.
pub(super) fn good_for(interval: Duration) -> MaxAge {
    interval.mul_f64(0.95)
}

impl Owned {
    pub(super) fn of_target(target: &Target, account: &Account) -> Option<Self> {
        target.owned(account).map(|arn| Self { region: target.source().clone(), arn })
    }

    pub(super) fn of_guardrail(arn: &GuardrailArn) -> Self {
        Self { region: arn.region.clone(), arn: arn.to_string() }
    }
}

impl Reliant {
    fn may_use(&self, tags: &Tagged) -> bool {
        tags.as_ref().is_ok_and(|tags| self.tenant.consent(tags) == Consent::Given)
    }

    /// How urgent a look is after an owner's word has changed.
    fn urgency(&self, before: &Tagged, now: &Tagged) -> Urgency {
        match (self.may_use(before), self.may_use(now)) {
            (true, false) => Urgency::Withdrawal,
            (false, true) => Urgency::Change,
            _ => Urgency::Routine,
        }
    }
}

impl Owners {
    /// An owner was asked, on behalf of an object or of nobody. Who went by another answer is woken; the asker knows.
    pub(super) fn learn(&self, owned: &Owned, tags: &Tagged, asker: Option<Uid>) {
        let (now, mut state) = (Instant::now(), self.lock());
        let State { known, reliants, woken } = &mut *state;
        let Some(known) = known.get_mut(owned) else {
            state.known.insert(Arc::new(owned.clone()), Known::new(tags.clone(), now));
            return;
        };
        let before = mem::replace(&mut known.tags, tags.clone());
        known.asked = now;
        known.due = now + good_for(known.interval(reliants));
        if before == known.tags {
            return;
        }
        for uid in known.reliants.iter().filter(|uid| Some(**uid) != asker) {
            let Some((reliant, _)) = reliants.get(uid) else { continue };
            wake(woken, &reliant.name, reliant.urgency(&before, &known.tags));
        }
        self.0.has_changed.notify_one();
    }

    /// An object goes by these answers, and by those of no other owner. It is woken if one of them is out of date already.
    pub(super) fn rely(&self, uid: Uid, reliant: Reliant, account: &Account, answers: &Answers) {
        let targets = answers
            .tags
            .iter()
            .filter_map(|(target, tags)| Owned::of_target(target, account).map(|owned| (owned, tags)));
        let guardrails = answers.guardrails.iter().map(|(arn, tags)| (Owned::of_guardrail(arn), tags));
        let answers: Vec<_> = targets.chain(guardrails).collect();
        let mut state = self.lock();
        state.forget(uid);
        if answers.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut owners = BTreeSet::new();
        for (owned, tags) in answers {
            if !is_unknown(tags) && !state.known.contains_key(&owned) {
                state.known.insert(Arc::new(owned.clone()), Known::new(tags.clone(), now));
            }
            let State { known, woken, .. } = &mut *state;
            let Some((name, _)) = known.get_key_value(&owned) else { continue };
            owners.insert(Arc::clone(name));
            let Some(known) = known.get_mut(&owned) else { continue };
            known.reliants.insert(uid);
            known.due = known.due.min(known.asked + good_for(reliant.interval));
            if !is_unknown(tags) && known.tags != *tags {
                wake(woken, &reliant.name, reliant.urgency(tags, &known.tags));
                self.0.has_changed.notify_one();
            }
        }
        state.reliants.insert(uid, (reliant, owners));
    }

    /// The questions that have to be asked again now, though nobody looks. Where no answer comes, they are due again a little later.
    pub(crate) fn due(&self) -> Vec<Due> {
        let (now, mut state) = (Instant::now(), self.lock());
        let State { known, reliants, .. } = &mut *state;
        known.retain(|_, known| !known.reliants.is_empty() || known.due > now);
        let mut questions = Vec::new();
        for (owned, known) in known.iter_mut().filter(|(_, known)| known.due <= now) {
            let interval = known.interval(reliants);
            known.due = now + interval / 4;
            let namespaces = known.namespaces(reliants);
            questions.push(Due { owned: Arc::clone(owned), namespaces, max_age: good_for(interval) });
        }
        questions
    }

    /// Waits until objects are to be looked at since an owner says something else.
    pub(crate) async fn woken(&self) -> Vec<(ObjectName, Urgency)> {
        loop {
            let woken = mem::take(&mut self.lock().woken);
            if !woken.is_empty() {
                return woken.into_iter().collect();
            }
            self.0.has_changed.notified().await;
        }
    }

    /// The UIDs of all objects that go by an owner's word.
    pub(crate) fn uids(&self) -> Vec<Uid> {
        self.lock().reliants.keys().copied().collect()
    }

    /// Forgets an object that is gone.
    pub(crate) fn forget(&self, uid: Uid) {
        self.lock().forget(uid);
    }

    /// Begins afresh.
    pub fn forget_all(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Who panics between two steps leaves at most an object that is asked for once too often.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, uid: Uid) {
        let Some((_, owners)) = self.reliants.remove(&uid) else { return };
        for owned in owners {
            if let Some(known) = self.known.get_mut(&owned) {
                known.reliants.remove(&uid);
            }
        }
    }
}

impl Known {
    fn new(tags: Tagged, asked: Instant) -> Self {
        Self { tags, asked, due: asked + LONELY, reliants: HashSet::new() }
    }

    /// Some of those who go by it, by chance.
    fn namespaces(&self, reliants: &HashMap<Uid, (Reliant, BTreeSet<Arc<Owned>>)>) -> Vec<String> {
        let reliants = self.reliants.iter().filter_map(|uid| reliants.get(uid));
        let namespaces: BTreeSet<&String> = reliants.map(|(reliant, _)| &reliant.name.namespace).collect();
        fastrand::choose_multiple(namespaces, ASKING).into_iter().cloned().collect()
    }

    /// The shortest of those who go by it.
    fn interval(&self, reliants: &HashMap<Uid, (Reliant, BTreeSet<Arc<Owned>>)>) -> Duration {
        let reliants = self.reliants.iter().filter_map(|uid| reliants.get(uid));
        reliants.map(|(reliant, _)| reliant.interval).min().unwrap_or(LONELY)
    }
}

/// Namespaces on whose behalf one owner is asked at once.
const ASKING: usize = 8;

/// How long an answer is kept that nobody goes by.
const LONELY: Duration = Duration::from_mins(10);

/// Whether nothing is known by an answer.
fn is_unknown(tags: &Tagged) -> bool {
    tags.as_ref().is_err_and(|fault| fault.class != Class::NotFound)
}

fn wake(woken: &mut HashMap<ObjectName, Urgency>, name: &ObjectName, urgency: Urgency) {
    let before = woken.entry(name.clone()).or_insert(urgency);
    *before = urgency.min(*before);
}
