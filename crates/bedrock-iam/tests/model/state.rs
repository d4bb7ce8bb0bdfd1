use std::sync::Arc;

use bedrock_iam::consent;
use bedrock_iam::{Decision, RoleState};

use crate::aws::{Author, Aws, Policy, Register, Role, Route, Stored, Tag};
use crate::catalog::{APPLICATION, Spec};
use crate::disturb::Bounds;
use crate::known::Known;
use crate::object::{Object, Pending};
use crate::operator::{Course, Decided, Operator, Question, Read, Sent, Subject, Want};
use crate::promise::Promise;

/// The role, the two objects and the operator's memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) aws: Aws,
    pub(crate) objects: [Object; 2],
    /// How the operator was started.
    pub(crate) asks: consent::ConsentPolicy,
    /// What may still happen.
    pub(crate) left: Bounds,
    /// Of the model alone: what the foreign writer wrote under its own name.
    pub(crate) theirs: Stored,
    /// Of the model alone: the first promise that a decision or a write broke.
    pub(crate) broken: Option<Promise>,
}

/// Which answer a read gives, counted from the newest; `None` is no answer at all.
pub(crate) type View = Option<usize>;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    /// It is applied, and the read-back shows it.
    Shown,
    /// It is applied, and the read-back shows what was there before.
    NotShown,
    /// It is applied, and the read-back gets no answer.
    Unread,
    /// It is applied, and the status or the finalizer cannot be written.
    StatusLost,
    /// It is applied, and no one says so.
    ReplyLost,
    /// It is not applied.
    Refused,
}

impl State {
    pub(crate) fn new(
        route: Route,
        role: Tag,
        asks: consent::ConsentPolicy,
        left: Bounds,
        specs: [Option<Spec>; 2],
    ) -> Self {
        let aws = Aws::new(route, role);
        let objects = specs.map(|spec| spec.map_or_else(|| Object::gone(false), Object::new));
        Self { theirs: aws.other.clone(), aws, objects, asks, left, broken: None }
    }

    /// What the object's next reconcile goes by if it reads this.
    pub(crate) fn question(
        &self,
        operator: &Operator,
        object: usize,
        role: Read<Role>,
        policy: Read<Policy>,
    ) -> Option<Question> {
        let it = &self.objects[object];
        Some(Question {
            subject: self.subject(object),
            want: it.want()?,
            route: self.aws.route,
            application: self.aws.application,
            role,
            policy,
            remembered: operator.following(&it.remembered, it.generation),
        })
    }

    fn subject(&self, object: usize) -> Subject {
        let told = &self.objects[object].told;
        Subject { object, is_outdated: false, asks: self.asks, told: told.clone() }
    }

    /// Invariant 2: what was granted and has been wanted ever since is there.
    pub(crate) fn holds_what_is_established(&self, operator: &Operator) -> bool {
        self.objects
            .iter()
            .zip(&self.aws.policies)
            .all(|(object, policy)| object.established & !operator.permissions(&policy.now) == 0)
    }

    /// Reads and decides, and where there is nothing to write, tells.
    pub(crate) fn reconcile(
        &mut self,
        operator: &Operator,
        object: usize,
        (role_view, policy_view): (View, View),
    ) -> Option<Arc<Decided>> {
        let role = shown(&self.aws.role, role_view)?;
        let policy = shown(&self.aws.policies[object], policy_view)?;
        let question = self.question(operator, object, role.clone(), policy.clone())?;
        let decided = operator.decide(&question);
        self.broken = self.broken.or(decided.broken).or(self.shaken(&question, &decided));

        let pending = self.pending(operator, &question, &decided);
        let is_current = (role_view, policy_view) == (Some(0), Some(0));
        let is_remembered = self.is_remembered(object, &role);
        let is_leaving = matches!(question.want, Want::Gone | Want::Retained);
        let it = &mut self.objects[object];
        match pending {
            Some(pending) => {
                if !is_leaving {
                    it.remembered = decided.remembered.clone();
                }
                it.pending = Some(pending);
            }
            None if is_leaving && decided.decision.plan.obstacle.is_some() => {}
            None if is_leaving => {
                let is_left = is_retained(&question, &decided.decision)
                    || is_shown_foreign(&policy)
                    || is_overlooked(self.asks, &role, policy_view);
                *it = Object::gone(is_left);
            }
            None => {
                let Course::Ends(end) = &decided.course else { return None };
                it.remembered = end.remembered.clone();
                it.told = end.told.clone();
                let is_proven = matches!(question.want, Want::InStep(_)) && end.reasons.is_empty();
                let may_matter = self.left.may_end_answers();
                it.is_proven |= may_matter && is_current && is_proven && !decided.is_doubted;
            }
        }
        self.establish(operator, object);
        self.excuse(object, &policy, is_remembered);
        Some(decided)
    }

