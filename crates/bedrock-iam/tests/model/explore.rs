//! The exploration of one setting, and what has to hold in each state.

use std::sync::OnceLock;
use std::time::Instant;

use bedrock_iam::consent;
use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::actions::{self, Action};
use crate::aws::{Route, Tag};
use crate::catalog::Spec;
use crate::disturb::{Bounds, Foreign};
use crate::object::Deletion;
use crate::operator::Operator;
use crate::promise::Promise;
use crate::rest::Rest;
use crate::sights::{Sight, Sights};
use crate::state::{Fate, State};

/// Where an exploration begins, and how far it goes.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// For how many ticks a read may still show what was there before a change.
    pub(crate) lag: u8,
    /// What each object wants at first; `None` where there is none.
    pub(crate) objects: [Option<Spec>; 2],
    /// What the first object's policy grants that was written under another cluster id, if one was.
    pub(crate) former: Option<Spec>,
    /// What somebody else may do under our names.
    pub(crate) acts: &'static [Foreign],
    /// What objects may be changed to want.
    pub(crate) specs: &'static [Spec],
    pub(crate) deletions: &'static [Deletion],
    /// What the role's owner may have written at first.
    pub(crate) role: &'static [Tag],
    /// What owners may write then.
    pub(crate) tags: &'static [Tag],
    /// How the operator may be started at first.
    pub(crate) asks: &'static [consent::ConsentPolicy],
    pub(crate) bounds: Bounds,
    /// What has to be seen.
    pub(crate) sights: &'static [Sight],
}

struct Protocol {
    setting: Setting,
    operator: Operator,
    rest: Rest,
    sights: Sights,
    failure: OnceLock<State>,
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let Setting { role, asks, bounds, objects, former, .. } = self.setting;
        let mut states = Vec::new();
        for route in [Route::Narrow, Route::Wide] {
            for asks in asks {
                let state = |role: &Tag| State::new(route, *role, *asks, bounds, objects, former);
                states.extend(role.iter().map(state));
            }
        }
        states
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions::actions(&self.setting, state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        self.take(&mut state, last, action)?;
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing foreign is changed", |model: &Self, state: &State| {
                model.holds(state, || {
                    state.broken != Some(Promise::NothingForeignIsChanged) && state.aws.other == state.theirs
                })
            }),
            Property::always("what is wanted is never absent", |model: &Self, state: &State| {
                model.holds(state, || state.holds_what_is_established(&model.operator))
            }),
            Property::always("without faults, every object comes to rest", |model: &Self, state: &State| {
                model.holds(state, || model.rest.is_reached_from(&model.operator, state))
            }),
            Property::always("what an owner withdrew goes", |model: &Self, state: &State| {
                model.keeps(state, Promise::WhatAnOwnerWithdrewGoes)
            }),
            Property::always("nothing is granted without consent", |model: &Self, state: &State| {
                model.keeps(state, Promise::NothingIsGrantedWithoutConsent)
            }),
            Property::always("what is not followed stays as it is", |model: &Self, state: &State| {
                model.keeps(state, Promise::WhatIsNotFollowedStays)
            }),
            Property::always("an outage takes nothing that was proven", |model: &Self, state: &State| {
                model.keeps(state, Promise::AnOutageTakesNothing)
            }),
        ]
    }
}

impl Protocol {
    fn keeps(&self, state: &State, promise: Promise) -> bool {
        self.holds(state, || state.broken != Some(promise))
    }

    /// The checker would go on to a later and longer counterexample.
    fn holds(&self, state: &State, is_kept: impl FnOnce() -> bool) -> bool {
        is_kept() || self.failure.get_or_init(|| state.clone()) != state
    }

    /// `None` where it changes nothing or cannot happen.
    fn take(&self, state: &mut State, last: &State, action: Action) -> Option<()> {
        match action {
            Action::Reconcile { object, role_view, policy_view, former_view } => {
                let views = (role_view, policy_view, former_view);
                let decided = state.reconcile(&self.operator, object, views)?;
                self.sights.note(last, object, &decided);
            }
            Action::Scan { object, role_view, policy_view, former_view } => {
                let views = (Some(role_view), Some(policy_view), Some(former_view));
                if state.scan(&self.operator, object, views) {
                    self.sights.note_one(Sight::Scanned);
                }
            }
            Action::Outdate { object } => {
                state.outdate(object)?;
                if state.objects[object].pending.is_some() {
                    self.sights.note_one(Sight::Outdated);
                }
            }
            Action::Send { object, fate } => {
                state.send(&self.operator, object, fate)?;
                let left = &mut state.left;
                match fate {
                    Fate::StatusLost => left.lost_statuses -= 1,
                    Fate::ReplyLost => left.lost_replies -= 1,
                    Fate::Shown | Fate::NotShown | Fate::Unread | Fate::Refused => return Some(()),
                }
                left.total -= 1;
            }
            Action::Tick => state.tick(&self.operator),
            Action::IamAnswers => state.aws.is_iam_out = false,
            Action::Disturb(disturbance) => disturbance.befall(state)?,
        }
        Some(())
    }
}

/// Goes through every state of a setting.
pub(crate) fn explore(setting: Setting) {
    let started = Instant::now();
    let model = Protocol {
        operator: Operator::new(setting.lag),
        setting,
        rest: Rest::default(),
        sights: Sights::default(),
        failure: OnceLock::new(),
    };
    // A single thread finds the shortest counterexample.
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!(
        "{}: {} states explored, {} of them unique, at most {} steps deep, in {:.1} s",
        setting.name,
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        started.elapsed().as_secs_f64()
    );
    checker.assert_properties();
    for sight in setting.sights {
        let times = checker.model().sights.times(*sight);
        println!("{}: {} ({times} times)", setting.name, sight.text());
        assert!(times > 0, "{}: never seen: {}", setting.name, sight.text());
    }
}
