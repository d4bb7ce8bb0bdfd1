use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use local_cluster::{ControlPlane, RELEASE, SandboxProcess, Tool, install_chart, repository};
use serde_json::{Value, json};

use crate::fleet::{self, NAMESPACES};
use crate::{Counts, Outcome, count, progress};

/// The operators sign their calls of IAM and STS in Regions that nobody else uses.
pub(crate) const OPERATORS_REGIONS: [&str; 2] = ["us-west-1", "ca-west-1"];

/// The control plane with the chart installed, and an AWS with a role for every object.
pub(crate) struct Stage {
    pub(crate) kubectl: Tool,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) sandbox: SandboxProcess,
    pub(crate) cluster: ControlPlane,
    pub(crate) logs: PathBuf,
}

/// One change of a role's inline policies; `None` for a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) policy: String,
    pub(crate) document: Option<String>,
}

impl Stage {
    pub(crate) fn set() -> Outcome<Self> {
        progress("starting the control plane");
        let cluster = ControlPlane::start()?;
        let kubeconfig = install_chart(&cluster)?;
        let kubectl = cluster.kubectl()?;
        for namespace in NAMESPACES {
            kubectl.run(["create", "namespace", namespace])?;
        }
        let sandbox = SandboxProcess::start(&fleet::seed())?;
        let logs = repository().join("target/soak");
        std::fs::create_dir_all(&logs)?;
        Ok(Self { kubectl, kubeconfig, sandbox, cluster, logs })
    }

    pub(crate) fn apply(&self, manifests: &[Value]) -> Outcome<()> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": manifests}).to_string();
        let command = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=soak",
            "--validate=false",
            "-f",
            "-",
        ];
        self.kubectl.run_with_input(command, &list)?;
        Ok(())
    }

    pub(crate) fn delete(&self, namespace: &str, name: &str) -> Outcome<()> {
        self.kubectl.run(["delete", "bedrockaccess", name, "--namespace", namespace, "--wait=false"])?;
        Ok(())
    }

    /// The objects go without their finalizer's work. Nobody but the operator may take it off, so it is done in its name.
    pub(crate) fn vanish(&self, namespace: &str, name: &str) -> Outcome<()> {
        let operator = format!("--as=system:serviceaccount:{RELEASE}:{RELEASE}");
        let patch = r#"{"metadata":{"finalizers":null}}"#;
        let object = ["bedrockaccess", name, "--namespace", namespace];
        let words = ["patch"].into_iter().chain(object).chain(["--type=merge", "--patch", patch, &operator]);
        self.kubectl.run(words)?;
        self.delete(namespace, name)
    }

    /// The objects that are gone of which an Event says that their policy stays.
    pub(crate) fn orphans_told(&self) -> Outcome<BTreeSet<(String, String)>> {
        let selector = "--field-selector=reason=OrphanedPolicy";
        let list = self.kubectl.json(["get", "events", "--all-namespaces", selector, "--output=json"])?;
        let text = |event: &Value, field: &str| {
            event["involvedObject"][field].as_str().unwrap_or_default().to_owned()
        };
        let events = list["items"].as_array().cloned().unwrap_or_default();
        Ok(events.iter().map(|event| (text(event, "namespace"), text(event, "name"))).collect())
    }

    /// Every object by its namespace and name.
    pub(crate) fn objects(&self) -> Outcome<BTreeMap<(String, String), Value>> {
        let list = self.kubectl.json(["get", "bedrockaccesses", "--all-namespaces", "--output=json"])?;
        let text =
            |item: &Value, field: &str| item["metadata"][field].as_str().unwrap_or_default().to_owned();
        let items = list["items"].as_array().cloned().unwrap_or_default();
        Ok(items.into_iter().map(|item| ((text(&item, "namespace"), text(&item, "name")), item)).collect())
    }

    /// Every change of the role's inline policies, oldest first.
    pub(crate) fn history(&self, role: &str) -> Outcome<Vec<Change>> {
        let changes = self.sandbox.inspect(&format!("history/{role}"))?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let change = |change: &Value| Change {
            policy: text(&change["policy"]).unwrap_or_default(),
            document: text(&change["document"]),
        };
        Ok(changes.as_array().into_iter().flatten().map(change).collect())
    }

    pub(crate) fn calls(&self) -> Outcome<Vec<Value>> {
        Ok(self.sandbox.inspect("calls")?.as_array().cloned().unwrap_or_default())
    }

    /// How often the operators called each operation, and what other than success came of it.
    pub(crate) fn operators_calls(&self) -> Outcome<(Counts, Counts)> {
        let (mut operations, mut failures) = (Counts::new(), Counts::new());
        for call in self.calls()?.iter().filter(|call| is_operators(call)) {
            count(&mut operations, call["operation"].as_str().unwrap_or_default(), 1);
            if call["outcome"] != "Ok" {
                count(&mut failures, call["outcome"].as_str().unwrap_or_default(), 1);
            }
        }
        Ok((operations, failures))
    }
}

/// Only the operators call anything but IAM.
pub(crate) fn is_operators(call: &Value) -> bool {
    call["service"] == "bedrock" || OPERATORS_REGIONS.iter().any(|region| call["region"] == *region)
}

/// What a role holds after the changes.
pub(crate) fn held(history: &[Change]) -> BTreeMap<String, String> {
    let mut held = BTreeMap::new();
    for Change { policy, document } in history {
        match document {
            Some(document) => held.insert(policy.clone(), document.clone()),
            None => held.remove(policy),
        };
    }
    held
}
