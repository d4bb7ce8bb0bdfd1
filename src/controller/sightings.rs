//! Whether the watch shows anything new of an object, and how urgent that is. Pure.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use kube::{Resource, ResourceExt};
use tokio::time::Instant;

use super::queue::Key;
use crate::fairness::Urgency;
use crate::orphans::Guarded;
use crate::reconcile::{FINALIZER, Uid, is_held};

/// Annotations can be changed at any rate without a new generation: of an object that goes on with it, one change in this time is
/// urgent.
const ANNOTATIONS: Duration = Duration::from_secs(10);

/// What of an object asks for work when it changes. Its status, which is ours, does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    uid: Uid,
    generation: Option<i64>,
    /// A hash of the annotations, and of the finalizers but ours.
    notes: u64,
    is_held: bool,
    is_deleted: bool,
    is_new: bool,
}

impl Sight {
    pub(super) fn of(object: &Guarded) -> Self {
        let meta = object.meta();
        let status = object.0.as_ref().ok().and_then(|object| object.status.as_ref());
        let handled = status.and_then(|status| status.observed_generation);
        let mut notes = DefaultHasher::new();
        object.annotations().hash(&mut notes);
        object.finalizers().iter().filter(|name| *name != FINALIZER).for_each(|name| name.hash(&mut notes));
        Self {
            uid: Uid::of(object),
            generation: meta.generation,
            notes: notes.finish(),
            is_held: is_held(object),
            is_deleted: meta.deletion_timestamp.is_some(),
            is_new: handled.is_none() || handled != meta.generation,
        }
    }

    pub(super) fn uid(&self) -> Uid {
        self.uid
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    /// How urgent a look is that time alone asks for.
    pub(super) fn in_time(&self) -> Urgency {
        if self.is_leaving() { Urgency::Withdrawal } else { Urgency::Routine }
    }

    /// Whether the object is being deleted and waits for us.
    fn is_leaving(&self) -> bool {
        self.is_deleted && self.is_held
    }

    /// Whether it is to be looked at before others that were not seen before.
    pub(super) fn is_in_a_hurry(&self) -> bool {
        self.by_its_state() < Urgency::Routine
    }

    /// Of an object that was not seen before: new, or known to the operator that ran before.
    fn by_its_state(&self) -> Urgency {
        if self.is_leaving() {
            Urgency::Withdrawal
        } else if self.is_new {
            Urgency::Change
        } else {
            Urgency::Routine
        }
    }

    /// The same, once our finalizer is on it.
    fn held(&self) -> Self {
        Self { is_held: true, is_new: false, ..self.clone() }
    }

    /// Whether there is nothing new in it. That our finalizer came is not: whoever put it there goes on by itself.
    fn is_repeated_by(&self, now: &Self) -> bool {
        let now = Self { is_new: false, ..now.clone() };
        now == Self { is_new: false, ..self.clone() } || now == self.held()
    }
}

/// What was seen of each object.
#[derive(Default)]
pub(super) struct Sightings(HashMap<Key, Seen>);

struct Seen {
    sight: Sight,
    /// Until when another change without a new generation is routine.
    spent: Option<Instant>,
}

impl Sightings {
    /// How urgent the change is by which the watch shows an object; `None` where there is none.
    pub(super) fn urgency(&mut self, key: &Key, sight: &Sight, now: Instant) -> Option<Urgency> {
        let Some(seen) = self.0.get_mut(key).filter(|seen| seen.sight.uid == sight.uid) else {
            self.0.insert(key.clone(), Seen { sight: sight.clone(), spent: None });
            return Some(sight.by_its_state());
        };
        let before = std::mem::replace(&mut seen.sight, sight.clone());
        if before.is_repeated_by(sight) {
            return None;
        }
        if sight.is_leaving() {
            return Some(Urgency::Withdrawal);
        }
        if before.generation != sight.generation {
            return Some(Urgency::Change);
        }
        if seen.spent.is_some_and(|until| now < until) {
            return Some(Urgency::Routine);
        }
        seen.spent = Some(now + ANNOTATIONS);
        Some(Urgency::Change)
    }

