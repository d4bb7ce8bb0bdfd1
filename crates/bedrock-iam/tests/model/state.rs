use std::sync::Arc;

use bedrock_iam::Document;

use crate::aws::{Author, Aws, Policy, Role, Stored};
use crate::object::{Memory, Object, Spec};
use crate::operator::{self, Decision, Operator, Question, Route};

/// How often each disturbance may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    /// The objects that there are: one or two.
    pub(crate) objects: u8,
    /// For how many ticks a read may still show what was there before a change.
    pub(crate) lag: u8,
    /// All of them together.
    pub(crate) total: u8,
    /// Of specs, with deletions and new objects of an old name.
    pub(crate) edits: u8,
    /// Edits and removals of our policies, and policies of our names.
    pub(crate) foreign: u8,
    pub(crate) crashes: u8,
    pub(crate) lost_replies: u8,
    pub(crate) lost_statuses: u8,
    pub(crate) routes: u8,
    /// Consent withdrawn or given.
    pub(crate) consents: u8,
    /// The role deleted and created again.
    pub(crate) roles: u8,
}

/// The role, the two objects and the operator's memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) aws: Aws,
    pub(crate) objects: [Object; 2],
    pub(crate) route: Route,
    pub(crate) left: Bounds,
    /// Of the model alone: what the foreign writer wrote under its own name.
    pub(crate) theirs: Stored,
    /// Of the model alone: a policy of somebody else was changed or removed.
    pub(crate) is_trespassed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Reads, plans, and where there is nothing to write, tells; views are counted from the newest.
    Reconcile {
        object: usize,
        role_view: usize,
        policy_view: usize,
    },
    /// Sends what was planned, reads it back, tells.
    Send {
        object: usize,
        fate: Fate,
    },
    Crash,
    Tick,
    Edit {
        object: usize,
        spec: Spec,
    },
    Delete {
        object: usize,
    },
    Create {
        object: usize,
    },
    Foreign {
        object: usize,
        act: Foreign,
    },
    ForeignElsewhere,
    Bedrock(Route),
    Consent(bool),
    RecreateRole,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    /// It is applied, and the read-back shows it.
    Shown,
    /// It is applied, and the read-back shows what was there before.
    NotShown,
    /// It is applied, and the status or the finalizer cannot be written.
    StatusLost,
    /// It is applied, and no one says so.
    ReplyLost,
    /// It is not applied.
    Refused,
}

/// What somebody else does under a name of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Foreign {
    /// Takes our policy away.
    Remove,
    /// Takes one statement out of it.
    Edit,
    /// Puts a statement of its own beside ours.
    Add,
    /// Puts a policy of its own there.
    Take,
    /// Takes that away again.
    Leave,
}

impl State {
    pub(crate) fn new(route: Route, left: Bounds) -> Self {
        let aws = Aws::new();
        let second = if left.objects == 2 { Object::new(Spec::Us) } else { Object::gone(false) };
        Self {
            theirs: aws.other.clone(),
            aws,
            objects: [Object::new(Spec::UsAndMicro), second],
            route,
            left,
            is_trespassed: false,
        }
    }

    /// What the object's next reconcile decides if it reads this.
    pub(crate) fn decide(
        &self,
        operator: &Operator,
        object: usize,
        role: Role,
        policy: &Policy,
    ) -> Arc<Decision> {
        let Object { spec, is_deleted, told, memory, .. } = &self.objects[object];
        let question = Question {
            object,
            spec: spec.filter(|_| !is_deleted),
            route: self.route,
            role,
            policy: policy.clone(),
            unsettled: memory.unsettled.as_ref().map(|(_, unsettled)| unsettled.clone()),
            told: told.clone(),
            remembered: memory
                .written
                .clone()
                .filter(|_| memory.written_to == Some(operator::role_id_of(role))),
        };
        operator.decide(question, memory.patience(self.left.lag))
    }

