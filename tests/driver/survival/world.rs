//! A cluster, an AWS, the wire to both, and at most one operator.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use aws_sandbox::{Config, NewRole, Sandbox};
use bedrock_access::controller;
use bedrock_access::health::Health;
use bedrock_access::metrics::Metrics;
use bedrock_access::reconcile::Context;
use bedrock_iam::PolicyIdentity;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::aws;
use super::cluster::Cluster;
use super::wire::{Call, Wire};
use crate::context::{Settings, Shards, UNLIMITED, context};

pub(crate) const SOURCE: &str = "us-east-1";
pub(crate) const ROLE: &str = "assistant";
pub(crate) const CONSENT: &str = "bedrockaccess.io/namespaces";

const SETTINGS: Settings = Settings {
    cluster_id: "cluster",
    adopt_from: None,
    iam_lag: Duration::from_mins(1),
    sweep_interval: Some(Duration::from_hours(24)),
    rate: UNLIMITED,
    shard: Shards::All,
};

const CONCURRENCY: u16 = 8;

pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) sandbox: Sandbox,
    pub(crate) wire: Wire,
    operator: Option<JoinHandle<()>>,
    context: Option<Arc<Context>>,
    metrics: Metrics,
    /// Of the next operator.
    settings: Settings,
}

/// One of several operators.
pub(crate) struct Beside {
    pub(crate) wire: Wire,
    operator: JoinHandle<()>,
}

impl Beside {
    /// Nothing of it is left.
    pub(crate) async fn kill(self) {
        self.operator.abort();
        assert!(self.operator.await.unwrap_err().is_cancelled(), "the operator ended by itself");
    }

    /// The namespaces in which it wrote to objects.
    pub(crate) fn namespaces(&self) -> BTreeSet<String> {
        let sent = self.wire.sent().into_iter().map(|(_, call)| call);
        let writes = sent.filter(|call| ["finalizer", "status"].contains(&call.kind.as_str()));
        writes.map(|call| call.place).collect()
    }

    /// How many writes to AWS it sent.
    pub(crate) fn writes(&self) -> usize {
        let sent = self.wire.sent().into_iter();
        sent.filter(|(_, call)| ["PutRolePolicy", "DeleteRolePolicy"].contains(&call.kind.as_str())).count()
    }
}

/// All that must come out the same, however the way there was disturbed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EndState {
    objects: Vec<Value>,
    policies: BTreeMap<String, String>,
    record: Vec<String>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        // Another test of this process may have installed it already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let sandbox = Sandbox::new(Config::default());
        Self {
            cluster: Cluster::new(),
            sandbox,
            wire: Wire::new(seed),
            operator: None,
            context: None,
            metrics: Metrics::default(),
            settings: SETTINGS,
        }
    }

    /// Starts an operator that knows nothing.
    pub(crate) async fn start(&mut self) {
        assert!(self.operator.is_none(), "an operator is running already");
        let config = aws::config(&self.sandbox, &self.wire).await;
        let (client, watches) = self.cluster.clients(&self.wire);
        let context = context(client, &config, self.settings);
        self.metrics = context.metrics.clone();
        let health = Arc::new(Health::default());
        let context = Arc::new(context);
        self.context = Some(Arc::clone(&context));
        let run = controller::run(watches, context, health, CONCURRENCY, std::future::pending());
        self.operator = Some(tokio::spawn(run));
    }

    /// Starts an operator beside others, with a line of its own.
    pub(crate) async fn start_as(&self, shard: Shards) -> Beside {
        let wire = Wire::new(fastrand::u64(..));
        let config = aws::config(&self.sandbox, &wire).await;
        let (client, watches) = self.cluster.clients(&wire);
        let context = Arc::new(context(client, &config, Settings { shard, ..self.settings }));
        let health = Arc::new(Health::default());
        let run = controller::run(watches, context, health, CONCURRENCY, std::future::pending());
        Beside { wire, operator: tokio::spawn(run) }
    }

    /// Of how many objects the operator remembers something.
    pub(crate) fn remembered(&self) -> usize {
        let context = self.context.as_ref().unwrap();
        [context.memory.uids(), context.failures.uids()].concat().len()
    }

    /// The cluster id is changed for the next operator, which adopts what was written before.
    pub(crate) fn rename(&mut self, id: &'static str) {
        self.settings.adopt_from = Some(self.settings.cluster_id);
        self.settings.cluster_id = id;
    }

    /// The next operator sends at most so many calls a second to IAM, and as many to Bedrock in each Region.
    pub(crate) fn limit(&mut self, per_second: NonZeroU32) {
        self.settings.rate = per_second;
    }

    /// The next operator adopts nothing any more.
    pub(crate) fn end_the_move(&mut self) {
        self.settings.adopt_from = None;
    }

    /// Nothing of the operator is left, and nothing of it is heard any more.
    pub(crate) async fn kill(&mut self) {
        let operator = self.operator.take().expect("no operator is running");
        operator.abort();
        assert!(operator.await.unwrap_err().is_cancelled(), "the operator ended by itself");
    }

    /// Lets time pass until no request has been sent for `silence`; watches and reads at the interval are not counted.
    pub(crate) async fn settle(&self, silence: Duration, limit: Duration) {
        let (mut seen, begun) = (0, Instant::now());
        let mut quiet_since = begun;
        while quiet_since.elapsed() < silence {
            assert!(begun.elapsed() < limit, "no rest after {limit:?}: {:#?}", self.latest());
            sleep(Duration::from_secs(1)).await;
            let count = self.wire.count();
            if count != seen {
                (seen, quiet_since) = (count, Instant::now());
            }
        }
    }

    /// Waits until the condition holds.
    pub(crate) async fn until(&self, what: &str, limit: Duration, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < limit, "{what}: not after {limit:?}: {:#?}", self.cluster.objects());
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Objects without versions and times, and every policy of every role.
    pub(crate) fn end_state(&self) -> EndState {
        let objects = self.cluster.objects().into_iter().map(without_times).collect();
        let roles = [ROLE, "other"];
        let policies = roles.into_iter().flat_map(|role| {
            let names = self.sandbox.role_policies(role).into_iter();
            names.map(move |name| (role, name))
        });
        let policies = policies
            .map(|(role, name)| (format!("{role}/{name}"), self.sandbox.role_policy(role, &name).unwrap()))
            .collect();
        EndState { objects, policies, record: self.cluster.record() }
    }

    /// A line of the running operator's metrics.
    pub(crate) fn metric(&self, name: &str) -> Option<String> {
        let text = self.metrics.to_text().unwrap();
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned))
    }

    /// A condition's status and reason.
    pub(crate) fn condition(&self, namespace: &str, kind: &str) -> Option<(String, String)> {
        let object = self.cluster.get(namespace, ROLE)?;
        let conditions = object["status"]["conditions"].as_array()?;
        let condition = conditions.iter().find(|condition| condition["type"] == kind)?;
        let text = |field: &str| condition[field].as_str().unwrap().to_owned();
        Some((text("status"), text("reason")))
    }

    /// Whether the object is Ready at its newest generation.
    pub(crate) fn is_ready(&self, namespace: &str) -> bool {
        let Some(object) = self.cluster.get(namespace, ROLE) else { return false };
        object["status"]["observedGeneration"] == object["metadata"]["generation"]
            && self.condition(namespace, "Ready") == Some(("True".to_owned(), "Reconciled".to_owned()))
    }

    /// Whether an object of any name says that it is Ready.
    pub(crate) fn shows_ready(&self, namespace: &str, name: &str) -> bool {
        let Some(object) = self.cluster.get(namespace, name) else { return false };
        let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
        conditions.into_iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    }

    /// The most requests in any one minute between the two. Of those that read a part of the record, of which there are 64, every
    /// fourth counts.
    pub(crate) fn most_per_minute(&self, begin: Instant, end: Instant) -> usize {
        let mut parts = 0;
        let counts = |(_, call): &(Instant, Call)| {
            parts += usize::from(call.kind == "read");
            call.kind != "read" || parts % 4 == 1
        };
        let times = self.wire.sent().into_iter().filter(counts).map(|(at, _)| at);
        let times: Vec<Instant> = times.filter(|at| (begin..end).contains(at)).collect();
        let until = |at: &Instant| times.partition_point(|other| *other < *at + Duration::from_mins(1));
        times.iter().enumerate().map(|(number, at)| until(at) - number).max().unwrap_or(0)
    }

    fn latest(&self) -> Vec<Call> {
        let sent = self.wire.sent();
        sent.iter().rev().take(20).map(|(_, call)| call.clone()).collect()
    }
}

