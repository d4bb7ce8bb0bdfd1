//! At rest the operator only looks: each object once an interval, without a single write to AWS or to Kubernetes.

#![allow(clippy::unwrap_used, reason = "what stages the test is part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use local_cluster::{
    ControlPlane, OperatorProcess, OperatorSettings, SandboxProcess, Tool, install_chart, wait_until,
};
use serde_json::{Value, json};

const NAMESPACE: &str = "at-rest";
const OBJECTS: usize = 50;
const LIMIT: Duration = Duration::from_mins(2);

/// As long as the interval, so that every object comes to its turn once and none twice.
const REST: Duration = Duration::from_mins(1);

#[test]
fn ready_objects_are_looked_at_once_an_interval_and_nothing_is_written() {
    let world = World::with_ready_objects();
    let (stored, requested) = (world.stored(), world.write_requests());
    let (called, reconciled) = (world.calls().len(), world.reconciles());

    thread::sleep(REST);
    wait_until("each object to be looked at again", LIMIT, || {
        at_least(world.reconciles(), reconciled + OBJECTS)
    })
    .unwrap();

    assert_eq!(
        changed(&stored, &world.stored()),
        Vec::<String>::new(),
        "objects and Events that were changed, created or deleted, by resourceVersion"
    );
    assert_eq!(
        changed(&requested, &world.write_requests()),
        Vec::<String>::new(),
        "writing requests that the API server answered, also those that changed nothing"
    );
    let calls = &world.calls()[called..];
    let expected = ["GetRole", "GetRolePolicy", "GetInferenceProfile", "GetAccountAuthorizationDetails"];
    let others: Vec<&Value> =
        calls.iter().filter(|call| !expected.contains(&call["operation"].as_str().unwrap())).collect();
    assert_eq!(others, Vec::<&Value>::new(), "calls other than the expected reads");
    let distinct: BTreeSet<String> = calls.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), calls.len(), "a role or profile was read twice in one interval: {calls:?}");
}

struct World {
    operator: OperatorProcess,
    sandbox: SandboxProcess,
    kubectl: Tool,
    _cluster: ControlPlane,
}

impl World {
    /// The objects exist before the operator starts, so that it looks at all of them within a short time.
    fn with_ready_objects() -> Self {
        let cluster = ControlPlane::start().unwrap();
        let kubeconfig = install_chart(&cluster).unwrap();
        let kubectl = cluster.kubectl().unwrap();
        kubectl.run(["create", "namespace", NAMESPACE]).unwrap();
        kubectl.run_with_input(["create", "-f", "-"], &manifests().to_string()).unwrap();
        let sandbox = SandboxProcess::start(&json!({"roles": roles()})).unwrap();
        let operator = OperatorProcess::start(&OperatorSettings {
            kubeconfig,
            aws_endpoint: sandbox.endpoint().to_owned(),
            arguments: ["--interval=1m", "--iam-rate=1000", "--bedrock-rate=1000"].map(Into::into).to_vec(),
        })
        .unwrap();
        let world = Self { operator, sandbox, kubectl, _cluster: cluster };
        wait_until("each object to be Ready and its last Event written", LIMIT, || {
            at_least(world.ready_objects(), OBJECTS)?;
            at_least(world.events_of_ready_objects(), OBJECTS)?;
            at_least(world.reconciles(), OBJECTS)
        })
        .unwrap();
        world
    }

    /// The resourceVersion of every `BedrockAccess` and every Event of the namespace, by its kind and name.
    fn stored(&self) -> BTreeMap<String, String> {
        let name = |item: &Value| format!("{} {}", text(&item["kind"]), text(&item["metadata"]["name"]));
        self.list("bedrockaccesses,events")
            .iter()
            .map(|item| (name(item), text(&item["metadata"]["resourceVersion"])))
            .collect()
    }

    /// How many requests of each writing verb the API server has counted for objects, Events and the record, by their labels.
    fn write_requests(&self) -> BTreeMap<String, String> {
        let metrics = self.kubectl.run(["get", "--raw=/metrics"]).unwrap();
        let is_read = |labels: &str| {
            ["GET", "LIST", "WATCH"].iter().any(|verb| labels.contains(&format!(r#"verb="{verb}""#)))
        };
        let requests: BTreeMap<String, String> = metrics
            .lines()
            .filter(|line| line.starts_with("apiserver_request_total{"))
            .filter(|line| {
                ["bedrockaccesses", "events", "configmaps"]
                    .iter()
                    .any(|resource| line.contains(&format!(r#"resource="{resource}""#)))
            })
            .filter_map(|line| line.rsplit_once(' '))
            .filter(|(labels, _)| !is_read(labels))
            .map(|(labels, count)| (labels.to_owned(), count.to_owned()))
            .collect();
        assert!(
            requests.keys().any(|labels| labels.contains(r#"subresource="status""#)),
            "the API server must count the writes that made the objects Ready: {requests:?}"
        );
        requests
    }

    fn calls(&self) -> Vec<Value> {
        self.sandbox.inspect("calls").unwrap().as_array().unwrap().clone()
    }

    fn ready_objects(&self) -> usize {
        let is_ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
        let conditions = |object: &Value| object["status"]["conditions"].as_array().cloned();
        self.list("bedrockaccesses")
            .iter()
            .filter(|object| conditions(object).is_some_and(|conditions| conditions.iter().any(is_ready)))
            .count()
    }

    fn events_of_ready_objects(&self) -> usize {
        self.list("events").iter().filter(|event| event["reason"] == "PolicyWritten").count()
    }

    /// How many reconciles have ended with an object Ready, reported and told of.
    fn reconciles(&self) -> usize {
        let metrics = self.operator.get("/metrics").unwrap();
        metrics
            .lines()
            .find_map(|line| line.strip_prefix(r#"bedrock_access_reconciles_total{ending="Ready"} "#))
            .map_or(0, |count| count.parse().unwrap())
    }

    fn list(&self, kinds: &str) -> Vec<Value> {
        let listed = self.kubectl.json(["get", kinds, "--namespace", NAMESPACE, "--output=json"]);
        listed.unwrap()["items"].as_array().unwrap().clone()
    }
}

fn manifests() -> Value {
    let items: Vec<Value> = (0..OBJECTS)
        .map(|index| {
            json!({
                "apiVersion": "bedrockaccess.io/v1alpha1",
                "kind": "BedrockAccess",
                "metadata": {"name": role(index), "namespace": NAMESPACE},
                "spec": {
                    "role": {"name": role(index)},
                    "sourceRegions": ["us-east-1", "us-west-2"],
                    "routing": {"scopes": ["us", "global"]},
                    "models": [{"modelId": "amazon.nova-2-lite-v1:0"}],
                    "driftPolicy": if index % 2 == 0 { "Enforce" } else { "Report" },
                },
            })
        })
        .collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

fn roles() -> Vec<Value> {
    (0..OBJECTS)
        .map(|index| json!({"name": role(index), "tags": {"bedrockaccess.io/namespaces": NAMESPACE}}))
        .collect()
}

fn role(index: usize) -> String {
    format!("assistant-{index:02}")
}

/// What is in one of the two only, or differs.
fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| format!("{name}: {:?} became {:?}", before.get(name), after.get(name)))
        .collect()
}

fn at_least(seen: usize, wanted: usize) -> Result<(), String> {
    if seen >= wanted { Ok(()) } else { Err(format!("{seen} of {wanted}")) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
