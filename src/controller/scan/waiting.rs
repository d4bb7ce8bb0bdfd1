//! Objects that are not at rest and wait for their role: until somebody creates it, or changes it so that they may write to it. Where there
//! is no role nothing can be on it, so that a look may wait until a scan shows it.

use std::collections::HashMap;

use bedrock_iam::scan::ScannedRole;
use kube::runtime::reflector::Store;
use tokio::time::Instant;

use super::resting::hash;
use crate::controller::cached::CachedObject;
use crate::controller::queue::Key;

/// The objects that wait.
#[derive(Default)]
pub(super) struct Waiting(HashMap<Key, Wait>);

struct Wait {
    /// The object, as a hash.
    object: u64,
    /// Its role, as a hash; `None` where there is none.
    role: Option<u64>,
    /// When it is to be looked at by its own reads, whatever a scan shows.
    full_look: Instant,
}

impl Waiting {
    /// When an object without a role is to be looked at by its own reads, if it has not changed since it was put here.
    pub(super) fn full_look(&self, object: &CachedObject) -> Option<Instant> {
        let wait = self.0.get(&object.key)?;
        (wait.object == hash(object.content()) && wait.role.is_none()).then_some(wait.full_look)
    }

    /// An object waits for its role to be another.
    pub(super) fn insert(&mut self, object: &CachedObject, role: Option<&ScannedRole>, full_look: Instant) {
        let wait = Wait { object: hash(object.content()), role: role.map(hash), full_look };
        self.0.insert(object.key.clone(), wait);
    }

    /// An object does not wait any more; whether it did, for another role than this.
    pub(super) fn ends(&mut self, key: &Key, role: &ScannedRole) -> bool {
        self.0.remove(key).is_some_and(|wait| wait.role != Some(hash(role)))
    }

    pub(super) fn remove(&mut self, key: &Key) {
        self.0.remove(key);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets objects that are gone, and those whose own look is due, so that it counts anew.
    pub(super) fn retain(&mut self, store: &Store<CachedObject>) {
        let now = Instant::now();
        self.0.retain(|key, wait| wait.full_look > now && store.get(&key.to_ref()).is_some());
        self.0.shrink_to_fit();
    }
}
