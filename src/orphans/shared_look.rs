use std::sync::{Mutex, MutexGuard, PoisonError};

use bedrock_iam::orphan::{self, Installation, Orphan};
use bedrock_iam::scan::ScannedRole;

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
    /// Which policies are looked after by no object of these.
    For(Vec<Installation>),
    /// What a whole look came to.
    Answered(Vec<Orphan>),
}

/// A look that is under way; if it does not come to its end, it is asked for again.
pub(crate) struct Looking {
    installations: Vec<Installation>,
    found: Vec<Orphan>,
}

impl Looking {
    pub(super) fn new(installations: Vec<Installation>) -> Self {
        Self { installations, found: Vec::new() }
    }

    pub(super) fn found(self) -> Vec<Orphan> {
        self.found
    }

    pub(crate) fn see(&mut self, role: &ScannedRole) {
        self.found.extend(orphan::orphans(&self.installations, role));
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
            Asked::For(installations) => Some(Looking::new(installations)),
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
        installations: &[Installation],
        rounds: u8,
    ) -> Result<Option<Vec<Orphan>>, NotOffered> {
        let mut state = self.lock();
        match std::mem::take(&mut state.asked) {
            Asked::Answered(found) => Ok(Some(found)),
            _ if rounds >= MOST_ROUNDS || !state.is_offered => Err(NotOffered),
            _ => {
                state.asked = Asked::For(installations.to_vec());
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
