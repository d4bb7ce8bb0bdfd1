//! Objects of every kind that matters, each with a role of its own.

use std::collections::BTreeSet;

use bedrock_access_api::v1alpha1::BedrockAccess;
use serde_json::{Value, json};

use crate::Outcome;
use crate::stage::NAMESPACE;

/// Objects that share these manifests' profiles.
struct Kind {
    source_regions: &'static [&'static str],
    scopes: &'static [&'static str],
    model: &'static str,
    /// What a change adds.
    second_model: &'static str,
}

const NOVA: &str = "amazon.nova-2-lite-v1:0";
const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

const KINDS: [Kind; 3] = [
    Kind {
        source_regions: &["us-east-1", "us-west-2"],
        scopes: &["us", "global"],
        model: NOVA,
        second_model: SONNET,
    },
    Kind {
        source_regions: &["eu-west-1", "eu-central-1"],
        scopes: &["eu", "global"],
        model: SONNET,
        second_model: NOVA,
    },
    Kind {
        source_regions: &["ap-northeast-1"],
        scopes: &["jp", "global"],
        model: NOVA,
        second_model: SONNET,
    },
];

/// The (source Region, profile) pairs that the objects name.
pub(crate) fn questions() -> BTreeSet<(String, String)> {
    let named = KINDS.iter().flat_map(|Kind { source_regions, scopes, model, .. }| {
        let of_region = move |region| scopes.iter().map(move |scope| (region, scope, model));
        source_regions.iter().flat_map(of_region)
    });
    named.map(|(region, scope, model)| ((*region).to_owned(), format!("{scope}.{model}"))).collect()
}

/// The name of each object and of its role.
pub(crate) fn role_names(objects: usize) -> impl Iterator<Item = String> {
    (0..objects).map(|index| format!("assistant-{index:04}"))
}

/// The sandbox's seed: existing roles that consent.
pub(crate) fn seed(roles: impl Iterator<Item = String>) -> Value {
    let roles = roles.map(|name| json!({"name": name, "tags": {"bedrockaccess.io/namespaces": "@any"}}));
    json!({"roles": roles.collect::<Vec<_>>()})
}

/// An object of each name for the role of the same name, the kinds in turn.
pub(crate) fn manifests(names: impl Iterator<Item = String>) -> Outcome<Vec<BedrockAccess>> {
    let manifests = names.zip(KINDS.iter().cycle()).map(|(name, kind)| {
        serde_json::from_value(json!({
            "apiVersion": "bedrockaccess.io/v1alpha1",
            "kind": "BedrockAccess",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "role": {"name": name},
                "sourceRegions": kind.source_regions,
                "routing": {"scopes": kind.scopes},
                "models": [{"modelId": kind.model}],
            },
        }))
    });
    Ok(manifests.collect::<Result<_, _>>()?)
}

/// For each of those objects a merge patch that adds a model.
pub(crate) fn changes(names: impl Iterator<Item = String>) -> Vec<(String, Value)> {
    let changes = names.zip(KINDS.iter().cycle()).map(|(name, kind)| {
        let models = json!([{"modelId": kind.model}, {"modelId": kind.second_model}]);
        (name, json!({"spec": {"models": models}}))
    });
    changes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_come_in_turn_and_a_change_is_of_the_same_kind() {
        let objects = manifests(role_names(4)).unwrap();
        let changes = changes(role_names(4));
        for (object, (name, change)) in objects.iter().zip(&changes) {
            assert_eq!(object.metadata.name.as_ref(), Some(name));
            let model = object.spec.models[0].model_id.as_deref();
            assert_eq!(change["spec"]["models"][0]["modelId"].as_str(), model);
        }
        assert_eq!(objects[0].spec.source_regions, objects[3].spec.source_regions);
        assert_eq!(questions().len(), 10);
    }
}
