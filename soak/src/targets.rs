//! What the account owns in Bedrock, and lets be used by tags of its own: application inference profiles and guardrails.

use bedrock_iam::document::Effect;
use bedrock_iam::{Document, GuardrailArn, InferenceProfileArn};
use local_cluster::SandboxProcess;
use serde_json::{Value, json};

use crate::Outcome;
use crate::consent::OPEN;
use crate::fleet::HOME;

/// Application profiles, each with the Regions to which it leads, and its model.
const PROFILES: [(&str, &[&str], &str); 2] = [
    ("soakprofile1", &["us-east-1", "us-east-2", "us-west-2"], "amazon.nova-lite-v1:0"),
    ("soakprofile2", &["", "us-east-1"], "amazon.nova-2-lite-v1:0"),
];

const GUARDRAILS: [&str; 2] = ["soakguardrail1", "soakguardrail2"];

/// One of the targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owned {
    Profile(usize),
    Guardrail(usize),
}

impl Owned {
    pub(crate) const ALL: [Self; 4] =
        [Self::Profile(0), Self::Profile(1), Self::Guardrail(0), Self::Guardrail(1)];

    pub(crate) fn arn(self) -> String {
        let of =
            |kind: &str, id: &str| format!("arn:aws:bedrock:{HOME}:{}:{kind}/{id}", SandboxProcess::ACCOUNT);
        match self {
            Self::Profile(index) => of("application-inference-profile", PROFILES[index].0),
            Self::Guardrail(index) => of("guardrail", GUARDRAILS[index]),
        }
    }

    /// The models that a profile leads to, by their ARNs.
    pub(crate) fn models(self) -> Vec<String> {
        let Self::Profile(index) = self else { return Vec::new() };
        let (_, regions, model) = PROFILES[index];
        regions.iter().map(|region| format!("arn:aws:bedrock:{region}::foundation-model/{model}")).collect()
    }

    pub(crate) fn profile_of(arn: &str) -> Option<(Self, InferenceProfileArn)> {
        let owned = Self::ALL.into_iter().find(|owned| !owned.models().is_empty() && owned.arn() == arn)?;
        Some((owned, arn.parse().ok()?))
    }

    pub(crate) fn guardrail_of(arn: &str) -> Outcome<(Self, GuardrailArn)> {
        let owned = Self::ALL.into_iter().find(|owned| owned.arn() == arn);
        Ok((owned.ok_or("a guardrail that nobody made")?, arn.parse().map_err(|_| "no guardrail's ARN")?))
    }

    /// Whether a policy gives any right on it.
    pub(crate) fn is_granted_by(self, document: &Document) -> bool {
        let arn = self.arn();
        let mut granting = document.statement.iter().filter(|statement| statement.effect == Effect::Allow);
        granting.any(|statement| statement.resource.contains(&arn))
    }
}

/// The targets as the sandbox is seeded with them: application profiles, and what else has tags.
pub(crate) fn seed() -> (Value, Value) {
    let profile = |owned: Owned| {
        let id = owned.arn().rsplit('/').next().unwrap_or_default().to_owned();
        json!({"region": HOME, "id": id, "name": id, "modelArns": owned.models(), "tags": OPEN.tags()})
    };
    let (profiles, others): (Vec<Owned>, Vec<Owned>) =
        Owned::ALL.into_iter().partition(|owned| !owned.models().is_empty());
    let profiles = profiles.into_iter().map(profile).collect();
    let others = others.into_iter().map(|owned| (owned.arn(), OPEN.tags())).collect();
    (profiles, Value::Object(others))
}
