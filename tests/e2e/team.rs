use std::time::{Duration, Instant};

use aws_sdk_iam::types::Tag;
use bedrock_access_api::v1alpha1::BedrockAccess;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, CustomResourceExt};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::world::World;
use local_cluster::RELEASE;

pub(crate) const NOVA_LITE: &str = "amazon.nova-2-lite-v1:0";

const OBJECT: &str = "access";
const LIMIT: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(100);
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}"#;

/// A namespace with one `BedrockAccess` and one role, both named after the test's story.
pub(crate) struct Team {
    pub(crate) world: &'static World,
    pub(crate) name: &'static str,
    pub(crate) iam: aws_sdk_iam::Client,
    objects: Api<BedrockAccess>,
    events: Api<Event>,
}

impl Team {
    /// A team whose role exists and consents.
    pub(crate) async fn new(world: &'static World, name: &'static str) -> Self {
        let team = Self::without_role(world, name).await;
        team.create_role().await;
        team.consent(name).await;
        team
    }

    pub(crate) async fn without_role(world: &'static World, name: &'static str) -> Self {
        let client = client(world).await;
        let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
        Self {
            world,
            name,
            iam: world.sandbox.iam(),
            objects: Api::namespaced(client.clone(), name),
            events: Api::namespaced(client, name),
        }
    }

    pub(crate) async fn create_role(&self) {
        self.iam.create_role().role_name(self.name).assume_role_policy_document(TRUST).send().await.unwrap();
    }

    /// Sets the tag by which the role's owner consents.
    pub(crate) async fn consent(&self, namespaces: &str) {
        let tag = Tag::builder().key("bedrockaccess.io/namespaces").value(namespaces).build().unwrap();
        self.iam.tag_role().role_name(self.name).tags(tag).send().await.unwrap();
    }

    /// Applies a manifest for the team's role: Nova 2 Lite in the scope `us`, and what `spec` adds or replaces.
    pub(crate) async fn apply(&self, spec: Value) {
        let mut manifest = json!({
            "apiVersion": "bedrockaccess.io/v1alpha1",
            "kind": "BedrockAccess",
            "metadata": {"name": OBJECT},
            "spec": {
                "role": {"name": self.name},
                "sourceRegions": ["us-east-1"],
                "models": [{"modelId": NOVA_LITE, "scopes": ["us"]}],
            },
        });
        for (field, value) in spec.as_object().unwrap() {
            manifest["spec"][field] = value.clone();
        }
        let owner = PatchParams::apply("team").force();
        self.objects.patch(OBJECT, &owner, &Patch::Apply(&manifest)).await.unwrap();
    }

    pub(crate) async fn delete(&self) {
        self.objects.delete(OBJECT, &DeleteParams::default()).await.unwrap();
    }