    /// Invariant 2: what was granted and has been wanted ever since is there.
    pub(crate) fn holds_what_is_established(&self, operator: &Operator) -> bool {
        self.objects
            .iter()
            .zip(&self.aws.policies)
            .all(|(object, policy)| object.established & !operator.permissions(&policy.now) == 0)
    }

    pub(crate) fn reconcile(
        &mut self,
        operator: &Operator,
        object: usize,
        role_view: usize,
        policy_view: usize,
    ) -> Option<()> {
        let register = &self.aws.policies[object];
        let role = *self.aws.role.views().nth(role_view)?;
        let policy = register.views().nth(policy_view)?.clone();
        let is_plainly_foreign = register.is_shown_to_all() && is_foreign(&register.now);
        let is_plainly_beside = register.is_shown_to_all() && is_beside(&register.now);
        let decision = self.decide(operator, object, role, &policy);

        let it = &mut self.objects[object];
        let is_remembered =
            it.memory.unsettled.is_some() && it.memory.role == Some(operator::role_id_of(role));
        if let (Some((_, unsettled)), Some(after)) = (&mut it.memory.unsettled, &decision.unsettled) {
            *unsettled = after.clone();
        }
        it.pending.clone_from(&decision.pending);
        match &mut it.pending {
            Some(pending) => {
                pending.is_trespass = is_plainly_foreign;
                pending.is_beside = is_plainly_beside;
            }
            None if it.is_deleted => *it = Object::gone(is_foreign(&policy)),
            None => {
                it.told = decision.told.clone();
                if let (true, in_sync) = &decision.in_sync {
                    it.memory.written.clone_from(in_sync);
                    it.memory.written_to.clone_from(&decision.told.role);
                }
            }
        }
        self.establish(operator, object);
        self.excuse(object, &policy, is_remembered);
        Some(())
    }

    pub(crate) fn send(&mut self, operator: &Operator, object: usize, fate: Fate) -> Option<()> {
        let it = &mut self.objects[object];
        let pending = it.pending.take()?;
        if fate == Fate::Refused {
            return Some(());
        }
        let register = &mut self.aws.policies[object];
        self.is_trespassed |= pending.is_trespass && is_foreign(&register.now);
        self.is_trespassed |= pending.is_beside && is_beside(&register.now) && !is_beside(&pending.write);
        register.set(pending.write.clone());

        let is_deletion = pending.spec.is_none();
        match fate {
            Fate::Refused | Fate::ReplyLost => {}
            Fate::Shown if is_deletion => *it = Object::gone(false),
            Fate::NotShown if is_deletion => return None,
            Fate::StatusLost if is_deletion => it.memory = Memory::default(),
            Fate::Shown | Fate::NotShown | Fate::StatusLost => {
                let earlier = it.memory.unsettled.take().map(|(_, unsettled)| unsettled);
                let mut unsettled = operator.wrote(earlier.as_ref(), &pending);
                if fate != Fate::NotShown {
                    unsettled =
                        unsettled.map(|unsettled| operator.read_back(object, &unsettled, &register.now));
                }
                it.memory.unsettled = unsettled.map(|unsettled| (0, unsettled));
                it.memory.role.clone_from(&pending.told.role);
                it.memory.written.clone_from(&pending.told.digest);
                it.memory.written_to.clone_from(&pending.told.role);
                if pending.is_repair {
                    it.memory.repaired();
                }
                if fate != Fate::StatusLost {
                    it.told = pending.told.clone();
                }
            }
        }
        if self.objects[object].spec == pending.spec {
            self.establish(operator, object);
        }
        Some(())
    }

    /// Notes what is granted and wanted now. While some reads still show that consent is withdrawn, or an edit of somebody else
    /// stands, nothing is.
    fn establish(&mut self, operator: &Operator, object: usize) {
        let policy = &self.aws.policies[object].now;
        let is_ours = policy.as_ref().is_some_and(|stored| stored.author == Author::Operator);
        let it = &mut self.objects[object];
        if let Some(spec) = it.spec
            && !it.is_deleted
            && is_ours
            && self.aws.role.views().all(|role| role.consents)
        {
            it.established |= operator.permissions(policy) & spec.wanted();
        }
    }

