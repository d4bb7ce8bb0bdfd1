use std::sync::Arc;

use bedrock_iam::consent;
use bedrock_iam::{Decision, RoleState};

use crate::aws::{Author, Aws, FORMER, Policy, Register, Role, Route, Stored, Tag};
use crate::catalog::{self, APPLICATION, Spec};
use crate::disturb::Bounds;
use crate::known::Known;
use crate::object::{Object, Pending, Write};
use crate::operator::{Course, Decided, Operator, Question, Read, Sent, Subject, Want};
use crate::promise::Promise;

/// The role, the two objects and the operator's memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) aws: Aws,
    pub(crate) objects: [Object; 2],
    /// Whether the first object's policy is moved from another cluster id.
    pub(crate) is_moving: bool,
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
        former: Option<Spec>,
    ) -> Self {
        let granted = former.map_or(0, Spec::wanted) & route.answered();
        let former_policy = catalog::document(FORMER, granted);
        let former_policy = former_policy.map(|it| Stored::new(Author::Operator, it.to_json()));
        let aws = Aws::new(route, role, former_policy);
        let mut objects = specs.map(|spec| spec.map_or_else(|| Object::gone(false), Object::new));
        objects[0].established = granted & specs[0].map_or(0, Spec::wanted);
        let is_moving = former.is_some();
        Self { theirs: aws.other.clone(), aws, objects, is_moving, asks, left, broken: None }
    }

    /// The policies of an object.
    fn names(&self, object: usize) -> impl Iterator<Item = usize> + use<> {
        let former = (self.is_moving && object == 0).then_some(FORMER);
        std::iter::once(object).chain(former)
    }

    /// What the object's next reconcile goes by if it reads this.
    pub(crate) fn question(
        &self,
        operator: &Operator,
        object: usize,
        role: Read<Role>,
        policy: Read<Policy>,
        former: Read<Policy>,
    ) -> Option<Question> {
        let it = &self.objects[object];
        Some(Question {
            subject: self.subject(object),
            want: it.want()?,
            route: self.aws.route,
            application: self.aws.application,
            role,
            policy,
            former: (self.is_moving && object == 0).then_some(former),
            remembered: operator.following(&it.remembered, it.generation),
        })
    }

    fn subject(&self, object: usize) -> Subject {
        let told = &self.objects[object].told;
        let is_moving = self.is_moving && object == 0;
        Subject { object, is_outdated: false, asks: self.asks, is_moving, told: told.clone() }
    }

    /// Invariant 2: what was granted and has been wanted ever since is there.
    pub(crate) fn holds_what_is_established(&self, operator: &Operator) -> bool {
        let objects = self.objects.iter().enumerate();
        objects.into_iter().all(|(at, object)| object.established & !self.granted(operator, at) == 0)
    }

    /// What the policies of an object let through.
    fn granted(&self, operator: &Operator, object: usize) -> u8 {
        let policies = self.names(object).map(|of| operator.permissions(&self.aws.policies[of].now));
        policies.fold(0, |all, one| all | one)
    }

    /// Reads and decides, and where there is nothing to write, tells.
    pub(crate) fn reconcile(
        &mut self,
        operator: &Operator,
        object: usize,
        (role_view, policy_view, former_view): (View, View, View),
    ) -> Option<Arc<Decided>> {
        let role = shown(&self.aws.role, role_view)?;
        let policy = shown(&self.aws.policies[object], policy_view)?;
        let former = shown(&self.aws.policies[FORMER], former_view)?;
        let question = self.question(operator, object, role.clone(), policy.clone(), former.clone())?;
        let decided = operator.decide(&question);
        self.broken = self.broken.or(decided.broken).or(self.shaken(&question, &decided));

        let is_left = is_retained(&question, &decided.decision)
            || is_shown_foreign(&policy)
            || is_shown_foreign(&former)
            || is_overlooked(self.asks, &role, policy_view);
        let pending = self.pending(operator, &question, &decided);
        let is_current = [role_view, policy_view, former_view] == [Some(0); 3];
        let is_remembered = self.is_remembered(object, &role);
        let is_leaving = matches!(question.want, Want::Gone | Want::Retained);
        let it = &mut self.objects[object];
        match pending {
            Some(pending) => {
                if !is_leaving {
                    it.remembered = decided.remembered.clone();
                }
                it.pending = Some(Pending { is_left, ..pending });
            }
            None if is_leaving && decided.decision.plan.obstacle.is_some() => {}
            None if is_leaving => {
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
        self.excuse(object, [(object, &policy), (FORMER, &former)], is_remembered);
        self.excuse_move(operator, object, &policy);
        Some(decided)
    }

    fn pending(&mut self, operator: &Operator, question: &Question, decided: &Decided) -> Option<Pending> {
        let writes = self.writes(&decided.course)?;
        Some(Pending {
            want: question.want,
            generation: self.objects[question.subject.object].generation,
            decision: decided.decision.clone(),
            writes,
            taken: 0,
            withdrawal: self.withdrawal(operator, question, decided),
            is_outdated: false,
            is_left: false,
        })
    }

    fn writes(&self, course: &Course) -> Option<Vec<Write>> {
        let Course::Writes(writes) = course else { return None };
        let write = |(of, policy): &(usize, Policy)| {
            let register = &self.aws.policies[*of];
            let is_plain = register.is_shown_to_all();
            let is_trespass = is_plain && is_foreign(&register.now);
            let beside = if is_plain { beside(&register.now) } else { 0 };
            Write { of: *of, policy: policy.clone(), is_trespass, beside }
        };
        Some(writes.iter().map(write).collect())
    }

    /// What is left to do by the same reads, should the object change before anything is sent.
    fn withdrawal(
        &mut self,
        operator: &Operator,
        question: &Question,
        decided: &Decided,
    ) -> Option<(Known<Decision>, Vec<Write>)> {
        if decided.decision.plan.is_withdrawal || !self.left.may_change_objects() {
            return None;
        }
        let subject = Subject { is_outdated: true, ..question.subject.clone() };
        let outdated = operator.decide(&Question { subject, ..question.clone() });
        self.broken = self.broken.or(outdated.broken);
        Some((outdated.decision.clone(), self.writes(&outdated.course)?))
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
        if pending.is_outdated || pending.taken > 0 || is_withdrawal || pending.generation == it.generation {
            return None;
        }
        match pending.withdrawal.take() {
            Some((decision, writes)) => {
                pending.is_outdated = true;
                (pending.decision, pending.writes) = (decision, writes);
            }
            None => it.pending = None,
        }
        Some(())
    }

    /// Sends the next step of what was decided, reads it back, and behind the last one tells.
    pub(crate) fn send(&mut self, operator: &Operator, object: usize, fate: Fate) -> Option<()> {
        let subject = self.subject(object);
        let it = &mut self.objects[object];
        let mut pending = it.pending.take()?;
        let Write { of, policy, is_trespass, beside: theirs } = pending.writes[pending.taken].clone();
        let is_last = pending.taken + 1 == pending.writes.len();
        if fate == Fate::StatusLost && !is_last {
            return None;
        }
        let register = &mut self.aws.policies[of];
        let before = register.now.clone();
        if fate != Fate::Refused {
            let is_changed =
                is_trespass && is_foreign(&before) || theirs & beside(&before) & !beside(&policy) != 0;
            if is_changed {
                self.broken = self.broken.or(Some(Promise::NothingForeignIsChanged));
            }
            register.set(policy.clone());
            it.is_proven = false;
        }
        if matches!(pending.want, Want::Gone | Want::Retained) {
            match fate {
                Fate::Shown if is_last => {
                    let is_left = |write: &Write| write.policy.is_some();
                    *it = Object::gone(pending.is_left || pending.writes.iter().any(is_left));
                }
                Fate::Shown => {
                    pending.taken += 1;
                    it.pending = Some(pending);
                }
                Fate::NotShown | Fate::Unread => return None,
                Fate::StatusLost => it.forget(),
                Fate::ReplyLost | Fate::Refused => {}
            }
            return Some(());
        }
        let Pending { want, generation, is_outdated, .. } = pending;
        let sent = match fate {
            Fate::Shown | Fate::StatusLost => Sent::Taken(generation, Read::Shown(register.now.clone())),
            Fate::NotShown => Sent::Taken(generation, Read::Shown(before)),
            Fate::Unread => Sent::Taken(generation, Read::Unanswered),
            Fate::ReplyLost => Sent::Unanswered,
            Fate::Refused => Sent::Refused,
        };
        if let (Sent::Taken(..), RoleState::Found(role)) = (&sent, &pending.decision.believed.role)
            && of == object
        {
            it.wrote_to = Some((role.id.as_str().into(), 0));
        }
        let so_far = (&pending.decision, pending.taken);
        let end = operator.end(Subject { is_outdated, ..subject }, so_far, &it.remembered, sent);
        it.remembered = end.remembered.clone();
        if end.goes_on {
            pending.taken += 1;
            it.pending = Some(pending);
        } else if fate != Fate::StatusLost && !is_outdated {
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
        let Some(Want::InStep(spec)) = self.objects[object].want() else { return };
        for of in self.names(object) {
            let policy = &self.aws.policies[of].now;
            if policy.as_ref().is_some_and(|stored| stored.author == Author::Operator) {
                let granted = operator.permissions(policy) & spec.wanted() & !self.withdrawn();
                self.objects[object].established |= granted;
            }
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
    fn excuse(&mut self, object: usize, seen: [(usize, &Read<Policy>); 2], is_remembered: bool) {
        let is_old = |(of, seen): (usize, &Read<Policy>)| matches!(seen, Read::Shown(seen) if *seen != self.aws.policies[of].now);
        if !is_remembered && seen.into_iter().any(is_old) {
            let is_allowed = self.aws.application.consents(self.asks);
            let sure = self.aws.route.answered() & if is_allowed { u8::MAX } else { !APPLICATION };
            self.objects[object].established &= sure;
        }
    }

    /// The known limit of a move: whoever removes or edits the new policy, where a read does not show that yet, lets the old one go.
    fn excuse_move(&mut self, operator: &Operator, object: usize, seen: &Read<Policy>) {
        let now = &self.aws.policies[object].now;
        if self.names(object).count() > 1 && *seen != Read::Shown(now.clone()) {
            self.objects[object].established &= operator.permissions(now);
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

pub(crate) fn shown<T: Clone + Ord>(register: &Register<T>, view: View) -> Option<Read<T>> {
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
