use std::collections::BTreeMap;
use std::hash::Hash;

use bedrock_iam::consent;
use bedrock_iam::{PolicyIdentity, Tags};
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

/// What the tag of a role, or of a target of the account, says to the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Tag {
    Listing,
    /// It also lets the policy outlive its object.
    Retaining,
    Nobody,
    /// There is no such tag.
    Missing,
}

impl Tag {
    const ALL: [Self; 4] = [Self::Listing, Self::Retaining, Self::Nobody, Self::Missing];

    pub(crate) fn tags(self) -> Tags {
        let value = match self {
            Self::Listing => "team-a",
            Self::Retaining => "retain:team-a",
            Self::Nobody => "@none",
            Self::Missing => return Tags::new(),
        };
        [(consent::TAG.to_owned(), value.to_owned())].into()
    }

    pub(crate) fn of(tags: &Tags) -> Option<Self> {
        Self::ALL.into_iter().find(|tag| tag.tags() == *tags)
    }

    /// Whether more may be granted.
    pub(crate) fn consents(self, policy: consent::ConsentPolicy) -> bool {
        policy == consent::ConsentPolicy::None || matches!(self, Self::Listing | Self::Retaining)
    }

    /// Whether what is granted has to go.
    pub(crate) fn withdraws(self, policy: consent::ConsentPolicy) -> bool {
        match policy {
            consent::ConsentPolicy::Tag => !self.consents(policy),
            consent::ConsentPolicy::Unconfirmed => self == Self::Nobody,
            consent::ConsentPolicy::None => false,
        }
    }

    /// Whether the policy may outlive its object.
    pub(crate) fn retains(self, policy: consent::ConsentPolicy) -> bool {
        policy == consent::ConsentPolicy::None || self == Self::Retaining
    }
}

/// The role, as far as it changes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Role {
    /// Another one after the role was deleted and created again.
    pub(crate) id: u8,
    pub(crate) tag: Tag,
}

impl Role {
    /// As IAM shows it.
    pub(crate) fn unique_id(self) -> String {
        format!("AROA{}", self.id)
    }
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
    /// Which of somebody else's statements stand in it, alone or beside ours: a bit for each of [`BESIDE`].
    pub(crate) beside: u8,
}

/// The actions of the statements that somebody puts beside ours, and the second one with a Sid like ours.
pub(crate) const BESIDE: [&str; 2] = ["sqs:SendMessage", "sns:Publish"];

impl Stored {
    /// Where one of our statements was edited, nothing tells from ours what has a Sid like ours.
    pub(crate) fn new(author: Author, text: String) -> Self {
        let [plain, alike] = BESIDE.map(|action| text.contains(action));
        let beside = u8::from(plain) + 2 * u8::from(alike && author != Author::Both);
        Self { author, text: Known::new(text), beside }
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
    /// Under the names that the two objects derive, and under that of the first one's former cluster id ([`FORMER`]).
    pub(crate) policies: [Register<Policy>; 3],
    /// Under a name that no object derives.
    pub(crate) other: Stored,
    /// Of the application profile, which belongs to the account.
    pub(crate) application: Tag,
    /// What Bedrock answers.
    pub(crate) route: Route,
    /// Whether a read of IAM may get no answer.
    pub(crate) is_iam_out: bool,
}

impl Aws {
    /// Both owners have written the same.
    pub(crate) fn new(route: Route, tag: Tag, former: Policy) -> Self {
        Self {
            role: Register::new(Role { id: 1, tag }),
            policies: [Register::new(None), Register::new(None), Register::new(former)],
            other: Stored::foreign("s3:GetObject"),
            application: tag,
            route,
            is_iam_out: false,
        }
    }

    /// Whether something that is asked may get no answer.
    pub(crate) fn is_out(&self) -> bool {
        self.is_iam_out || self.route == Route::Unavailable
    }

    pub(crate) fn tick(&mut self, lag: u8) {
        self.role.tick(lag);
        self.policies.iter_mut().for_each(|policy| policy.tick(lag));
    }
}

/// What Bedrock answers for the profile of [`US`](testing::world::US); the others have one destination as long as it answers at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    Narrow,
    Wide,
    /// For no question at all.
    Unavailable,
}

impl Route {
    pub(crate) const ALL: [Self; 3] = [Self::Narrow, Self::Wide, Self::Unavailable];
}

/// Which policy was written for the first object under its former cluster id.
pub(crate) const FORMER: usize = 2;

/// Under which cluster id that was.
pub(crate) const FORMER_ID: &str = "former";

/// The name of each policy: of the two objects, and of the first one under its former cluster id.
pub(crate) fn identity(policy: usize) -> PolicyIdentity {
    match policy {
        0 => world::claim().identity,
        FORMER => PolicyIdentity::derive(FORMER_ID, "team-a", "assistant"),
        _ => PolicyIdentity::derive("cluster", "team-a", "second"),
    }
}
