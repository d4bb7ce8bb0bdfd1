//! The plan's protocol, explored exhaustively: one role, one or two objects, a foreign writer, and what may go wrong between
//! them. What decides is the product's own code; the model only stores, loses and delays.
//!
//! A reconcile is two steps: it reads and plans; then it sends, reads back and tells. In between, and before and after, anything
//! else may happen. A read answers what is there or anything that was there within the lag, role and policy apart.
//!
//! | bound | |
//! |---|---|
//! | disturbances | any two, of the kinds in [`Bounds`], at any moment and in any order |
//! | reads, reconciles, time | unbounded |
//! | routes | one profile with one or two destinations, one with one; or Bedrock does not answer |
//! | repairs until a quarrel | one |
//!
//! What no model of IAM can promise, since IAM writes unconditionally: a policy that somebody puts under our name between our
//! read and our write, or that our read does not show yet, is replaced. And what [`State::reconcile`] excuses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

mod aws;
mod known;
mod object;
mod operator;
mod rest;
mod state;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bedrock_iam::Reason;
use object::{Object, Spec};
use operator::{Decision, Operator, Route};
use rest::Rest;
use state::{Action, Bounds, Fate, Foreign, State};
use stateright::{Checker, HasDiscoveries, Model, Property};

struct Protocol {
    operator: Operator,
    rest: Rest,
    bounds: Bounds,
    failure: OnceLock<State>,
    /// What was seen at least once.
    sights: [AtomicBool; 8],
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        [Route::Narrow, Route::Wide].map(|route| State::new(route, self.bounds)).into()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.push(Action::Tick);
        for object in 0..state.objects.len() {
            of_operator(state, object, actions);
        }
        if state.left.total > 0 {
            disturbances(state, actions);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        take(&self.operator, &mut state, last, action)?;
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("1: nothing foreign is changed", |model: &Self, state: &State| {
                model.holds(state, || !state.is_trespassed && state.aws.other == state.theirs)
            }),
            Property::always("2: what is wanted is never absent", |model: &Self, state: &State| {
                model.holds(state, || state.holds_what_is_established(&model.operator))
            }),
            Property::always(
                "3: without faults, every object comes to rest",
                |model: &Self, state: &State| {
                    model.holds(state, || model.rest.is_reached_from(&model.operator, state))
                },
            ),
            Property::sometimes("drift is repaired", |model: &Self, state| {
                model.decides(0, state, |decision| {
                    decision.pending.as_ref().is_some_and(|write| write.is_repair)
                })
            }),
            Property::sometimes("a quarrel is named", |model: &Self, state| {
                model.decides(1, state, |decision| decision.reasons.contains(&Reason::Contended))
            }),
            Property::sometimes("a name that is taken is left alone", |model: &Self, state| {
                model.decides(2, state, |decision| decision.reasons.contains(&Reason::PolicyNameTaken))
            }),
            Property::sometimes("statements of others beside ours are kept", |model: &Self, state| {
                model.decides(7, state, |decision| decision.reasons.contains(&Reason::ForeignStatements))
            }),
            Property::sometimes("a shorter profile keeps its grant", |model: &Self, state| {
                model.decides(3, state, |decision| decision.reasons.contains(&Reason::ProfileShrunk))
            }),
            Property::sometimes("a grant without consent is taken away", |model: &Self, state| {
                model.decides(4, state, |decision| {
                    decision.reasons.contains(&Reason::ConsentMissing) && decision.pending.is_some()
                })
            }),
            Property::sometimes("a stale read is not believed", |model: &Self, state| {
                model.decides(5, state, |decision| decision.is_doubted && decision.pending.is_none())
            }),
            Property::sometimes("a write whose reply was lost is found", |model: &Self, state: &State| {
                let is_lost = |object: &Object| object.told.digest.is_none();
                state.left.lost_replies < model.bounds.lost_replies
                    && state.objects.iter().all(is_lost)
                    && model.decides(6, state, |decision| {
                        decision.pending.is_none() && decision.told.digest.is_some()
                    })
            }),
        ]
    }
}

impl Protocol {
    /// The checker would go on to a later and longer counterexample.
    fn holds(&self, state: &State, is_kept: impl FnOnce() -> bool) -> bool {
        is_kept() || self.failure.get_or_init(|| state.clone()) != state
    }

    /// Whether a reconcile in this state may decide so; the checker would go on to ask after it was seen.
    fn decides(&self, sight: usize, state: &State, is_sought: impl Fn(&Decision) -> bool) -> bool {
        let seen = &self.sights[sight];
        let is_first = !seen.load(Ordering::Relaxed) && self.any_decision(state, is_sought);
        seen.fetch_or(is_first, Ordering::Relaxed);
        is_first
    }

    fn any_decision(&self, state: &State, is_sought: impl Fn(&Decision) -> bool) -> bool {
        (0..state.objects.len()).filter(|object| state.objects[*object].spec.is_some()).any(|object| {
            let policies = state.aws.policies[object].views();
            let mut decisions =
                policies.map(|policy| state.decide(&self.operator, object, state.aws.role.now, policy));
            decisions.any(|decision| is_sought(&decision))
        })
    }
}