    /// The known limit of invariant 2: what Bedrock no longer answers for is kept by what the policy holds, and a read that lags
    /// shows less of it. Where no memory of our write to this very role corrects such a read, only what Bedrock still answers is
    /// sure to stay.
    fn excuse(&mut self, object: usize, seen: &Policy, is_remembered: bool) {
        if *seen != self.aws.policies[object].now && !is_remembered {
            self.objects[object].established &= self.route.answered();
        }
    }

    pub(crate) fn crash(&mut self) {
        for object in &mut self.objects {
            object.memory = Memory::default();
            object.pending = None;
        }
    }

    pub(crate) fn tick(&mut self) {
        let Bounds { lag, .. } = self.left;
        self.aws.tick(lag);
        self.objects.iter_mut().for_each(|object| object.memory.tick(lag));
    }

    pub(crate) fn edit(&mut self, object: usize, spec: Spec) {
        let it = &mut self.objects[object];
        it.spec = Some(spec);
        it.established &= spec.wanted();
    }

    pub(crate) fn delete(&mut self, object: usize) {
        let it = &mut self.objects[object];
        it.is_deleted = true;
        it.established = 0;
    }

    pub(crate) fn foreign(&mut self, object: usize, act: Foreign) -> Option<()> {
        let register = &mut self.aws.policies[object];
        let stored = register.now.clone();
        let is_ours = stored.as_ref().is_some_and(|stored| stored.author != Author::Foreign);
        let after = match act {
            Foreign::Remove if is_ours => None,
            Foreign::Edit if is_ours => {
                let mut document = Document::parse(&stored?.text).ok()?;
                document.statement.pop().filter(|_| !document.statement.is_empty())?;
                Some(Stored::new(Author::Both, document.to_json()))
            }
            Foreign::Add if is_ours => {
                let stored = stored?;
                let mut document = Document::parse(&stored.text).ok()?;
                document.statement.extend(Document::parse(&Stored::foreign(BESIDE).text).ok()?.statement);
                Some(Stored::new(stored.author, document.to_json()))
            }
            Foreign::Take => Some(Stored::foreign("s3:PutObject")),
            Foreign::Leave if stored.is_some() && !is_ours => None,
            Foreign::Remove | Foreign::Edit | Foreign::Add | Foreign::Leave => return None,
        };
        register.set(after);
        self.objects[object].established = 0;
        Some(())
    }

    pub(crate) fn foreign_elsewhere(&mut self) {
        self.theirs = Stored::foreign("s3:DeleteObject");
        self.aws.other = self.theirs.clone();
    }

    pub(crate) fn consent(&mut self, consents: bool) {
        self.aws.role.set(Role { consents, ..self.aws.role.now });
        if !consents {
            self.objects.iter_mut().for_each(|object| object.established = 0);
        }
    }

    pub(crate) fn recreate_role(&mut self) {
        let Role { id, consents } = self.aws.role.now;
        self.aws.role.set(Role { id: id + 1, consents });
        self.aws.policies.iter_mut().for_each(|policy| policy.set(None));
        self.objects.iter_mut().for_each(|object| object.established = 0);
    }
}

/// The action of the statement that somebody puts beside ours.
const BESIDE: &str = "sqs:SendMessage";

/// Whether somebody else's statement stands in the policy, alone or beside ours.
fn is_beside(policy: &Policy) -> bool {
    policy.as_ref().is_some_and(|stored| stored.text.contains(BESIDE))
}

pub(crate) fn is_foreign(policy: &Policy) -> bool {
    policy.as_ref().is_some_and(|stored| stored.author == Author::Foreign)
}
