//! One object, one role, the sandbox over a real socket, and the real driver between them.

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::Region as SdkRegion;
use aws_config::SdkConfig;
use aws_sandbox::{Call, Config, NewRole, Sandbox, Server};
use bedrock_access::aws;
use bedrock_access::orphans::{IsConfirmed, Record};
use bedrock_access::reconcile::{Context, Error, FINALIZER, Memory, NextLook, reconcile};
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::consent::ConsentPolicy;
use serde_json::{Value, json};

use crate::context::{INTERVAL, Settings, Shards, context};
use crate::kubernetes::ApiServer;

pub(crate) const US: &str = "us.amazon.nova-2-lite-v1:0";

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) kubernetes: ApiServer,
    pub(crate) context: Arc<Context>,
    pub(crate) aws: SdkConfig,
    _server: Server,
}

/// A manifest for `us` and `global` in us-east-1, as the API server would store it.
pub(crate) fn manifest() -> Value {
    json!({
        "apiVersion": "bedrockaccess.io/v1alpha1",
        "kind": "BedrockAccess",
        "metadata": {
            "name": "assistant", "namespace": "team-a", "uid": "uid-1", "generation": 1,
            "annotations": {}, "finalizers": [FINALIZER],
        },
        "spec": {
            "role": {"name": "assistant"},
            "sourceRegions": ["us-east-1"],
            "routing": {"scopes": ["us", "global"]},
            "models": [{"modelId": "amazon.nova-2-lite-v1:0"}],
        },
        "status": {"observedGeneration": -1},
    })
}

pub(crate) fn consenting() -> NewRole {
    NewRole::new("assistant").tag("bedrockaccess.io/namespaces", "team-a")
}

impl World {
    /// A role that consents, and the manifest; IAM shows every write at once.
    pub(crate) async fn new() -> Self {
        Self::with(consenting(), manifest()).await
    }

    pub(crate) async fn with(role: NewRole, object: Value) -> Self {
        Self::with_lag(role, object, Duration::ZERO).await
    }

    /// IAM may show what was there before a write for as long as `iam_lag`.
    pub(crate) async fn with_lag(role: NewRole, object: Value, iam_lag: Duration) -> Self {
        let sandbox = Sandbox::new(Config::default());
        sandbox.create_role(role);
        Self::on(sandbox, ApiServer::holding(object), Settings { iam_lag, ..Settings::of_cluster("cluster") })
            .await
    }

    /// Another cluster, or another object of the same one, on the same AWS account.
    pub(crate) async fn beside(&self, object: Value, cluster_id: &'static str) -> Self {
        Self::on(self.sandbox.clone(), ApiServer::holding(object), Settings::of_cluster(cluster_id)).await
    }

    /// Served by an operator that has a selector.
    pub(crate) async fn of_shard(object: Value, selector: &'static str) -> Self {
        let sandbox = Sandbox::new(Config::default());
        sandbox.create_role(consenting());
        let settings = Settings { shard: Shards::Selected(selector), ..Settings::of_cluster("cluster") };
        Self::on(sandbox, ApiServer::holding(object), settings).await
    }

    /// The same object and record after the cluster id was changed, run by an operator that adopts what was written before.
    pub(crate) async fn adopted_by(&self, cluster_id: &'static str) -> Self {
        let settings = Settings { adopt_from: Some("cluster"), ..Settings::of_cluster(cluster_id) };
        Self::on(self.sandbox.clone(), self.kubernetes.clone(), settings).await
    }

    /// The same world for an operator that was started anew, with another word on how roles consent.
    pub(crate) async fn restarted(mut self, consent: ConsentPolicy, is_confirmed: IsConfirmed) -> Self {
        let context = Arc::get_mut(&mut self.context).unwrap();
        let mut record = Record::new(self.kubernetes.client(), "bedrock-access", "cluster", None);
        context.settings.consent = record.decide_consent(consent, is_confirmed).await.unwrap();
        context.orphans.record = record;
        context.memory = Memory::new(Duration::ZERO);
        context.owners.forget_all();
        context.bedrock.forget_tags();
        self
    }

    /// The names of our policies on the role, under whatever cluster id.
    pub(crate) fn our_policies(&self) -> Vec<String> {
        let names = self.sandbox.role_policies("assistant").into_iter();
        names.filter(|name| name.starts_with("bedrock-access.")).collect()
    }

    async fn on(sandbox: Sandbox, kubernetes: ApiServer, settings: Settings) -> Self {
        // Another test of this process may have installed it already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let server = Server::start(sandbox.clone()).await.unwrap();
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(server.url())
            .region(SdkRegion::new("us-east-1"))
            .test_credentials();
        let aws = aws::sdk_config(loader).await;
        let context = Arc::new(context(kubernetes.client(), &aws, settings));
        Self { sandbox, kubernetes, context, aws, _server: server }
    }

    /// One reconcile of the object as it is stored now; when to look again.
    pub(crate) async fn reconcile(&self) -> Result<NextLook, Error> {
        self.reconcile_as(self.kubernetes.object()).await
    }

    /// One reconcile of the object as a watch showed it, whatever is stored by now.
    pub(crate) async fn reconcile_as(&self, object: Value) -> Result<NextLook, Error> {
        let object: BedrockAccess = serde_json::from_value(object).unwrap();
        reconcile(Arc::new(object), Arc::clone(&self.context)).await
    }

    /// An interval goes by, in which nobody looks.
    pub(crate) async fn an_interval_later(&self) {
        tokio::time::pause();
        tokio::time::advance(INTERVAL).await;
        tokio::time::resume();
    }

    /// A condition's status and reason.
    pub(crate) fn condition(&self, kind: &str) -> Option<(String, String)> {
        let object = self.kubernetes.object();
        let conditions = object["status"]["conditions"].as_array()?;
        let condition = conditions.iter().find(|condition| condition["type"] == kind)?;
        let text = |field: &str| condition[field].as_str().unwrap().to_owned();
        Some((text("status"), text("reason")))
    }

    pub(crate) fn message(&self, kind: &str) -> String {
        let object = self.kubernetes.object();
        let conditions = object["status"]["conditions"].as_array().unwrap();
        let condition = conditions.iter().find(|condition| condition["type"] == kind).unwrap();
        condition["message"].as_str().unwrap().to_owned()
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.condition("Ready") == Some(("True".to_owned(), "Reconciled".to_owned()))
    }

    /// Our policy on the role.
    pub(crate) fn policy(&self) -> Option<Value> {
        let name = self
            .sandbox
            .role_policies("assistant")
            .into_iter()
            .find(|name| name.starts_with("bedrock-access."))?;
        let document = self.sandbox.role_policy("assistant", &name)?;
        Some(serde_json::from_str(&document).unwrap())
    }

    /// The calls since the last time, by operation.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        let calls = self.sandbox.calls().into_iter().map(|call: Call| call.operation).collect();
        self.sandbox.clear_calls();
        calls
    }

    /// The notes of the Events since the last time.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        let writes = self.kubernetes.take_writes().into_iter();
        writes.filter_map(|(_, body)| Some(body["note"].as_str()?.to_owned())).collect()
    }

    /// The reasons of the Events since the last time.
    pub(crate) fn take_events(&self) -> Vec<String> {
        let writes = self.kubernetes.take_writes().into_iter();
        let events = writes.filter(|(kind, _)| kind == "event");
        events.map(|(_, event)| event["reason"].as_str().unwrap_or("series").to_owned()).collect()
    }
}
