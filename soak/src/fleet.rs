use bedrock_iam::PolicyIdentity;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::consent::{CLOSED, LASTING, OPEN, Tag};
use crate::manifest;
use crate::targets::{self, Owned};

pub(crate) const OBJECTS: usize = 200;

pub(crate) const CLUSTER_ID: &str = "soak";

pub(crate) const NAMESPACES: [&str; 2] = ["soak-a", "soak-b"];

/// What every manifest wants from every one of its source Regions, whatever else is edited.
pub(crate) const CORE: (&str, &str) = ("us", "amazon.nova-2-lite-v1:0");

/// Every manifest's first source Region.
pub(crate) const HOME: &str = "us-east-1";

/// A profile that does not exist anywhere.
pub(crate) const TYPO: &str = "us.acme.none-v1:0";

const SHARED: usize = 40;
const MISSING: std::ops::Range<usize> = 40..44;
const WITHHELD: std::ops::Range<usize> = 44..48;

/// One of the objects, whether it exists now or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member(usize);

pub(crate) fn members() -> impl Iterator<Item = Member> {
    (0..OBJECTS).map(Member)
}

pub(crate) fn any(rng: &mut Rng) -> Member {
    Member(rng.usize(0..OBJECTS))
}

/// The roles that exist, with the tag of each, and the targets.
pub(crate) fn seed() -> Value {
    let mut roles: Vec<(String, &Tag)> =
        members().filter_map(|member| Some((member.role(), member.tag()?))).collect();
    roles.dedup();
    let roles = roles.iter().map(|(name, tag)| json!({"name": name, "tags": tag.tags()}));
    let (profiles, others) = targets::seed();
    json!({"roles": roles.collect::<Vec<_>>(), "applicationProfiles": profiles, "taggedResources": others})
}

impl Member {
    pub(crate) fn name(self) -> String {
        format!("assistant-{:03}", self.0)
    }

    pub(crate) fn namespace(self) -> &'static str {
        NAMESPACES[self.0 % NAMESPACES.len()]
    }

    /// Two objects, of different namespaces, share each of the first roles.
    pub(crate) fn role(self) -> String {
        if self.shares() { format!("shared-{:02}", self.0 / 2) } else { format!("role-{:03}", self.0) }
    }

    /// What the tag of its role says at first; `None` where there never is such a role.
    pub(crate) fn tag(self) -> Option<&'static Tag> {
        match self.0 {
            index if MISSING.contains(&index) => None,
            index if WITHHELD.contains(&index) => Some(&CLOSED),
            _ if members().any(|other| other.role() == self.role() && other.retains()) => Some(&LASTING),
            _ => Some(&OPEN),
        }
    }

    /// Whether its role is one that owners change.
    pub(crate) fn is_cared_for(self) -> bool {
        self.tag().is_some_and(|tag| *tag != CLOSED)
    }

    /// The target of the account that its manifests name: an application profile now and then, a guardrail always.
    pub(crate) fn owned(self) -> Option<Owned> {
        match self.0 % 20 {
            1 => Some(Owned::Profile(0)),
            11 => Some(Owned::Profile(1)),
            3 => Some(Owned::Guardrail(0)),
            14 => Some(Owned::Guardrail(1)),
            _ => None,
        }
    }

    pub(crate) fn identity(self) -> PolicyIdentity {
        PolicyIdentity::derive(CLUSTER_ID, self.namespace(), &self.name())
    }

    pub(crate) fn policy(self) -> String {
        self.identity().policy_name().to_owned()
    }

    pub(crate) fn retains(self) -> bool {
        self.0 % 10 == 7
    }

    /// A manifest drawn at random; its role, its first source Region and its guardrail are always the same.
    pub(crate) fn manifest(self, rng: &mut Rng) -> Value {
        let annotations = if one_in(rng, 3) {
            json!({"bedrockaccess.io/reconcile-at": format!("{:08x}", rng.u32(..))})
        } else {
            json!({})
        };
        json!({
            "apiVersion": "bedrockaccess.io/v1alpha1",
            "kind": "BedrockAccess",
            "metadata": {"name": self.name(), "namespace": self.namespace(), "annotations": annotations},
            "spec": manifest::spec(self, rng),
        })
    }

    pub(crate) fn shares(self) -> bool {
        self.0 < SHARED
    }
}

pub(crate) fn one_in(rng: &mut Rng, all: u32) -> bool {
    rng.u32(0..all) == 0
}