/// The name of the policy that the object in the namespace writes.
pub(crate) fn policy_name(namespace: &str) -> String {
    PolicyIdentity::derive("cluster", namespace, ROLE).policy_name().to_owned()
}

impl EndState {
    /// What this one has that the other has not, and the other way round.
    pub(crate) fn difference(&self, other: &Self) -> Vec<String> {
        let (ours, others) = (self.facts(), other.facts());
        let more = ours.difference(&others).map(|fact| format!("+ {fact}"));
        more.chain(others.difference(&ours).map(|fact| format!("- {fact}"))).collect()
    }

    fn facts(&self) -> BTreeSet<String> {
        let mut facts = BTreeSet::new();
        for object in &self.objects {
            let namespace = &object["metadata"]["namespace"];
            for part in ["metadata", "spec", "status"] {
                for (field, value) in object[part].as_object().into_iter().flatten() {
                    facts.insert(format!("{namespace} {part}.{field} = {value}"));
                }
            }
        }
        facts.extend(self.record.iter().map(|key| format!("noted {key}")));
        facts.extend(self.policies.iter().map(|(name, text)| format!("policy {name} = {text}")));
        facts
    }
}

/// A manifest for `us` and `global` in [`SOURCE`].
pub(crate) fn manifest(namespace: &str, role: &str) -> Value {
    json!({
        "apiVersion": "bedrockaccess.io/v1alpha1",
        "kind": "BedrockAccess",
        "metadata": {"name": ROLE, "namespace": namespace, "annotations": {}},
        "spec": {
            "role": {"name": role},
            "sourceRegions": [SOURCE],
            "routing": {"scopes": ["us", "global"]},
            "models": [{"modelId": "amazon.nova-2-lite-v1:0"}],
        },
    })
}

/// A role that consents to three teams and holds policies of others.
pub(crate) fn role(name: &str) -> NewRole {
    NewRole::new(name)
        .tag(CONSENT, "team-a team-b team-c")
        .policy("theirs", &filler(300))
        .policy(PolicyIdentity::derive("another", "team-a", ROLE).policy_name(), &filler(200))
}

/// Someone else's policy of some `size` characters.
pub(crate) fn filler(size: usize) -> String {
    let bucket = "x".repeat(size - 100);
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}")}
    ]})
    .to_string()
}

fn without_times(mut object: Value) -> Value {
    object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    if let Some(conditions) = object["status"]["conditions"].as_array_mut() {
        for condition in conditions.iter_mut() {
            condition.as_object_mut().unwrap().remove("lastTransitionTime");
        }
        conditions.sort_by_key(|condition| condition["type"].to_string());
    }
    object
}
