//! What one namespace may do, by its own rights, to keep the operator busy.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Outcome;
use crate::stage::Stage;

/// One attack.
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    objects: usize,
    spec: fn(usize) -> Value,
    storm: Storm,
    /// Regions in which Bedrock does not answer.
    hanging: &'static [&'static str],
    /// Whether the objects' roles have no room.
    roles: Roles,
}

/// What goes on after the objects were created.
#[derive(Clone, Copy)]
enum Storm {
    Nothing,
    /// Every object is asked to be reconciled, again and again.
    Annotations,
}

#[derive(Clone, Copy)]
enum Roles {
    None,
    Full,
    Open,
}

/// Real Regions but us-east-1, in which the victim works.
const REGIONS: [&str; 31] = [
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "ca-west-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-7",
    "ap-east-1",
    "sa-east-1",
    "me-south-1",
    "me-central-1",
    "il-central-1",
    "af-south-1",
    "mx-central-1",
];

const MODEL: &str = "amazon.nova-2-lite-v1:0";

/// An inline policy that leaves no room: the quota of a role is 10,240 characters.
const FULL: usize = 10_100;

pub(super) fn all() -> [Scene; 6] {
    let calm = Scene {
        name: "calm",
        what: "nothing",
        objects: 0,
        spec: |_| Value::Null,
        storm: Storm::Nothing,
        hanging: &[],
        roles: Roles::None,
    };
    [
        Scene {
            name: "storm",
            what: "40 objects with 60 unknown models each, and 25 changes of annotations a second",
            objects: 40,
            spec: unknown_models,
            storm: Storm::Annotations,
            roles: Roles::Open,
            ..calm
        },
        Scene {
            name: "hang",
            what: "60 objects in 31 source Regions that do not answer",
            objects: 60,
            spec: |index| json!({"role": {"name": role(index)}, "sourceRegions": REGIONS, "routing": {"scopes": ["global"]}, "models": [{"modelId": MODEL}]}),
            hanging: &REGIONS,
            roles: Roles::Open,
            ..calm
        },
        Scene {
            name: "nothing",
            what: "3,000 objects that name no role, at an interval of 1m",
            objects: 3000,
            spec: |index| json!({"role": {"name": role(index)}, "sourceRegions": ["us-east-1"], "routing": {"scopes": ["us"]}, "models": [{"modelId": MODEL}], "interval": "1m"}),
            ..calm
        },
        Scene {
            name: "tags",
            what: "20 objects with 100 models of the account each",
            objects: 20,
            spec: own_models,
            roles: Roles::Open,
            ..calm
        },
        Scene {
            name: "full",
            what: "71 objects on roles without room",
            objects: 71,
            spec: |index| json!({"role": {"name": role(index)}, "sourceRegions": ["us-east-1"], "routing": {"scopes": ["us"]}, "models": [{"modelId": MODEL}]}),
            roles: Roles::Full,
            ..calm
        },
        calm,
    ]
}

fn role(index: usize) -> String {
    format!("attacker-{index:04}")
}

fn unknown_models(index: usize) -> Value {
    let models: Vec<Value> =
        (0..60).map(|model| json!({"modelId": format!("amazon.none-{index}-{model}-v1:0")})).collect();
    json!({"role": {"name": role(index)}, "sourceRegions": ["us-east-1"], "routing": {"scopes": ["us"]}, "models": models})
}

fn own_models(index: usize) -> Value {
    let arn = |model: usize| {
        format!("arn:aws:bedrock:us-east-1:111122223333:imported-model/{:012}", index * 1000 + model)
    };
    let models: Vec<Value> = (0..100).map(|model| json!({"modelArn": arn(model)})).collect();
    json!({"role": {"name": role(index)}, "sourceRegions": ["us-east-1"], "models": models})
}

impl Scene {
    /// The sandbox's seed: the attacker's roles beside those of the victim.
    pub(super) fn seed(&self, victims: impl Iterator<Item = String>) -> Value {
        let consenting =
            |name: String| json!({"name": name, "tags": {"bedrockaccess.io/namespaces": "@any"}});
        let mut roles: Vec<Value> = victims.map(consenting).collect();
        if !matches!(self.roles, Roles::None) {
            roles.extend((0..self.objects).map(role).map(consenting));
        }
        if matches!(self.roles, Roles::Full) {
            let filler = "x".repeat(FULL);
            let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{filler}")}]});
            for role in roles
                .iter_mut()
                .filter(|role| role["name"].as_str().is_some_and(|name| name.starts_with("attacker")))
            {
                role["policies"] = json!({"filler": policy.to_string()});
            }
        }
        json!({"roles": roles})
    }

    pub(super) fn faults(&self) -> impl Iterator<Item = Value> {
        self.hanging.iter().map(|region| json!({"kind": "Hang", "service": "bedrock", "region": region}))
    }

    pub(super) fn manifests(&self, namespace: &str) -> Value {
        let items = (0..self.objects).map(|index| {
            json!({
                "apiVersion": "bedrockaccess.io/v1alpha1",
                "kind": "BedrockAccess",
                "metadata": {"name": role(index), "namespace": namespace},
                "spec": (self.spec)(index),
            })
        });
        json!({"apiVersion": "v1", "kind": "List", "items": items.collect::<Vec<_>>()})
    }

    /// One more round of what goes on.
    pub(super) fn again(&self, stage: &Stage, namespace: &str) -> Outcome<()> {
        match self.storm {
            Storm::Nothing => thread::sleep(Duration::from_millis(200)),
            Storm::Annotations => {
                let word = format!(
                    "bedrockaccess.io/reconcile-at={:x}",
                    std::time::UNIX_EPOCH.elapsed()?.as_micros()
                );
                stage.kubectl.run([
                    "annotate",
                    "bedrockaccess",
                    "--all",
                    "--overwrite",
                    "--namespace",
                    namespace,
                    &word,
                ])?;
            }
        }
        Ok(())
    }
}
