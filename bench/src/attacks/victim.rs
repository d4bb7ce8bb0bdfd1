//! Another tenant, who does nothing unusual meanwhile.

use std::thread;
use std::time::{Duration, Instant};

use local_cluster::SandboxProcess;
use serde_json::{Value, json};

use crate::Outcome;
use crate::stage::{NAMESPACE, Stage};

/// New objects, one after the other.
const NEW_OBJECTS: usize = 30;

const PAUSE: Duration = Duration::from_millis(50);

/// Before the victim does anything, so that the attack stands.
const HEAD_START: Duration = Duration::from_secs(20);

const LIMIT: Duration = Duration::from_secs(150);

/// In the namespace of [`NAMESPACE`].
pub(super) struct Victim<'a> {
    pub(super) stage: &'a Stage,
}

/// In seconds.
pub(super) struct Measured {
    /// Of each new object, from its creation.
    pub(super) to_ready: Vec<f64>,
    /// From the owner's word until the policy is off the role.
    pub(super) withdrawal: f64,
}

impl Victim<'_> {
    /// Has one object from the beginning.
    pub(super) fn settle(&self) -> Outcome<()> {
        self.create(0)
    }

    pub(super) fn wait_until_the_first_is_ready(&self) -> Outcome<()> {
        self.seconds_to_ready(0).map(drop)
    }

    pub(super) fn measure(&self, sandbox: &SandboxProcess) -> Outcome<Measured> {
        thread::sleep(HEAD_START);
        withdraw(sandbox)?;
        let withdrawn = Instant::now();
        let mut withdrawal = None;
        let mut to_ready = Vec::new();
        for object in 1..=NEW_OBJECTS {
            self.create(object)?;
            to_ready.push(self.seconds_to_ready(object)?);
            withdrawal = withdrawal.or(is_bare(sandbox)?.then(|| withdrawn.elapsed()));
        }
        while withdrawal.is_none() && withdrawn.elapsed() < LIMIT {
            thread::sleep(PAUSE);
            withdrawal = is_bare(sandbox)?.then(|| withdrawn.elapsed());
        }
        Ok(Measured { to_ready, withdrawal: withdrawal.unwrap_or(LIMIT).as_secs_f64() })
    }

    fn create(&self, object: usize) -> Outcome<()> {
        self.stage.create(&json!({
            "apiVersion": "bedrockaccess.io/v1alpha1",
            "kind": "BedrockAccess",
            "metadata": {"name": name(object), "namespace": NAMESPACE},
            "spec": {
                "role": {"name": name(object)},
                "sourceRegions": ["us-east-1"],
                "routing": {"scopes": ["us"]},
                "models": [{"modelId": "amazon.nova-2-lite-v1:0"}],
            },
        }))
    }

    /// From now on; the limit where it takes longer.
    fn seconds_to_ready(&self, object: usize) -> Outcome<f64> {
        let started = Instant::now();
        while started.elapsed() < LIMIT {
            let arguments =
                ["get", "bedrockaccess", &name(object), "--namespace", NAMESPACE, "--output=json"];
            if is_ready(&self.stage.kubectl.json(arguments)?) {
                break;
            }
            thread::sleep(PAUSE);
        }
        Ok(started.elapsed().as_secs_f64())
    }
}

/// The roles of all its objects.
pub(super) fn roles() -> impl Iterator<Item = String> {
    (0..=NEW_OBJECTS).map(name)
}

fn withdraw(sandbox: &SandboxProcess) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tag = aws_sdk_iam::types::Tag::builder().key("bedrockaccess.io/namespaces").value("@none").build()?;
    let iam = sandbox.iam();
    runtime.block_on(iam.tag_role().role_name(name(0)).tags(tag).send()).map_err(|_| "TagRole failed")?;
    Ok(())
}

/// Whether no policy is on the first object's role.
fn is_bare(sandbox: &SandboxProcess) -> Outcome<bool> {
    let history = sandbox.inspect(&format!("history/{}", name(0)))?;
    let last = history.as_array().and_then(|changes| changes.last().cloned()).unwrap_or_default();
    Ok(last["document"] == Value::Null)
}

fn name(object: usize) -> String {
    format!("assistant-{object:02}")
}

fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}