    fn pending(&mut self, operator: &Operator, question: &Question, decided: &Decided) -> Option<Pending> {
        let Course::Writes(write) = &decided.course else { return None };
        let register = &self.aws.policies[question.subject.object];
        let is_plain = register.is_shown_to_all();
        let is_trespass = is_plain && is_foreign(&register.now);
        let beside = if is_plain { beside(&register.now) } else { 0 };
        Some(Pending {
            want: question.want,
            generation: self.objects[question.subject.object].generation,
            decision: decided.decision.clone(),
            write: write.clone(),
            withdrawal: self.withdrawal(operator, question, decided),
            is_outdated: false,
            is_trespass,
            beside,
        })
    }

    /// What is left to do by the same reads, should the object change before anything is sent.
    fn withdrawal(
        &mut self,
        operator: &Operator,
        question: &Question,
        decided: &Decided,
    ) -> Option<(Known<Decision>, Policy)> {
        if decided.decision.plan.is_withdrawal || !self.left.may_change_objects() {
            return None;
        }
        let subject = Subject { is_outdated: true, ..question.subject.clone() };
        let outdated = operator.decide(&Question { subject, ..question.clone() });
        self.broken = self.broken.or(outdated.broken);
        let Course::Writes(write) = &outdated.course else { return None };
        Some((outdated.decision.clone(), write.clone()))
    }

    /// Whether an outage makes the operator write to a policy that was proven.
    fn shaken(&self, question: &Question, decided: &Decided) -> Option<Promise> {
        let Question { subject: Subject { object, .. }, role, policy, .. } = question;
        let current = (Read::Shown(self.aws.role.now), Read::Shown(self.aws.policies[*object].now.clone()));
        let is_out =
            *role == Read::Unanswered || *policy == Read::Unanswered || question.route == Route::Unavailable;
        let is_current = (*role == Read::Unanswered || *role == current.0)
            && (*policy == Read::Unanswered || *policy == current.1);
        let is_shaken = self.objects[*object].is_proven && is_out && is_current && decided.writes();
        is_shaken.then_some(Promise::AnOutageTakesNothing)
    }

    /// Finds that the object has changed since it was read, so that only what owners withdrew is left to do.
    pub(crate) fn outdate(&mut self, object: usize) -> Option<()> {
        let it = &mut self.objects[object];
        let pending = it.pending.as_mut()?;
        let is_withdrawal = pending.decision.plan.is_withdrawal;
        if pending.is_outdated || is_withdrawal || pending.generation == it.generation {
            return None;
        }
        match pending.withdrawal.take() {
            Some((decision, write)) => {
                pending.is_outdated = true;
                (pending.decision, pending.write) = (decision, write);
            }
            None => it.pending = None,
        }
        Some(())
    }

    /// Sends what was decided, reads it back, and tells.
    pub(crate) fn send(&mut self, operator: &Operator, object: usize, fate: Fate) -> Option<()> {
        let subject = self.subject(object);
        let it = &mut self.objects[object];
        let Pending { want, generation, decision, write, is_outdated, is_trespass, beside: theirs, .. } =
            it.pending.take()?;
        let register = &mut self.aws.policies[object];
        let before = register.now.clone();
        if fate != Fate::Refused {
            let is_changed =
                is_trespass && is_foreign(&before) || theirs & beside(&before) & !beside(&write) != 0;
            if is_changed {
                self.broken = self.broken.or(Some(Promise::NothingForeignIsChanged));
            }
            register.set(write.clone());
            it.is_proven = false;
        }
        if matches!(want, Want::Gone | Want::Retained) {
            match fate {
                Fate::Shown => *it = Object::gone(write.is_some()),
                Fate::NotShown | Fate::Unread => return None,
                Fate::StatusLost => it.forget(),
                Fate::ReplyLost | Fate::Refused => {}
            }
            return Some(());
        }
        let sent = match fate {
            Fate::Shown | Fate::StatusLost => Sent::Taken(generation, Read::Shown(register.now.clone())),
            Fate::NotShown => Sent::Taken(generation, Read::Shown(before)),
            Fate::Unread => Sent::Taken(generation, Read::Unanswered),
            Fate::ReplyLost => Sent::Unanswered,
            Fate::Refused => Sent::Refused,
        };
        if let (Sent::Taken(..), RoleState::Found(role)) = (&sent, &decision.believed.role) {
            it.wrote_to = Some((role.id.as_str().into(), 0));
        }
        let end = operator.end(Subject { is_outdated, ..subject }, &decision, &it.remembered, sent);
        it.remembered = end.remembered.clone();
        if fate != Fate::StatusLost && !is_outdated {
            it.told = end.told.clone();
        }
        if fate != Fate::Refused && it.want() == Some(want) {
            self.establish(operator, object);
        }
        Some(())
    }