fn of_operator(state: &State, object: usize, actions: &mut Vec<Action>) {
    let Object { spec, pending, .. } = &state.objects[object];
    match pending {
        Some(_) => {
            let mut fates = vec![Fate::Shown, Fate::NotShown, Fate::Refused];
            if state.left.total > 0 && state.left.lost_statuses > 0 {
                fates.push(Fate::StatusLost);
            }
            if state.left.total > 0 && state.left.lost_replies > 0 {
                fates.push(Fate::ReplyLost);
            }
            actions.extend(fates.into_iter().map(|fate| Action::Send { object, fate }));
        }
        None if spec.is_some() => {
            for role_view in 0..state.aws.role.views().count() {
                for policy_view in 0..state.aws.policies[object].views().count() {
                    actions.push(Action::Reconcile { object, role_view, policy_view });
                }
            }
        }
        None => {}
    }
}

fn disturbances(state: &State, actions: &mut Vec<Action>) {
    let left = &state.left;
    for object in 0..usize::from(left.objects) {
        let Object { spec, is_deleted, .. } = &state.objects[object];
        if left.edits > 0 {
            match spec {
                Some(_) if !is_deleted => {
                    actions.extend(Spec::ALL.map(|spec| Action::Edit { object, spec }));
                    actions.push(Action::Delete { object });
                }
                Some(_) => {}
                None => actions.push(Action::Create { object }),
            }
        }
        if left.foreign > 0 {
            let acts = [Foreign::Remove, Foreign::Edit, Foreign::Add, Foreign::Take, Foreign::Leave];
            actions.extend(acts.map(|act| Action::Foreign { object, act }));
        }
    }
    if left.foreign > 0 {
        actions.push(Action::ForeignElsewhere);
    }
    if left.crashes > 0 {
        actions.push(Action::Crash);
    }
    if left.routes > 0 {
        actions.extend(Route::ALL.map(Action::Bedrock));
    }
    if left.consents > 0 {
        actions.push(Action::Consent(!state.aws.role.now.consents));
    }
    if left.roles > 0 {
        actions.push(Action::RecreateRole);
    }
}

fn take(operator: &Operator, state: &mut State, last: &State, action: Action) -> Option<()> {
    match action {
        Action::Reconcile { object, role_view, policy_view } => {
            return state.reconcile(operator, object, role_view, policy_view);
        }
        Action::Send { object, fate } => {
            state.send(operator, object, fate)?;
            match fate {
                Fate::StatusLost => state.left.lost_statuses -= 1,
                Fate::ReplyLost => state.left.lost_replies -= 1,
                Fate::Shown | Fate::NotShown | Fate::Refused => return Some(()),
            }
            state.left.total -= 1;
            return Some(());
        }
        Action::Tick => {
            state.tick();
            return Some(());
        }
        Action::Crash => state.crash(),
        Action::Edit { object, spec } => state.edit(object, spec),
        Action::Delete { object } => state.delete(object),
        Action::Create { object } => state.objects[object] = Object::new(Spec::Us),
        Action::Foreign { object, act } => state.foreign(object, act)?,
        Action::ForeignElsewhere => state.foreign_elsewhere(),
        Action::Bedrock(route) => state.route = route,
        Action::Consent(consents) => state.consent(consents),
        Action::RecreateRole => state.recreate_role(),
    }
    if state == last {
        return None;
    }
    let left = &mut state.left;
    let kind = match action {
        Action::Crash => &mut left.crashes,
        Action::Edit { .. } | Action::Delete { .. } | Action::Create { .. } => &mut left.edits,
        Action::Foreign { .. } | Action::ForeignElsewhere => &mut left.foreign,
        Action::Bedrock(_) => &mut left.routes,
        Action::Consent(_) => &mut left.consents,
        Action::RecreateRole => &mut left.roles,
        Action::Reconcile { .. } | Action::Send { .. } | Action::Tick => return Some(()),
    };
    *kind -= 1;
    left.total -= 1;
    Some(())
}

/// Each disturbance of a kind once, any two of them together.
const TWO_OBJECTS: Bounds = Bounds {
    objects: 2,
    lag: 1,
    total: 2,
    edits: 1,
    foreign: 1,
    crashes: 1,
    lost_replies: 1,
    lost_statuses: 1,
    routes: 1,
    consents: 1,
    roles: 0,
};

/// Two disturbances of one kind too, and memories that end while what they correct is still shown.
const ONE_OBJECT: Bounds =
    Bounds { objects: 1, lag: 2, edits: 2, foreign: 2, routes: 2, consents: 2, roles: 1, ..TWO_OBJECTS };

#[test]
fn two_objects_on_one_role_keep_the_invariants() {
    explore(TWO_OBJECTS);
}

#[test]
fn one_object_keeps_the_invariants_whatever_ends_first() {
    explore(ONE_OBJECT);
}

fn explore(bounds: Bounds) {
    let started = Instant::now();
    let model = Protocol {
        operator: Operator::default(),
        rest: Rest::default(),
        bounds,
        failure: OnceLock::new(),
        sights: Default::default(),
    };
    // A single thread finds the shortest counterexample.
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!(
        "{} object(s): {} states explored, {} of them unique, at most {} steps deep, in {:.1} s",
        bounds.objects,
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        started.elapsed().as_secs_f64()
    );
    checker.assert_properties();
}