    /// An object is gone.
    pub(super) fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(change: impl FnOnce(&mut Value)) -> Sight {
        let mut object = json!({
            "metadata": {
                "name": "a", "namespace": "team-a", "uid": "1", "generation": 3, "finalizers": [FINALIZER],
            },
            "spec": {"role": {"name": "app"}, "sourceRegions": ["us-east-1"], "models": []},
            "status": {"observedGeneration": 3},
        });
        change(&mut object);
        Sight::of(&serde_json::from_value(object).unwrap())
    }

    fn key() -> Key {
        Key::new("team-a", "a")
    }

    fn deleted(object: &mut Value) {
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    }

    #[test]
    fn at_the_start_what_is_known_is_routine_and_goes_behind_what_is_new_or_leaves() {
        let urgency = |sight: Sight| Sightings::default().urgency(&key(), &sight, Instant::now()).unwrap();
        assert_eq!(urgency(object(|_| ())), Urgency::Routine);
        assert_eq!(urgency(object(deleted)), Urgency::Withdrawal);
        let fresh = object(|object| object["status"] = json!({"observedGeneration": -1}));
        assert_eq!(urgency(fresh), Urgency::Change);
        let untold = object(|object| object["status"] = Value::Null);
        assert_eq!(urgency(untold), Urgency::Change);
        let changed_meanwhile = object(|object| object["metadata"]["generation"] = json!(4));
        assert_eq!(urgency(changed_meanwhile), Urgency::Change);
        let released = object(|object| {
            deleted(object);
            object["metadata"]["finalizers"] = json!(["someone.else/finalizer"]);
        });
        assert_eq!(urgency(released), Urgency::Routine, "nothing of ours is left on it");
    }

    #[test]
    fn a_new_generation_and_a_deletion_are_urgent_every_time_and_annotations_once_in_ten_seconds() {
        let (mut sightings, now) = (Sightings::default(), Instant::now());
        let mut see =
            |sight: &Sight, after: u64| sightings.urgency(&key(), sight, now + Duration::from_secs(after));
        see(&object(|_| ()), 0);
        let noted = |text: u64| {
            object(|object| {
                object["metadata"]["annotations"] = json!({
            "bedrockaccess.io/reconcile-at": text.to_string()});
            })
        };
        let told = [0, 1, 9, 10, 19, 20].map(|after| see(&noted(after), after));
        let (change, routine) = (Some(Urgency::Change), Some(Urgency::Routine));
        assert_eq!(told, [change, routine, routine, change, routine, change]);
        for generation in 4..9 {
            let changed = object(|object| object["metadata"]["generation"] = json!(generation));
            assert_eq!(see(&changed, 21), change, "{generation}");
        }
        assert_eq!(see(&object(deleted), 21), Some(Urgency::Withdrawal));
    }

    #[test]
    fn our_own_status_and_our_own_finalizer_ask_for_nothing_and_its_loss_does() {
        let (mut sightings, now) = (Sightings::default(), Instant::now());
        let mut see = |change: fn(&mut Value)| sightings.urgency(&key(), &object(change), now);
        let bare = |object: &mut Value| {
            object["metadata"]["finalizers"] = json!([]);
            object["status"] = Value::Null;
        };
        assert_eq!(see(bare), Some(Urgency::Change));
        assert_eq!(see(|object| object["status"] = Value::Null), None, "our finalizer");
        assert_eq!(see(|_| ()), None, "our status");
        assert_eq!(see(|_| ()), None, "what a watch repeats");
        assert_eq!(see(|object| object["metadata"]["finalizers"] = json!([])), Some(Urgency::Change));
        let theirs = |object: &mut Value| object["metadata"]["finalizers"] = json!(["example.com/theirs"]);
        assert!(see(theirs).is_some(), "another's finalizer");
    }

    #[test]
    fn another_object_of_the_same_name_is_new() {
        let (mut sightings, now) = (Sightings::default(), Instant::now());
        sightings.urgency(&key(), &object(|_| ()), now);
        let successor = object(|object| {
            object["metadata"]["uid"] = json!("2");
            object["status"] = Value::Null;
        });
        assert_eq!(sightings.urgency(&key(), &successor, now), Some(Urgency::Change));
    }
}