    /// Notes what is granted and wanted now. While some reads still show that consent is withdrawn, or an edit of somebody else
    /// stands, nothing is.
    fn establish(&mut self, operator: &Operator, object: usize) {
        let policy = &self.aws.policies[object].now;
        let is_ours = policy.as_ref().is_some_and(|stored| stored.author == Author::Operator);
        if let Some(Want::InStep(spec)) = self.objects[object].want()
            && is_ours
        {
            let granted = operator.permissions(policy) & spec.wanted() & !self.withdrawn();
            self.objects[object].established |= granted;
        }
    }

    /// The permissions that an owner takes back, as far as any read shows.
    pub(crate) fn withdrawn(&self) -> u8 {
        if self.aws.role.views().any(|role| role.tag.withdraws(self.asks)) {
            return u8::MAX;
        }
        if self.aws.application.withdraws(self.asks) { APPLICATION } else { 0 }
    }

    /// Whether the process wrote of late to the role that a read shows.
    fn is_remembered(&self, object: usize, role: &Read<Role>) -> bool {
        let wrote_to = self.objects[object].wrote_to.as_ref();
        matches!(role, Read::Shown(role) if wrote_to.is_some_and(|(wrote_to, _)| **wrote_to == role.unique_id()))
    }

    /// The known limit of invariant 2: what Bedrock no longer answers for, or its owner no longer says, is kept by what the policy
    /// holds, and a read that lags shows less of it. Where no memory of our write to this very role corrects such a read, only what
    /// is answered is sure to stay.
    fn excuse(&mut self, object: usize, seen: &Read<Policy>, is_remembered: bool) {
        if let Read::Shown(seen) = seen
            && *seen != self.aws.policies[object].now
            && !is_remembered
        {
            let is_allowed = self.aws.application.consents(self.asks);
            let sure = self.aws.route.answered() & if is_allowed { u8::MAX } else { !APPLICATION };
            self.objects[object].established &= sure;
        }
    }

    pub(crate) fn tick(&mut self, operator: &Operator) {
        self.aws.tick(operator.lag);
        for object in &mut self.objects {
            object.remembered = operator.later(&object.remembered);
            if let Some((_, age)) = &mut object.wrote_to {
                *age += 1;
            }
            object.wrote_to.take_if(|(_, age)| *age >= operator.lag);
        }
    }
}

fn shown<T: Clone + Ord>(register: &Register<T>, view: View) -> Option<Read<T>> {
    match view {
        Some(view) => register.views().nth(view).cloned().map(Read::Shown),
        None => Some(Read::Unanswered),
    }
}

/// Whether an object goes whose policy may stay.
fn is_retained(question: &Question, decision: &Decision) -> bool {
    let may_stay = match &decision.believed.role {
        RoleState::Found(role) => Tag::of(&role.tags).is_some_and(|tag| tag.retains(question.subject.asks)),
        RoleState::Missing | RoleState::Fault(_) => false,
    };
    question.want == Want::Retained && may_stay
}

fn beside(policy: &Policy) -> u8 {
    policy.as_ref().map_or(0, |stored| stored.beside)
}

pub(crate) fn is_foreign(policy: &Policy) -> bool {
    policy.as_ref().is_some_and(|stored| stored.author == Author::Foreign)
}

/// The known limit of a deletion: a process that was started since its write, on a role that no longer consents, goes by a read
/// that lags, and finds nothing to take along. The look at the account finds it within a day.
fn is_overlooked(asks: consent::ConsentPolicy, role: &Read<Role>, policy: View) -> bool {
    let is_withdrawn = matches!(role, Read::Shown(role) if role.tag.withdraws(asks));
    is_withdrawn && policy != Some(0)
}

fn is_shown_foreign(policy: &Read<Policy>) -> bool {
    matches!(policy, Read::Shown(policy) if is_foreign(policy))
}
