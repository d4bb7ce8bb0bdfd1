use std::collections::BTreeMap;
use std::hash::Hash;

use bedrock_iam::PolicyIdentity;
use testing::world;

use crate::known::Known;

/// Something that IAM stores, with what a read that lags may still show in its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Register<T: Ord> {
    pub(crate) now: T,
    /// By value, in ticks since it was replaced.
    before: BTreeMap<T, u8>,
}

impl<T: Clone + Ord> Register<T> {
    pub(crate) fn new(now: T) -> Self {
        Self { now, before: BTreeMap::new() }
    }

    pub(crate) fn set(&mut self, value: T) {
        if self.now != value {
            self.before.remove(&value);
            self.before.insert(std::mem::replace(&mut self.now, value), 0);
        }
    }

    /// What a read may answer: what is there first.
    pub(crate) fn views(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.now).chain(self.before.keys())
    }

    pub(crate) fn is_shown_to_all(&self) -> bool {
        self.before.is_empty()
    }

    /// A read may show what was there before for `lag` ticks.
    pub(crate) fn tick(&mut self, lag: u8) {
        self.before.values_mut().for_each(|age| *age += 1);
        self.before.retain(|_, age| *age < lag);
    }
}

/// The role, as far as it changes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Role {
    /// Another one after the role was deleted and created again.
    pub(crate) id: u8,
    pub(crate) consents: bool,
}

/// Who made a policy what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Author {
    Operator,
    /// The operator wrote it, and someone else edited it.
    Both,
    Foreign,
}

/// An inline policy, as the text that IAM stores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Stored {
    pub(crate) author: Author,
    pub(crate) text: Known<String>,
}

impl Stored {
    pub(crate) fn new(author: Author, text: String) -> Self {
        Self { author, text: Known::new(text) }
    }

    /// Somebody's policy without any mark of ours.
    pub(crate) fn foreign(action: &str) -> Self {
        let statement = format!(r#"{{"Sid":"Theirs","Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
        Self::new(Author::Foreign, format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#))
    }
}

/// The inline policy of one name; `None` where there is none.
pub(crate) type Policy = Option<Stored>;

/// One role of one account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Aws {
    pub(crate) role: Register<Role>,
    /// Under the names that the two objects derive.
    pub(crate) policies: [Register<Policy>; 2],
    /// Under a name that no object derives.
    pub(crate) other: Stored,
}

impl Aws {
    pub(crate) fn new() -> Self {
        Self {
            role: Register::new(Role { id: 1, consents: true }),
            policies: [Register::new(None), Register::new(None)],
            other: Stored::foreign("s3:GetObject"),
        }
    }

    pub(crate) fn tick(&mut self, lag: u8) {
        self.role.tick(lag);
        self.policies.iter_mut().for_each(|policy| policy.tick(lag));
    }
}

/// The name under which each of the two objects writes.
pub(crate) fn identity(object: usize) -> PolicyIdentity {
    match object {
        0 => world::claim().identity,
        _ => PolicyIdentity::derive("cluster", "team-a", "second"),
    }
}
