use bedrock_iam::CanonicalPolicy;

use crate::aws::{FORMER, Policy, Route};
use crate::catalog::{self, APPLICATION, Spec};
use crate::disturb::Bounds;
use crate::memo::Memo;
use crate::operator::{Operator, Read, Want};
use crate::state::{Fate, State, is_foreign};

/// Reconciles of each object until rest.
const MOST_ROUNDS: usize = 3;

/// Remembers of which states it is known whether they come to rest.
#[derive(Default)]
pub(crate) struct Rest(Memo<State, bool>);

impl Rest {
    /// Invariant 3: once no fault follows, few reconciles bring about exactly what is wanted, and further ones nothing.
    pub(crate) fn is_reached_from(&self, operator: &Operator, state: &State) -> bool {
        let calm = after_faults(operator, state);
        self.0.get(&calm, || comes_to_rest(operator, calm.clone()))
    }
}

/// AWS answers again, every read is fresh, and what was about to be sent was lost or is sent by a later reconcile.
fn after_faults(operator: &Operator, state: &State) -> State {
    let mut state = state.clone();
    state.left = Bounds::default();
    state.broken = None;
    state.aws.is_iam_out = false;
    if state.aws.route == Route::Unavailable {
        state.aws.route = Route::Wide;
    }
    for object in &mut state.objects {
        object.pending = None;
        object.established = 0;
        object.is_proven = false;
    }
    settle(operator, &mut state);
    state
}

/// Lets time pass until it makes no difference.
fn settle(operator: &Operator, state: &mut State) {
    loop {
        let before = state.clone();
        state.tick(operator);
        if *state == before {
            break;
        }
    }
}

fn comes_to_rest(operator: &Operator, mut state: State) -> bool {
    for _ in 0..MOST_ROUNDS {
        if !round(operator, &mut state) {
            break;
        }
    }
    let at_rest = state.clone();
    !round(operator, &mut state) && state == at_rest && is_as_wanted(operator, &state)
}

/// One look at the whole account, and a reconcile of each object that it does not show at rest; whether anything was written.
fn round(operator: &Operator, state: &mut State) -> bool {
    let mut wrote = false;
    for object in 0..state.objects.len() {
        let newest = (Some(0), Some(0), Some(0));
        if state.scan(operator, object, newest) {
            continue;
        }
        state.reconcile(operator, object, newest);
        while state.send(operator, object, Fate::Shown).is_some() {
            wrote = true;
        }
    }
    settle(operator, state);
    for object in &mut state.objects {
        object.established = 0;
        object.is_proven = false;
    }
    wrote
}

fn is_as_wanted(operator: &Operator, state: &State) -> bool {
    is_former_as_wanted(operator, state) && is_own_as_wanted(operator, state)
}

/// What is left under the former cluster id: nothing once its object or its owner's word is gone, and nothing that was withdrawn.
fn is_former_as_wanted(operator: &Operator, state: &State) -> bool {
    let (policy, it) = (&state.aws.policies[FORMER].now, &state.objects[0]);
    let is_gone = policy.is_none() || is_foreign(policy);
    let is_withdrawn = state.aws.role.now.tag.withdraws(state.asks);
    is_gone
        || it.want().is_none() && it.is_policy_left
        || it.want().is_some() && !is_withdrawn && operator.permissions(policy) & state.withdrawn() == 0
}

fn is_own_as_wanted(operator: &Operator, state: &State) -> bool {
    (0..state.objects.len()).all(|object| {
        let it = &state.objects[object];
        let policy = &state.aws.policies[object].now;
        let read = operator.read(object, &Read::Shown(policy.clone()));
        if is_foreign(policy) {
            return read.is_foreign();
        }
        let held = read.document().map(CanonicalPolicy::of);
        let Some(want) = it.want() else { return held.is_none() || it.is_policy_left };
        is_at_rest(operator, state, object, policy)
            && match want {
                _ if state.aws.role.now.tag.withdraws(state.asks) => held.is_none(),
                Want::InStep(spec) if state.aws.role.now.tag.consents(state.asks) => {
                    allowed(state, spec).any(|permissions| held == catalog::exactly(object, permissions))
                }
                Want::InStep(_) | Want::Suspended | Want::Invalid => {
                    operator.permissions(policy) & state.withdrawn() == 0
                }
                Want::Gone | Want::Retained => false,
            }
    })
}

/// Whether a further reconcile writes nothing.
fn is_at_rest(operator: &Operator, state: &State, object: usize, policy: &Policy) -> bool {
    let role = Read::Shown(state.aws.role.now);
    let former = Read::Shown(state.aws.policies[FORMER].now.clone());
    let question = state.question(operator, object, role, Read::Shown(policy.clone()), former);
    question.is_some_and(|question| !operator.decide(&question).writes())
}

/// What may be granted by a spec, exactly.
fn allowed(state: &State, spec: Spec) -> impl Iterator<Item = u8> {
    // A profile that answers less than before keeps what it had.
    let routes = [state.aws.route, Route::Wide].into_iter();
    let application = match state.aws.application {
        tag if tag.consents(state.asks) => vec![APPLICATION],
        tag if tag.withdraws(state.asks) => vec![0],
        _ => vec![APPLICATION, 0],
    };
    routes.flat_map(move |route| {
        let offered = spec.wanted() & route.answered();
        application.clone().into_iter().map(move |allowed| offered & (!APPLICATION | allowed))
    })
}
