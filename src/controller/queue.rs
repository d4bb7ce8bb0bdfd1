//! Which object is worked on next. Pure: no clock of its own, no runtime.
//!
//! First in first out within a namespace, the namespaces in turns and each with a share of the workers, what is urgent first
//! ([`Turns`]). A key that is worked on is not handed out a second time; who wakes it meanwhile has it handed out again afterwards.

use std::collections::{BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::Arc;

use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;

use super::cached::CachedObject;
use super::slots::Slots;
use crate::fairness::Urgency;
use crate::fairness::turns::{Place, Turn, Turns};

/// An object. It stands in several tables, and its names in one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(Arc<Named>);

/// An object by its names.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Named {
    pub(super) namespace: Arc<str>,
    pub(super) name: Box<str>,
}

impl Key {
    pub(super) fn new(namespace: &str, name: &str) -> Self {
        Self(Arc::new(Named { namespace: namespace.into(), name: name.into() }))
    }

    /// As the cache knows it.
    pub(super) fn to_ref(&self) -> ObjectRef<CachedObject> {
        ObjectRef::new(&self.name).within(&self.namespace)
    }
}

impl Deref for Key {
    type Target = Named;

    fn deref(&self) -> &Named {
        &self.0
    }
}

/// An object that is to be worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) key: Key,
    pub(super) urgency: Urgency,
    /// Since when it was due.
    pub(super) since: Instant,
}

/// What is to be worked on, now and later, and what is being worked on.
pub(super) struct Queue {
    entries: HashMap<Key, Entry>,
    /// What is not due yet.
    later: BTreeSet<(Instant, Key)>,
    due: Turns<Key>,
    /// Since when what is due is so.
    since: BTreeSet<(Instant, Key)>,
    slots: Slots,
}

/// When an object is to be worked on, and how urgent that is.
#[derive(Clone, Copy, Debug)]
struct Wake {
    at: Instant,
    urgency: Urgency,
}

impl Wake {
    /// What answers both: the earlier time, and the more urgent.
    fn and(self, other: Self) -> Self {
        Self { at: self.at.min(other.at), urgency: self.urgency.min(other.urgency) }
    }
}

#[derive(Clone, Copy, Debug)]
enum Entry {
    Later(Wake),
    Due { since: Instant, place: Place },
    Running { urgency: Urgency, again: Option<Wake> },
}

impl Queue {
    /// An empty queue for so many workers.
    pub(super) fn new(workers: usize) -> Self {
        Self {
            entries: HashMap::new(),
            later: BTreeSet::new(),
            due: Turns::default(),
            since: BTreeSet::new(),
            slots: Slots::new(workers),
        }
    }

    /// An object is to be worked on at a time. A later one never puts off an earlier one.
    pub(super) fn wake(&mut self, key: &Key, urgency: Urgency, at: Instant) {
        let wake = Wake { at, urgency };
        let entry = match self.entries.get(key).copied() {
            None => self.set_aside(key, wake),
            Some(Entry::Later(before)) => {
                self.later.remove(&(before.at, key.clone()));
                self.set_aside(key, before.and(wake))
            }
            Some(Entry::Due { since, place }) => {
                Entry::Due { since, place: self.due.hurry(&key.namespace, place, urgency) }
            }
            Some(Entry::Running { urgency, again }) => {
                Entry::Running { urgency, again: Some(again.map_or(wake, |before| before.and(wake))) }
            }
        };
        self.entries.insert(key.clone(), entry);
    }

    /// An object needs no look before a time, for all that time asked for. What is due already stays so.
    pub(super) fn put_off(&mut self, key: &Key, until: Instant) {
        if let Some(Entry::Later(before)) = self.entries.get(key).copied()
            && before.urgency == Urgency::Routine
            && before.at < until
        {
            self.later.remove(&(before.at, key.clone()));
            let entry = self.set_aside(key, Wake { at: until, ..before });
            self.entries.insert(key.clone(), entry);
        }
    }

    /// What is to be worked on now, if a worker may be had for anything that is due.
    pub(super) fn take(&mut self, now: Instant) -> Option<Task> {
        self.become_due(now);
        let waiting =
            self.due.tenants().filter(|namespace| !self.slots.holders().any(|held| held == *namespace));
        let active = waiting.count() + self.slots.holders().count();
        let slots = &self.slots;
        let next = self.due.next(|namespace, urgency| slots.excess(namespace, urgency, active));
        let Turn { urgency, item: key, .. } = next?;
        self.slots.hold(&key.namespace, urgency);
        let since = match self.entries.insert(key.clone(), Entry::Running { urgency, again: None }) {
            Some(Entry::Due { since, .. }) => since,
            _ => now,
        };
        self.since.remove(&(since, key.clone()));
        Some(Task { key, urgency, since })
    }

    /// An object is not worked on any more.
    pub(super) fn done(&mut self, key: &Key) {
        let Some(Entry::Running { urgency, again }) = self.entries.get(key).copied() else { return };
        self.slots.release(&key.namespace, urgency);
        self.entries.remove(key);
        if let Some(Wake { at, urgency }) = again {
            self.wake(key, urgency, at);
        }
    }

    /// When something that is not due yet will be.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Since when the oldest of what is due and is not worked on has been so.
    pub(super) fn oldest_due(&self, now: Instant) -> Option<Instant> {
        let later = self.next_due().filter(|at| *at <= now);
        self.since.first().map(|(since, _)| *since).into_iter().chain(later).min()
    }

    fn set_aside(&mut self, key: &Key, wake: Wake) -> Entry {
        self.later.insert((wake.at, key.clone()));
        Entry::Later(wake)
    }

    /// What has become due stands in line in the order in which it did.
    fn become_due(&mut self, now: Instant) {
        while self.next_due().is_some_and(|at| at <= now) {
            let Some((since, key)) = self.later.pop_first() else { return };
            let Some(Entry::Later(Wake { urgency, .. })) = self.entries.get(&key).copied() else { continue };
            let place = self.due.join(&key.namespace, urgency, key.clone());
            self.since.insert((since, key.clone()));
            self.entries.insert(key, Entry::Due { since, place });
        }
    }
}

#[cfg(test)]
mod tests;
