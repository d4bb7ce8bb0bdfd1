use std::collections::HashMap;
use std::sync::Mutex;

use bedrock_iam::CanonicalPolicy;

use crate::object::Object;
use crate::operator::{self, Operator, Route};
use crate::state::{Bounds, Fate, State, is_foreign};

/// Reconciles of each object until rest.
const MOST_ROUNDS: usize = 3;

/// Remembers of which states it is known whether they come to rest.
#[derive(Default)]
pub(crate) struct Rest(Mutex<HashMap<State, bool>>);

impl Rest {
    /// Invariant 3: once no fault follows, few reconciles bring about exactly what is wanted, and further ones nothing.
    pub(crate) fn is_reached_from(&self, operator: &Operator, state: &State) -> bool {
        let calm = after_faults(state);
        if let Some(known) = self.0.lock().unwrap().get(&calm) {
            return *known;
        }
        let is_reached = comes_to_rest(operator, calm.clone());
        self.0.lock().unwrap().insert(calm, is_reached);
        is_reached
    }
}

/// Bedrock answers again, every read is fresh, and what was about to be sent was lost or is sent by a later reconcile.
fn after_faults(state: &State) -> State {
    let mut state = state.clone();
    let Bounds { objects, lag, .. } = state.left;
    state.left = Bounds { objects, lag, ..NOTHING };
    state.is_trespassed = false;
    if state.route == Route::Unavailable {
        state.route = Route::Wide;
    }
    for object in &mut state.objects {
        object.pending = None;
        object.established = 0;
    }
    (0..=2 * lag).for_each(|_| state.tick());
    state
}

const NOTHING: Bounds = Bounds {
    objects: 2,
    lag: 1,
    total: 0,
    edits: 0,
    foreign: 0,
    crashes: 0,
    lost_replies: 0,
    lost_statuses: 0,
    routes: 0,
    consents: 0,
    roles: 0,
};

fn comes_to_rest(operator: &Operator, mut state: State) -> bool {
    for _ in 0..MOST_ROUNDS {
        if !round(operator, &mut state) {
            break;
        }
    }
    let at_rest = state.clone();
    !round(operator, &mut state) && state == at_rest && is_as_wanted(operator, &state)
}

/// One reconcile of each object; whether anything was written.
fn round(operator: &Operator, state: &mut State) -> bool {
    let mut wrote = false;
    for object in 0..state.objects.len() {
        if state.objects[object].spec.is_none() {
            continue;
        }
        state.reconcile(operator, object, 0, 0);
        wrote |= state.send(operator, object, Fate::Shown).is_some();
    }
    (0..=2 * state.left.lag).for_each(|_| state.tick());
    state.objects.iter_mut().for_each(|object| object.established = 0);
    wrote
}

fn is_as_wanted(operator: &Operator, state: &State) -> bool {
    (0..state.objects.len()).all(|object| {
        let Object { spec, is_deleted, is_policy_left, .. } = &state.objects[object];
        let policy = &state.aws.policies[object].now;
        let read = operator::read(object, policy);
        if is_foreign(policy) {
            return read.is_foreign();
        }
        let held = read.document().map(CanonicalPolicy::of);
        let wanted = spec.filter(|_| !is_deleted && state.aws.role.now.consents);
        let Some(spec) = wanted else { return held.is_none() || *is_policy_left };
        let is_expected = |route| held == operator::expected(object, spec, route);
        // A profile that answers less than before keeps what it had.
        let is_exact = is_expected(state.route) || (state.route == Route::Narrow && is_expected(Route::Wide));
        let decision = state.decide(operator, object, state.aws.role.now, policy);
        let is_proven = |desired| operator::is_proven(object, desired, policy);
        is_exact && decision.pending.is_none() && decision.desired.as_ref().is_none_or(is_proven)
    })
}
