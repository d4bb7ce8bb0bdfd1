use std::collections::BTreeSet;

use local_cluster::SandboxProcess;
use serde_json::{Value, json};

use crate::stage::{NAMESPACE, Stage};
use crate::{Outcome, progress};

pub(crate) const OBJECTS: u16 = 1000;

/// Objects that a tenant makes as large as it can.
pub(crate) const HEAVY: u16 = 400;

/// Objects that share these manifests' profiles: (source Regions, scopes, model).
const KINDS: [(&[&str], &[&str], &str); 3] = [
    (&["us-east-1", "us-west-2"], &["us", "global"], "amazon.nova-2-lite-v1:0"),
    (&["eu-west-1", "eu-central-1"], &["eu", "global"], "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    (&["ap-northeast-1"], &["jp", "global"], "amazon.nova-2-lite-v1:0"),
];

/// 1,000 objects in the API server, and the sandbox that holds a role for each of them.
pub(crate) struct Fleet {
    pub(crate) sandbox: SandboxProcess,
}

impl Fleet {
    /// Beside them, objects with as many annotations as Kubernetes takes (256 KiB), for roles that do not exist.
    pub(crate) fn burden(stage: &Stage) -> Outcome<()> {
        progress(&format!("creating {HEAVY} objects with 250 KiB of annotations each"));
        let names: Vec<String> = (0..HEAVY).map(|index| format!("heavy-{index:04}")).collect();
        // kubectl holds what it creates several times over.
        for names in names.chunks(50) {
            let mut list = manifests(names.iter().cloned());
            for object in list["items"].as_array_mut().into_iter().flatten() {
                object["metadata"]["annotations"] = json!({"example.com/text": "x".repeat(250 * 1024)});
            }
            stage.create(&list)?;
        }
        Ok(())
    }

    pub(crate) fn gather(stage: &Stage) -> Outcome<Self> {
        progress(&format!("creating {OBJECTS} objects"));
        stage.create(&manifests(role_names(OBJECTS)))?;
        Ok(Self { sandbox: sandbox()? })
    }
}

/// The (source Region, profile) pairs that the objects name.
pub(crate) fn questions() -> BTreeSet<(String, String)> {
    let named = KINDS.iter().flat_map(|(regions, scopes, model)| {
        let of_region = move |region| scopes.iter().map(move |scope| (region, scope, model));
        regions.iter().flat_map(of_region)
    });
    named.map(|(region, scope, model)| ((*region).to_owned(), format!("{scope}.{model}"))).collect()
}

/// The name of each object and of its role.
pub(crate) fn role_names(objects: u16) -> impl Iterator<Item = String> {
    (0..objects).map(|index| format!("assistant-{index:04}"))
}

/// A sandbox with a consenting role for every object.
pub(crate) fn sandbox() -> Outcome<SandboxProcess> {
    Ok(SandboxProcess::start(&seed(role_names(OBJECTS)))?)
}

/// The sandbox's seed: existing roles that consent.
pub(crate) fn seed(roles: impl Iterator<Item = String>) -> Value {
    let roles = roles.map(|name| json!({"name": name, "tags": {"bedrockaccess.io/namespaces": "@any"}}));
    json!({"roles": roles.collect::<Vec<_>>()})
}

/// An object of each name for the role of the same name, the kinds in turn.
pub(crate) fn manifests(names: impl Iterator<Item = String>) -> Value {
    let items = names.zip(KINDS.iter().cycle()).map(|(name, (regions, scopes, model))| {
        json!({
            "apiVersion": "bedrockaccess.io/v1alpha1",
            "kind": "BedrockAccess",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "role": {"name": name},
                "sourceRegions": regions,
                "routing": {"scopes": scopes},
                "models": [{"modelId": model}],
            },
        })
    });
    json!({"apiVersion": "v1", "kind": "List", "items": items.collect::<Vec<_>>()})
}
