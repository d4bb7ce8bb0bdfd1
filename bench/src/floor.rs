//! The least that the work can take: the requests that no operator can do without, sent by the same clients without any logic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bedrock_access_api::v1alpha1::{BedrockAccess, BedrockAccessStatus};
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use local_cluster::SandboxProcess;
use serde_json::{Value, json};

use crate::meter::{Cost, Meter};
use crate::objects::api;
use crate::stage::{NAMESPACE, Stage};
use crate::work::CONCURRENCY;
use crate::workers::on_each;
use crate::{Outcome, progress};

const FINALIZER: &str = "bedrockaccess.io/policy";

/// What the operator wrote for each object, by its name, to be written once more for new objects of the same names.
pub(crate) struct Script(BTreeMap<String, Writes>);

#[derive(Clone)]
struct Writes {
    role: String,
    policy: String,
    document: String,
    event: Event,
    status: BedrockAccessStatus,
}

/// An object to write for.
struct Target {
    name: String,
    uid: String,
    writes: Writes,
}

#[derive(Clone)]
struct Clients {
    iam: aws_sdk_iam::Client,
    objects: Api<BedrockAccess>,
    events: Api<Event>,
}

impl Script {
    /// Of a stage on which the operator has made every object Ready.
    pub(crate) fn of(stage: &Stage, sandbox: &SandboxProcess) -> Outcome<Self> {
        let told = stage.events()?.into_iter();
        let mut told: BTreeMap<String, Event> =
            told.filter_map(|event| Some((event.regarding.as_ref()?.name.clone()?, event))).collect();
        let mut script = BTreeMap::new();
        for object in stage.objects()? {
            let name = object.name_any();
            let role = object.spec.role.name.clone().ok_or("an object names no role")?;
            let history = sandbox.inspect(&format!("history/{role}"))?;
            let [change] = history.as_array().map_or(&[][..], Vec::as_slice) else {
                return Err(format!("role {role} was not written exactly once: {history}").into());
            };
            let text = |field: &str| change[field].as_str().unwrap_or_default().to_owned();
            let writes = Writes {
                role,
                policy: text("policy"),
                document: text("document"),
                event: told.remove(&name).ok_or("an object has no Event")?,
                status: object.status.ok_or("an object has no status")?,
            };
            script.insert(name, writes);
        }
        Ok(Self(script))
    }

    /// For the new objects of a stage on which no operator runs: for each the finalizer, GetRole beside GetRolePolicy,
    /// PutRolePolicy, one Event, GetRolePolicy and the status; on as many objects at once as the operator works on, with its rights.
    pub(crate) fn run(&self, stage: &Stage, sandbox: &SandboxProcess) -> Outcome<Cost> {
        progress("  floor: the same requests without any logic");
        let targets = stage.objects()?.into_iter().map(|object| {
            let name = object.name_any();
            let writes = self.0.get(&name).cloned().ok_or("an object is new to the script")?;
            Ok(Target { uid: object.uid().unwrap_or_default(), name, writes })
        });
        let targets = Arc::new(targets.collect::<Outcome<Vec<Target>>>()?);
        let client = stage.operators_client()?;
        let events = Api::namespaced(client.clone(), NAMESPACE);
        let clients = Clients { iam: sandbox.iam(), objects: api(client), events };
        let send = move |targets: Arc<Vec<Target>>, at: usize| {
            let clients = clients.clone();
            async move { clients.send(&targets[at]).await }
        };
        let meter = Meter::start(stage, sandbox, std::process::id())?;
        stage.runtime.block_on(on_each(targets, CONCURRENCY, send))?;
        meter.stop(Instant::now(), std::process::id())
    }
}

impl Clients {
    async fn send(&self, target: &Target) -> Result<(), String> {
        let Target { name, uid, writes } = target;
        let of_kubernetes = |error: kube::Error| format!("{name}: {error}");
        let finalizer: Value = json!([
            {"op": "test", "path": "/metadata/finalizers", "value": null},
            {"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]},
        ]);
        let finalizer = serde_json::from_value(finalizer).map_err(|error| error.to_string())?;
        let patch = Patch::Json::<()>(finalizer);
        self.objects.patch(name, &PatchParams::default(), &patch).await.map_err(of_kubernetes)?;
        self.write_policy(writes).await?;
        self.events.create(&PostParams::default(), &event(target)).await.map_err(of_kubernetes)?;
        self.read_policy(writes)
            .await
            .map_err(|_| format!("GetRolePolicy of role {} failed", writes.role))?;
        let status = json!({
            "apiVersion": "bedrockaccess.io/v1alpha1",
            "kind": "BedrockAccess",
            "metadata": {"name": name, "uid": uid},
            "status": writes.status,
        });
        let apply = PatchParams::apply("bedrock-access").force();
        self.objects.patch_status(name, &apply, &Patch::Apply(&status)).await.map_err(of_kubernetes)?;
        Ok(())
    }

    async fn write_policy(&self, writes: &Writes) -> Result<(), String> {
        let failed = |operation: &str| format!("{operation} of role {} failed", writes.role);
        let role = self.iam.get_role().role_name(&writes.role).send();
        let (role, absent) = futures::join!(role, self.read_policy(writes));
        role.map_err(|_| failed("GetRole"))?;
        if !absent.is_err_and(|error| error.into_service_error().is_no_such_entity_exception()) {
            return Err(format!("role {} already holds the policy", writes.role));
        }
        let put = self.iam.put_role_policy().role_name(&writes.role).policy_name(&writes.policy);
        put.policy_document(&writes.document).send().await.map_err(|_| failed("PutRolePolicy"))?;
        Ok(())
    }

    async fn read_policy(
        &self,
        writes: &Writes,
    ) -> Result<
        aws_sdk_iam::operation::get_role_policy::GetRolePolicyOutput,
        aws_sdk_iam::error::SdkError<aws_sdk_iam::operation::get_role_policy::GetRolePolicyError>,
    > {
        self.iam.get_role_policy().role_name(&writes.role).policy_name(&writes.policy).send().await
    }
}

/// The operator's, about another object at another time.
fn event(target: &Target) -> Event {
    let now = Timestamp::now();
    let mut event = target.writes.event.clone();
    event.metadata = ObjectMeta {
        namespace: Some(NAMESPACE.to_owned()),
        name: Some(format!("{}.{:x}", target.name, now.as_nanosecond())),
        ..ObjectMeta::default()
    };
    event.event_time = Some(MicroTime(now));
    if let Some(regarding) = &mut event.regarding {
        regarding.uid = Some(target.uid.clone());
    }
    event
}