    /// The object goes without its finalizer's work, as after a restore from an older copy. Nobody but the operator may take it off,
    /// so this is done in the operator's name.
    pub(crate) async fn vanish(&self) {
        let patch = json!({"metadata": {"finalizers": null}});
        let mut config = config(self.world).await;
        config.auth_info.impersonate = Some(format!("system:serviceaccount:{RELEASE}:{RELEASE}"));
        let client = Client::try_from(config).unwrap();
        let objects: Api<BedrockAccess> = Api::namespaced(client, self.name);
        objects.patch(OBJECT, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
        self.delete().await;
        self.wait_until_gone().await;
    }

    pub(crate) async fn wait_until_no_policy(&self) {
        let deadline = Instant::now() + LIMIT;
        while !self.policy_names().await.is_empty() {
            self.check(deadline, "the role to hold no policy", None);
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(crate) async fn wait_until_gone(&self) {
        let deadline = Instant::now() + LIMIT;
        while let Some(object) = self.objects.get_opt(OBJECT).await.unwrap() {
            self.check(deadline, "the object to be gone", Some(&object));
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(crate) async fn delete_namespace(&self) {
        self.namespaces().await.delete(self.name, &DeleteParams::default()).await.unwrap();
    }

    pub(crate) async fn wait_until_namespace_gone(&self) {
        let namespaces = self.namespaces().await;
        let deadline = Instant::now() + LIMIT;
        while namespaces.get_opt(self.name).await.unwrap().is_some() {
            self.check(deadline, "the namespace to be gone", None);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Deletes the CustomResourceDefinition, and so every object, and waits until it is gone.
    pub(crate) async fn delete_definition(&self) -> CustomResourceDefinition {
        let definitions: Api<CustomResourceDefinition> = Api::all(client(self.world).await);
        let definition = definitions.get(BedrockAccess::crd_name()).await.unwrap();
        definitions.delete(BedrockAccess::crd_name(), &DeleteParams::default()).await.unwrap();
        let deadline = Instant::now() + LIMIT;
        while definitions.get_opt(BedrockAccess::crd_name()).await.unwrap().is_some() {
            self.check(deadline, "the definition to be gone", None);
            tokio::time::sleep(PAUSE).await;
        }
        definition
    }

    /// Creates the CustomResourceDefinition again, and waits until it is served.
    pub(crate) async fn create_definition(&self, definition: &CustomResourceDefinition) {
        let mut definition = definition.clone();
        definition.metadata.resource_version = None;
        let definitions: Api<CustomResourceDefinition> = Api::all(client(self.world).await);
        definitions.create(&PostParams::default(), &definition).await.unwrap();
        let deadline = Instant::now() + LIMIT;
        while self.objects.list(&ListParams::default()).await.is_err() {
            self.check(deadline, "the definition to be served", None);
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn namespaces(&self) -> Api<Namespace> {
        Api::all(client(self.world).await)
    }

    pub(crate) async fn wait_until_ready(&self) -> BedrockAccess {
        self.wait_until("Ready", |object| shows(object, "Ready", "True", "Reconciled")).await
    }

    pub(crate) async fn wait_for(&self, condition: &str, status: &str, reason: &str) -> BedrockAccess {
        let what = format!("{condition}={status} because of {reason}");
        self.wait_until(&what, |object| shows(object, condition, status, reason)).await
    }

    /// Asks for a reconcile now, and waits until it is done.
    pub(crate) async fn reconcile(&self) -> BedrockAccess {
        let token = format!("{:?}", Instant::now());
        let patch = json!({"metadata": {"annotations": {"bedrockaccess.io/reconcile-at": token}}});
        self.objects.patch(OBJECT, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
        self.wait_until("the reconcile that was asked for", |object| {
            let handled = object.status.as_ref().and_then(|status| status.last_handled_reconcile_at.as_ref());
            handled == Some(&token)
        })
        .await
    }

    /// Waits until the object holds; an API server that cannot be reached is waited for as well.
    pub(crate) async fn wait_until(
        &self,
        what: &str,
        holds: impl Fn(&BedrockAccess) -> bool,
    ) -> BedrockAccess {
        let deadline = Instant::now() + LIMIT;
        loop {
            let object = self.objects.get(OBJECT).await.ok();
            if let Some(object) = object.as_ref().filter(|object| holds(object)) {
                return object.clone();
            }
            self.check(deadline, what, object.as_ref());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The names of all inline policies on the role.
    pub(crate) async fn policy_names(&self) -> Vec<String> {
        let listed = self.iam.list_role_policies().role_name(self.name).send().await.unwrap();
        listed.policy_names
    }

    /// The one inline policy on the role.
    pub(crate) async fn policy(&self) -> Value {
        let names = self.policy_names().await;
        let [name] = names.as_slice() else { panic!("one policy was expected: {names:?}") };
        let answer = self.iam.get_role_policy().role_name(self.name).policy_name(name).send().await.unwrap();
        let text = percent_decode_str(&answer.policy_document).decode_utf8().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) async fn put_policy(&self, name: &str, document: &Value) {
        let put = self.iam.put_role_policy().role_name(self.name).policy_name(name);
        put.policy_document(document.to_string()).send().await.unwrap();
    }

    /// Someone removes the one inline policy behind the operator's back.
    pub(crate) async fn delete_policy(&self) {
        let names = self.policy_names().await;
        let [name] = names.as_slice() else { panic!("one policy was expected: {names:?}") };
        self.iam.delete_role_policy().role_name(self.name).policy_name(name).send().await.unwrap();
    }

    /// The reasons of all Events about the object, oldest first. An Event may arrive after what it tells of.
    pub(crate) async fn wait_for_event(&self, reason: &str) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let events = self.events.list(&ListParams::default()).await.unwrap();
            let about =
                events.items.iter().filter(|event| event.regarding.as_ref().is_some_and(is_about_object));
            let reasons: Vec<&str> = about.filter_map(|event| event.reason.as_deref()).collect();
            if reasons.contains(&reason) {
                return;
            }
            self.check(deadline, &format!("the Event {reason}, seen {reasons:?}"), None);
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn check(&self, deadline: Instant, what: &str, object: Option<&BedrockAccess>) {
        let status = || object.and_then(|object| serde_json::to_string_pretty(&object.status).ok());
        assert!(
            Instant::now() < deadline,
            "{}: waited {} s for {what}; the status is {}; the operator's log ends with:\n{}",
            self.name,
            LIMIT.as_secs(),
            status().unwrap_or_else(|| "unknown".to_owned()),
            self.world.operator_log(),
        );
    }
}

/// Whether a condition says this of the object's present generation.
pub(crate) fn shows(object: &BedrockAccess, condition: &str, status: &str, reason: &str) -> bool {
    let conditions = object.status.iter().flat_map(|status| &status.conditions);
    conditions.filter(|found| found.type_ == condition).any(|found| {
        found.status == status
            && found.reason == reason
            && found.observed_generation == object.metadata.generation
    })
}

fn is_about_object(regarding: &k8s_openapi::api::core::v1::ObjectReference) -> bool {
    regarding.kind.as_deref() == Some("BedrockAccess") && regarding.name.as_deref() == Some(OBJECT)
}

async fn client(world: &World) -> Client {
    Client::try_from(config(world).await).unwrap()
}

async fn config(world: &World) -> Config {
    let kubeconfig = Kubeconfig::read_from(world.cluster.kubeconfig()).unwrap();
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap()
}
