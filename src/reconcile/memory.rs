use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::decide::{Pace, Remembered};
use tokio::time::Instant;

use super::Uid;

/// What is remembered of each object, by its UID, from one reconcile to the next; what it is good for, the core knows.
pub struct Memory {
    /// How long IAM may show what was there before a write.
    iam_lag: Duration,
    /// With the moment for which each value holds.
    objects: Mutex<HashMap<Uid, (Instant, Remembered)>>,
}

impl Memory {
    /// Nothing is remembered yet.
    pub fn new(iam_lag: Duration) -> Self {
        Self { iam_lag, objects: Mutex::default() }
    }

    /// The times that decisions about an object keep to which is looked at in this interval.
    pub(super) fn pace(&self, interval: Duration) -> Pace {
        Pace::new(self.iam_lag, interval)
    }

    /// What is remembered of an object, as of now.
    pub(super) fn recall(&self, object: &BedrockAccess, pace: &Pace) -> Remembered {
        let objects = self.lock();
        let known = objects.get(&Uid::of(object));
        let now = known.map_or_else(Remembered::default, |(at, remembered)| {
            remembered.clone().after(at.elapsed(), pace)
        });
        now.following(object.metadata.generation)
    }

    /// Remembers this of an object from now on.
    pub(super) fn store(&self, object: &BedrockAccess, remembered: Remembered) {
        self.lock().insert(Uid::of(object), (Instant::now(), remembered.kept()));
    }

    /// Remembers this of an object of which nothing is remembered: whoever looks at it knows better.
    pub(super) fn store_first(&self, object: &BedrockAccess, remembered: Remembered) {
        let uid = Uid::of(object);
        self.lock().entry(uid).or_insert_with(|| (Instant::now(), remembered.kept()));
    }

    /// Changes what is remembered of an object, as of now.
    pub(super) fn update<T>(
        &self,
        object: &BedrockAccess,
        pace: &Pace,
        change: impl FnOnce(&mut Remembered) -> T,
    ) -> T {
        let mut remembered = self.recall(object, pace);
        let result = change(&mut remembered);
        self.store(object, remembered);
        result
    }

    /// Forgets what is too old to say anything, of objects that nobody looks at meanwhile.
    pub fn expire(&self, interval: Duration) {
        let pace = self.pace(interval);
        for (at, remembered) in self.lock().values_mut() {
            *remembered = std::mem::take(remembered).after(at.elapsed(), &pace).kept();
            *at = Instant::now();
        }
    }

    /// Begins afresh.
    pub fn forget_all(&self) {
        self.lock().clear();
    }

    /// The UIDs of all objects of which something is remembered.
    pub fn uids(&self) -> Vec<Uid> {
        self.lock().keys().copied().collect()
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, uid: Uid) {
        self.lock().remove(&uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uid, (Instant, Remembered)>> {
        // The map is never left half-written, so a poisoned lock holds a good map.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
