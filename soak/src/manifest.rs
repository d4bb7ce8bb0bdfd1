use fastrand::Rng;
use serde_json::{Value, json};

use crate::fleet::{CORE, HOME, Member, TYPO, one_in};
use crate::targets::Owned;

/// Where a lock lets calls go; no profile of the fleet's leads elsewhere at first, but the global ones.
pub(crate) const LOCK: [&str; 3] = ["us-east-1", "us-east-2", "us-west-2"];

/// A family, as a manifest names it, and what its members begin with.
pub(crate) const FAMILY: (&str, &str) = ("amazon.nova-*", "us.amazon.nova-");

/// A spec drawn at random.
pub(crate) fn spec(member: Member, rng: &mut Rng) -> Value {
    let sources = sources(member, rng);
    let mut spec = json!({
        "role": {"name": member.role()},
        "sourceRegions": sources,
        "models": models(member, rng, sources.len() == 1),
        "routing": {"scopes": ["us"]},
        "operations": if one_in(rng, 5) { json!(["InvokeModel"]) } else { json!(["InvokeModel", "InvokeModelWithResponseStream"]) },
        "driftPolicy": if one_in(rng, 5) { "Report" } else { "Enforce" },
        "deletionPolicy": if member.retains() { "Retain" } else { "Delete" },
        "suspend": one_in(rng, 12),
    });
    if one_in(rng, 10) {
        spec["routing"]["deniedScopes"] = json!(["apac"]);
    }
    if one_in(rng, 8) {
        spec["routing"]["allowedDestinationRegions"] = json!(LOCK);
    }
    if let Some(guardrail @ Owned::Guardrail(_)) = member.owned() {
        spec["guardrails"] = json!([{"arn": guardrail.arn(), "version": "1"}]);
    }
    spec
}

/// Two objects have less room on one role, and a guardrail lies in one Region.
fn sources(member: Member, rng: &mut Rng) -> Vec<&'static str> {
    let is_free = !member.shares() && member.owned().is_none();
    match rng.u8(0..3) {
        0 if is_free => vec![HOME, "us-west-2"],
        1 if is_free => vec![HOME, "us-east-2"],
        _ => vec![HOME],
    }
}

fn models(member: Member, rng: &mut Rng, only_home: bool) -> Vec<Value> {
    let core = if rng.bool() { json!(["us"]) } else { json!(["us", "global"]) };
    let mut models = vec![json!({"modelId": CORE.1, "scopes": core})];
    let micro = if only_home { "in-region" } else { "us" };
    let mut more = vec![
        json!({"modelId": "amazon.nova-lite-v1:0", "scopes": ["us"]}),
        json!({"modelId": "amazon.nova-micro-v1:0", "scopes": [micro]}),
        json!({"modelId": "anthropic.claude-haiku-4-5-20251001-v1:0", "scopes": ["us", "global"]}),
        json!({"modelId": "anthropic.claude-sonnet-4-5-20250929-v1:0", "scopes": ["global"]}),
        json!({"inferenceProfile": "us.amazon.nova-pro-v1:0"}),
        json!({"modelId": FAMILY.0, "scopes": ["us"]}),
    ];
    rng.shuffle(&mut more);
    models.extend(more.into_iter().take(rng.usize(0..3)));
    if let Some(profile @ Owned::Profile(_)) = member.owned()
        && !one_in(rng, 3)
    {
        models.push(json!({"inferenceProfile": profile.arn()}));
    }
    if one_in(rng, 20) {
        models.push(json!({"inferenceProfile": TYPO}));
    }
    models
}
