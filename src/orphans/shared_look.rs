use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bedrock_iam::orphan::{self, Installation, Orphan};
use bedrock_iam::scan::ScannedRole;

use crate::shard::Shard;

/// A look that begins just before a round of the sweep ends only after it.
const MOST_ROUNDS: u8 = 2;

/// A look at all roles that the sweep needs now and then, and that whoever looks at all roles anyhow takes for it: a look costs a call
/// for each two hundred roles.
#[derive(Default)]
pub struct SharedLook(Mutex<State>);

#[derive(Default)]
struct State {
    /// Whether somebody looks at all roles in every interval.
    is_offered: bool,
    asked: Asked,
}

#[derive(Default)]
enum Asked {
    #[default]
    Nothing,
    For(Sought),
    /// What a whole look came to.
    Answered(Found),
}

/// Which policies are looked for.
#[derive(Clone)]
pub(super) struct Sought {
    /// Those that no object of these looks after.
    pub(super) installations: Vec<Installation>,
    /// Those of its namespaces.
    pub(super) shard: Shard,
}

/// What a look came to.
#[derive(Default)]
pub(super) struct Found {
    pub(super) orphans: Vec<Orphan>,
    /// The cluster ids of policies that other shards judge.
    pub(super) ids_elsewhere: BTreeSet<String>,
}

/// A look that is under way; if it does not come to its end, it is asked for again.
pub(crate) struct Looking {
    sought: Sought,
    found: Found,
}

impl Looking {
    pub(super) fn new(sought: Sought) -> Self {
        Self { sought, found: Found::default() }
    }

    pub(super) fn found(self) -> Found {
        self.found
    }

    pub(crate) fn see(&mut self, role: &ScannedRole) {
        for orphan in orphan::orphans(&self.sought.installations, role) {
            if self.sought.shard.has_namespace(&orphan.object.namespace) {
                self.found.orphans.push(orphan);
            } else {
                self.found.ids_elsewhere.insert(orphan.claim.tenant.cluster_id);
            }
        }
    }
}

impl SharedLook {
    /// Somebody looks at all roles in every interval from now on, or nobody does.
    pub(crate) fn offer(&self, is_offered: bool) {
        self.lock().is_offered = is_offered;
    }

    /// What was asked for by an operator that led before is of no use.
    pub(super) fn reset(&self) {
        *self.lock() = State::default();
    }

    /// What the sweep asks for.
    pub(crate) fn begin(&self) -> Option<Looking> {
        match std::mem::take(&mut self.lock().asked) {
            Asked::For(sought) => Some(Looking::new(sought)),
            Asked::Nothing | Asked::Answered(_) => None,
        }
    }

    /// Every role was seen.
    pub(crate) fn end(&self, looking: Option<Looking>) {
        if let Some(looking) = looking {
            self.lock().asked = Asked::Answered(looking.found());
        }
    }

    /// The orphans of a look that was asked for; else it is asked for where one is offered. `Err` where the sweep has to look by
    /// itself: nobody offers, or who did has not come to an end since.
    pub(super) fn take(
        &self,
        sought: impl FnOnce() -> Sought,
        rounds: u8,
    ) -> Result<Option<Found>, NotOffered> {
        let mut state = self.lock();
        match std::mem::take(&mut state.asked) {
            Asked::Answered(found) => Ok(Some(found)),
            _ if rounds >= MOST_ROUNDS || !state.is_offered => Err(NotOffered),
            _ => {
                state.asked = Asked::For(sought());
                Ok(None)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half-written, so a poisoned lock holds a good value.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody looks at all roles for the sweep.
#[derive(Debug)]
pub(super) struct NotOffered;
