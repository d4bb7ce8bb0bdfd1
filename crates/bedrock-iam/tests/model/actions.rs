//! Everything that may happen next.

use crate::aws::{FORMER, Route, Tag};
use crate::catalog::Spec;
use crate::disturb::Foreign;
use crate::explore::Setting;
use crate::object::{Deletion, Object, Standing};
use crate::state::{Fate, State, View};
use bedrock_iam::consent;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Reconcile {
        object: usize,
        role_view: View,
        policy_view: View,
        former_view: View,
    },
    /// One look at the whole account shows the object's role and policies.
    Scan {
        object: usize,
        role_view: usize,
        policy_view: usize,
        former_view: usize,
    },
    Outdate {
        object: usize,
    },
    Send {
        object: usize,
        fate: Fate,
    },
    Tick,
    IamAnswers,
    Disturb(Disturbance),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Disturbance {
    Crash,
    Edit { object: usize, spec: Spec },
    Stand { object: usize, standing: Standing },
    Delete { object: usize, deletion: Deletion },
    Create { object: usize },
    Foreign { policy: usize, act: Foreign },
    ForeignElsewhere,
    Bedrock(Route),
    Consent(Tag),
    ConsentOfApplication(Tag),
    Restart(consent::ConsentPolicy),
    IamOutage,
    RecreateRole,
}

/// What may happen in a state.
pub(crate) fn actions(setting: &Setting, state: &State, actions: &mut Vec<Action>) {
    actions.push(Action::Tick);
    if state.aws.is_iam_out {
        actions.push(Action::IamAnswers);
    }
    for object in 0..state.objects.len() {
        of_operator(state, object, actions);
    }
    if state.left.total > 0 {
        let mut disturbances = Vec::new();
        disturb(setting, state, &mut disturbances);
        actions.extend(disturbances.into_iter().map(Action::Disturb));
    }
}

fn of_operator(state: &State, object: usize, actions: &mut Vec<Action>) {
    let it = &state.objects[object];
    if let Some(pending) = &it.pending {
        let mut fates = vec![Fate::Shown, Fate::NotShown, Fate::Refused];
        if state.left.total > 0 && state.left.lost_statuses > 0 {
            fates.push(Fate::StatusLost);
        }
        if state.left.total > 0 && state.left.lost_replies > 0 {
            fates.push(Fate::ReplyLost);
        }
        if state.aws.is_iam_out {
            fates.push(Fate::Unread);
        }
        actions.extend(fates.into_iter().map(|fate| Action::Send { object, fate }));
        if pending.generation != it.generation {
            actions.push(Action::Outdate { object });
        }
    } else if it.spec.is_some() {
        let views = |count: usize| {
            let unanswered = state.aws.is_iam_out.then_some(None);
            (0..count).map(Some).chain(unanswered)
        };
        for role_view in views(state.aws.role.views().count()) {
            for policy_view in views(state.aws.policies[object].views().count()) {
                for former_view in views(state.aws.policies[FORMER].views().count()) {
                    actions.push(Action::Reconcile { object, role_view, policy_view, former_view });
                    if let (Some(role_view), Some(policy_view), Some(former_view)) =
                        (role_view, policy_view, former_view)
                    {
                        actions.push(Action::Scan { object, role_view, policy_view, former_view });
                    }
                }
            }
        }
    }
}

fn disturb(setting: &Setting, state: &State, may: &mut Vec<Disturbance>) {
    let left = &state.left;
    let objects = setting.objects.iter().flatten().count();
    for (object, it) in state.objects.iter().enumerate().take(objects) {
        of_user(setting, state, (object, it), may);
    }
    if left.foreign > 0 {
        for policy in (0..objects).chain(state.is_moving.then_some(FORMER)) {
            may.extend(setting.acts.iter().map(|act| Disturbance::Foreign { policy, act: *act }));
        }
        may.push(Disturbance::ForeignElsewhere);
    }
    if left.crashes > 0 {
        may.push(Disturbance::Crash);
    }
    if left.routes > 0 {
        may.extend(Route::ALL.map(Disturbance::Bedrock));
    }
    if left.consents > 0 {
        may.extend(setting.tags.iter().copied().map(Disturbance::Consent));
    }
    if left.applications > 0 {
        let tags = [Tag::Listing, Tag::Nobody, Tag::Missing];
        may.extend(tags.map(Disturbance::ConsentOfApplication));
    }
    if left.restarts > 0 {
        may.extend(restarts(state.asks).iter().copied().map(Disturbance::Restart));
    }
    if left.outages > 0 && !state.aws.is_iam_out {
        may.push(Disturbance::IamOutage);
    }
    if left.roles > 0 {
        may.push(Disturbance::RecreateRole);
    }
}

