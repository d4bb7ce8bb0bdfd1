//! How urgent a look at an object is, by what the watch has shown of it. Pure.

use std::collections::HashMap;
use std::time::Duration;

use kube::{Resource, ResourceExt};
use tokio::time::Instant;

use super::queue::Key;
use crate::fairness::Urgency;
use crate::orphans::Guarded;
use crate::reconcile::FINALIZER;

/// Annotations can be changed at any rate without a new generation: of an object that goes on with it, one change in this time is
/// urgent.
const ANNOTATIONS: Duration = Duration::from_secs(10);

/// What was seen of each object.
#[derive(Default)]
pub(super) struct Sightings(HashMap<Key, Seen>);

struct Seen {
    uid: Option<String>,
    generation: Option<i64>,
    /// Until when another change without a new generation is routine.
    spent: Option<Instant>,
}

impl Sightings {
    /// How urgent the change is by which the watch shows an object.
    pub(super) fn urgency(&mut self, key: &Key, object: &Guarded, now: Instant) -> Urgency {
        let meta = object.meta();
        let (uid, generation) = (meta.uid.clone(), meta.generation);
        let seen = self.0.get_mut(key).filter(|seen| seen.uid == uid);
        let Some(seen) = seen else {
            self.0.insert(key.clone(), Seen { uid, generation, spent: None });
            return by_its_state(object);
        };
        if is_leaving(object) {
            return Urgency::Withdrawal;
        }
        if seen.generation != generation {
            seen.generation = generation;
            return Urgency::Change;
        }
        if seen.spent.is_some_and(|until| now < until) {
            return Urgency::Routine;
        }
        seen.spent = Some(now + ANNOTATIONS);
        Urgency::Change
    }

    /// An object is gone.
    pub(super) fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }
}

/// How urgent a look is that time alone asks for.
pub(super) fn in_time(object: &Guarded) -> Urgency {
    if is_leaving(object) { Urgency::Withdrawal } else { Urgency::Routine }
}

/// Of an object that was not seen before: new, or known to the operator that ran before.
fn by_its_state(object: &Guarded) -> Urgency {
    let status = object.0.as_ref().ok().and_then(|object| object.status.as_ref());
    let handled = status.and_then(|status| status.observed_generation);
    if is_leaving(object) {
        Urgency::Withdrawal
    } else if handled.is_none() || handled != object.meta().generation {
        Urgency::Change
    } else {
        Urgency::Routine
    }
}

/// Whether the object is being deleted and waits for us.
fn is_leaving(object: &Guarded) -> bool {
    object.meta().deletion_timestamp.is_some() && object.finalizers().iter().any(|name| name == FINALIZER)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;

    fn object(change: impl FnOnce(&mut Value)) -> Guarded {
        let mut object = json!({
            "metadata": {
                "name": "a", "namespace": "team-a", "uid": "1", "generation": 3, "finalizers": [FINALIZER],
            },
            "spec": {"role": {"name": "app"}, "sourceRegions": ["us-east-1"], "models": []},
            "status": {"observedGeneration": 3},
        });
        change(&mut object);
        serde_json::from_value(object).unwrap()
    }

    fn key() -> Key {
        Key { namespace: Arc::from("team-a"), name: Arc::from("a") }
    }

    fn deleted(object: &mut Value) {
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    }

    #[test]
    fn at_the_start_what_is_known_is_routine_and_goes_behind_what_is_new_or_leaves() {
        let urgency = |object: Guarded| Sightings::default().urgency(&key(), &object, Instant::now());
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
        let mut see = |object: &Guarded, after: u64| {
            sightings.urgency(&key(), object, now + Duration::from_secs(after))
        };
        see(&object(|_| ()), 0);
        let noted = object(|object| object["metadata"]["annotations"] = json!({"a": "b"}));
        let told = [0, 1, 9, 10, 19, 20].map(|after| see(&noted, after));
        let (change, routine) = (Urgency::Change, Urgency::Routine);
        assert_eq!(told, [change, routine, routine, change, routine, change]);
        for generation in 4..9 {
            let changed = object(|object| object["metadata"]["generation"] = json!(generation));
            assert_eq!(see(&changed, 21), change, "{generation}");
        }
        assert_eq!(see(&object(deleted), 21), Urgency::Withdrawal);
    }

    #[test]
    fn another_object_of_the_same_name_is_new() {
        let (mut sightings, now) = (Sightings::default(), Instant::now());
        sightings.urgency(&key(), &object(|_| ()), now);
        let successor = object(|object| {
            object["metadata"]["uid"] = json!("2");
            object["status"] = Value::Null;
        });
        assert_eq!(sightings.urgency(&key(), &successor, now), Urgency::Change);
    }
}
