//! What the world does to the role, the objects and the operator.

use bedrock_iam::Document;
use bedrock_iam::consent;

use crate::aws::{Author, BESIDE, FORMER, Role, Route, Stored, Tag};
use crate::catalog::Spec;
use crate::object::{Deletion, Object, Standing};
use crate::state::State;

/// How often each disturbance may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    /// All of them together.
    pub(crate) total: u8,
    /// Of specs, with deletions and new objects of an old name.
    pub(crate) edits: u8,
    /// Objects suspended, made invalid, and followed again.
    pub(crate) standings: u8,
    /// Edits and removals of our policies, and policies of our names.
    pub(crate) foreign: u8,
    pub(crate) crashes: u8,
    pub(crate) lost_replies: u8,
    pub(crate) lost_statuses: u8,
    pub(crate) routes: u8,
    /// Consent withdrawn or given by the role's owner.
    pub(crate) consents: u8,
    /// The same by the owner of the application profile.
    pub(crate) applications: u8,
    /// The operator started with another way to ask for consent.
    pub(crate) restarts: u8,
    /// IAM does not answer, until it does.
    pub(crate) outages: u8,
    /// The role deleted and created again.
    pub(crate) roles: u8,
}

impl Bounds {
    /// Whether somebody may yet change an object.
    pub(crate) fn may_change_objects(&self) -> bool {
        self.total > 0 && (self.edits > 0 || self.standings > 0)
    }

    /// Whether AWS may yet cease to answer.
    pub(crate) fn may_end_answers(&self) -> bool {
        self.total > 0 && (self.routes > 0 || self.outages > 0)
    }
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
    /// Puts one there with a Sid like ours.
    AddAlike,
    /// Puts a policy of its own there.
    Take,
    /// Takes that away again.
    Leave,
}

impl State {
    pub(crate) fn crash(&mut self) {
        self.objects.iter_mut().for_each(Object::forget);
    }

    pub(crate) fn edit(&mut self, object: usize, spec: Spec) {
        let it = &mut self.objects[object];
        if it.spec.replace(spec) != Some(spec) {
            it.generation += 1;
            it.established &= spec.wanted();
            it.is_proven = false;
        }
    }

    pub(crate) fn stand(&mut self, object: usize, standing: Standing) {
        let it = &mut self.objects[object];
        if std::mem::replace(&mut it.standing, standing) != standing {
            it.generation += 1;
            it.is_proven = false;
        }
    }

    pub(crate) fn delete(&mut self, object: usize, deletion: Deletion) {
        let it = &mut self.objects[object];
        it.deletion = Some(deletion);
        it.generation += 1;
        it.established = 0;
        it.is_proven = false;
    }

    pub(crate) fn foreign(&mut self, policy: usize, act: Foreign) -> Option<()> {
        let register = &mut self.aws.policies[policy];
        let stored = register.now.clone();
        let is_ours = stored.as_ref().is_some_and(|stored| stored.author != Author::Foreign);
        let after = match act {
            Foreign::Remove if is_ours => None,
            Foreign::Edit if is_ours => {
                let mut document = Document::parse(&stored?.text).ok()?;
                document.statement.pop().filter(|_| !document.statement.is_empty())?;
                Some(Stored::new(Author::Both, document.to_json()))
            }
            Foreign::Add if is_ours => Some(with_statement(&stored?, None)?),
            Foreign::AddAlike if is_ours => Some(with_statement(&stored?, Some("BedrockAccess"))?),
            Foreign::Take => Some(Stored::foreign("s3:PutObject")),
            Foreign::Leave if stored.is_some() && !is_ours => None,
            Foreign::Remove | Foreign::Edit | Foreign::Add | Foreign::AddAlike | Foreign::Leave => {
                return None;
            }
        };
        register.set(after);
        let object = if policy == FORMER { 0 } else { policy };
        self.objects[object].established = 0;
        self.objects[object].is_proven = false;
        Some(())
    }

    pub(crate) fn foreign_elsewhere(&mut self) {
        self.theirs = Stored::foreign("s3:DeleteObject");
        self.aws.other = self.theirs.clone();
    }

    pub(crate) fn route(&mut self, route: Route) {
        self.aws.route = route;
        if route != Route::Unavailable {
            self.objects.iter_mut().for_each(|object| object.is_proven = false);
        }
    }

    pub(crate) fn consent(&mut self, tag: Tag) {
        self.aws.role.set(Role { tag, ..self.aws.role.now });
        self.revoke();
    }

    pub(crate) fn consent_of_application(&mut self, tag: Tag) {
        self.aws.application = tag;
        self.revoke();
    }

    pub(crate) fn restart(&mut self, asks: consent::ConsentPolicy) {
        self.asks = asks;
        self.crash();
        self.revoke();
    }

    /// What an owner withdraws need not stay any longer.
    fn revoke(&mut self) {
        let withdrawn = self.withdrawn();
        for object in &mut self.objects {
            object.established &= !withdrawn;
            object.is_proven = false;
        }
    }

    pub(crate) fn recreate_role(&mut self) {
        let Role { id, tag } = self.aws.role.now;
        self.aws.role.set(Role { id: id + 1, tag });
        self.aws.policies.iter_mut().for_each(|policy| policy.set(None));
        for object in &mut self.objects {
            object.established = 0;
            object.is_proven = false;
        }
    }
}

/// The policy with a statement of somebody else; `alike` is what its Sid begins with, before the next number.
fn with_statement(stored: &Stored, alike: Option<&str>) -> Option<Stored> {
    let [plain, like_ours] = BESIDE;
    let action = if alike.is_some() { like_ours } else { plain };
    if stored.text.contains(action) {
        return None;
    }
    let mut document = Document::parse(&stored.text).ok()?;
    let mut statements = Document::parse(&Stored::foreign(action).text).ok()?.statement;
    if let (Some(alike), Some(statement)) = (alike, statements.first_mut()) {
        statement.sid = Some(format!("{alike}{}", document.statement.len()));
    }
    document.statement.extend(statements);
    Some(Stored::new(stored.author, document.to_json()))
}
