use bedrock_iam::PolicyIdentity;
use fastrand::Rng;
use serde_json::{Value, json};

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
const CLOSED: std::ops::Range<usize> = 44..48;

/// One of the objects, whether it exists now or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member(usize);

/// Whether a member's role lets it take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    Missing,
    Closed,
}

pub(crate) fn members() -> impl Iterator<Item = Member> {
    (0..OBJECTS).map(Member)
}

pub(crate) fn any(rng: &mut Rng) -> Member {
    Member(rng.usize(0..OBJECTS))
}

/// The roles that exist, with the tag of each.
pub(crate) fn seed() -> Value {
    let mut roles: Vec<(String, &str)> = members()
        .filter(|member| member.standing() != Standing::Missing)
        .map(|member| {
            (member.role(), if member.standing() == Standing::Open { "deny:@any" } else { "@none" })
        })
        .collect();
    roles.dedup();
    let roles =
        roles.iter().map(|(name, tag)| json!({"name": name, "tags": {"bedrockaccess.io/namespaces": tag}}));
    json!({"roles": roles.collect::<Vec<_>>()})
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

    pub(crate) fn standing(self) -> Standing {
        match self.0 {
            index if MISSING.contains(&index) => Standing::Missing,
            index if CLOSED.contains(&index) => Standing::Closed,
            _ => Standing::Open,
        }
    }

    pub(crate) fn identity(self) -> PolicyIdentity {
        PolicyIdentity::derive(CLUSTER_ID, self.namespace(), &self.name())
    }

    pub(crate) fn policy(self) -> String {
        self.identity().policy_name().to_owned()
    }

    pub(crate) fn retains(self) -> bool {
        self.0 % 20 == 7
    }

    /// A manifest drawn at random; only its role and its first source Region are always the same.
    pub(crate) fn manifest(self, rng: &mut Rng) -> Value {
        let sources = self.sources(rng);
        let spec = json!({
            "role": {"name": self.role()},
            "sourceRegions": sources,
            "models": models(rng, sources.len() == 1),
            "routing": if one_in(rng, 10) { json!({"scopes": ["us"], "deniedScopes": ["apac"]}) } else { json!({"scopes": ["us"]}) },
            "operations": if one_in(rng, 5) { json!(["InvokeModel"]) } else { json!(["InvokeModel", "InvokeModelWithResponseStream"]) },
            "driftPolicy": if one_in(rng, 5) { "Report" } else { "Enforce" },
            "deletionPolicy": if self.retains() { "Retain" } else { "Delete" },
            "suspend": one_in(rng, 12),
        });
        let annotations = if one_in(rng, 3) {
            json!({"bedrockaccess.io/reconcile-at": format!("{:08x}", rng.u32(..))})
        } else {
            json!({})
        };
        json!({
            "apiVersion": "bedrockaccess.io/v1alpha1",
            "kind": "BedrockAccess",
            "metadata": {"name": self.name(), "namespace": self.namespace(), "annotations": annotations},
            "spec": spec,
        })
    }

    fn shares(self) -> bool {
        self.0 < SHARED
    }

    /// Two objects have less room on one role.
    fn sources(self, rng: &mut Rng) -> Vec<&'static str> {
        match rng.u8(0..3) {
            0 if !self.shares() => vec![HOME, "us-west-2"],
            1 if !self.shares() => vec![HOME, "us-east-2"],
            _ => vec![HOME],
        }
    }
}

fn models(rng: &mut Rng, only_home: bool) -> Vec<Value> {
    let core = if rng.bool() { json!(["us"]) } else { json!(["us", "global"]) };
    let mut models = vec![json!({"modelId": CORE.1, "scopes": core})];
    let micro = if only_home { "in-region" } else { "us" };
    let mut more = [
        json!({"modelId": "amazon.nova-lite-v1:0", "scopes": ["us"]}),
        json!({"modelId": "amazon.nova-micro-v1:0", "scopes": [micro]}),
        json!({"modelId": "anthropic.claude-haiku-4-5-20251001-v1:0", "scopes": ["us", "global"]}),
        json!({"modelId": "anthropic.claude-sonnet-4-5-20250929-v1:0", "scopes": ["global"]}),
        json!({"inferenceProfile": "us.amazon.nova-pro-v1:0"}),
    ];
    rng.shuffle(&mut more);
    models.extend(more.into_iter().take(rng.usize(0..3)));
    if one_in(rng, 20) {
        models.push(json!({"inferenceProfile": TYPO}));
    }
    models
}

pub(crate) fn one_in(rng: &mut Rng, all: u32) -> bool {
    rng.u32(0..all) == 0
}