fn of_user(setting: &Setting, state: &State, (object, it): (usize, &Object), may: &mut Vec<Disturbance>) {
    let is_kept = it.spec.is_some() && it.deletion.is_none();
    if state.left.edits > 0 && is_kept {
        may.extend(setting.specs.iter().map(|spec| Disturbance::Edit { object, spec: *spec }));
        may.extend(
            setting.deletions.iter().map(|deletion| Disturbance::Delete { object, deletion: *deletion }),
        );
    }
    if state.left.edits > 0 && it.spec.is_none() {
        may.push(Disturbance::Create { object });
    }
    if state.left.standings > 0 && is_kept {
        let standings = [Standing::Followed, Standing::Suspended, Standing::Invalid];
        may.extend(standings.map(|standing| Disturbance::Stand { object, standing }));
    }
}

/// How the operator may be started next; the record of what it wrote knows how it was started before.
fn restarts(asks: consent::ConsentPolicy) -> &'static [consent::ConsentPolicy] {
    match asks {
        consent::ConsentPolicy::Tag => &[consent::ConsentPolicy::None],
        consent::ConsentPolicy::Unconfirmed => &[consent::ConsentPolicy::Tag, consent::ConsentPolicy::None],
        consent::ConsentPolicy::None => &[consent::ConsentPolicy::Unconfirmed, consent::ConsentPolicy::Tag],
    }
}

impl Disturbance {
    /// `None` where it changes nothing or cannot happen.
    pub(crate) fn befall(self, state: &mut State) -> Option<()> {
        let before = state.clone();
        match self {
            Self::Crash => state.crash(),
            Self::Edit { object, spec } => state.edit(object, spec),
            Self::Stand { object, standing } => state.stand(object, standing),
            Self::Delete { object, deletion } => state.delete(object, deletion),
            Self::Create { object } => state.objects[object] = Object::new(Spec::Us),
            Self::Foreign { policy, act } => state.foreign(policy, act)?,
            Self::ForeignElsewhere => state.foreign_elsewhere(),
            Self::Bedrock(route) => state.route(route),
            Self::Consent(tag) => state.consent(tag),
            Self::ConsentOfApplication(tag) => state.consent_of_application(tag),
            Self::Restart(asks) => state.restart(asks),
            Self::IamOutage => state.aws.is_iam_out = true,
            Self::RecreateRole => state.recreate_role(),
        }
        if *state == before {
            return None;
        }
        let left = &mut state.left;
        let kind = match self {
            Self::Crash => &mut left.crashes,
            Self::Edit { .. } | Self::Delete { .. } | Self::Create { .. } => &mut left.edits,
            Self::Stand { .. } => &mut left.standings,
            Self::Foreign { .. } | Self::ForeignElsewhere => &mut left.foreign,
            Self::Bedrock(_) => &mut left.routes,
            Self::Consent(_) => &mut left.consents,
            Self::ConsentOfApplication(_) => &mut left.applications,
            Self::Restart(_) => &mut left.restarts,
            Self::IamOutage => &mut left.outages,
            Self::RecreateRole => &mut left.roles,
        };
        *kind -= 1;
        left.total -= 1;
        let may_matter = left.may_end_answers() || state.aws.is_out();
        state.objects.iter_mut().for_each(|object| object.is_proven &= may_matter);
        Some(())
    }
}
