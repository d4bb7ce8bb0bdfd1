//! Tools that wait for a release by kstatus (helm, Flux, Argo CD) read a `BedrockAccess` right: the status is written
//! here as the operator would write it, helm says what it understood.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test")]

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use local_cluster::{ControlPlane, Error, Tool, install_chart_with, repository, wait_until};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_mins(1);

#[test]
fn a_new_object_is_waited_for_and_passes_when_it_is_ready() {
    let release = Release::new("passes");
    let helm = release.helm.clone();
    let install = release.command("install", "90s");
    let installed = thread::spawn(move || helm.run(install));
    let generation = release.wait_for_object();
    assert!(!installed.is_finished(), "helm must wait for an object that no operator has seen");
    release.report(generation, &json!([condition("Ready", "True", generation)]));
    installed.join().unwrap().unwrap();
}

#[test]
fn an_object_in_progress_is_waited_for_until_helm_gives_up() {
    let release = Release::new("in-progress");
    release.run("install", "2s").unwrap_err();
    let generation = release.wait_for_object();
    let conditions = [condition("Ready", "False", generation), condition("Reconciling", "True", generation)];
    release.report(generation, &json!(conditions));
    assert_gave_up("InProgress", release.run("upgrade", "3s"));
}

#[test]
fn a_status_of_an_older_generation_is_waited_for_although_it_says_ready() {
    let release = Release::new("outdated");
    release.run("install", "2s").unwrap_err();
    let generation = release.wait_for_object();
    release.report(generation - 1, &json!([condition("Ready", "True", generation - 1)]));
    assert_gave_up("InProgress", release.run("upgrade", "3s"));
}

#[test]
fn a_stalled_object_fails_before_the_time_is_up() {
    let release = Release::new("stalled");
    release.run("install", "2s").unwrap_err();
    let generation = release.wait_for_object();
    let conditions = [condition("Ready", "False", generation), condition("Stalled", "True", generation)];
    release.report(generation, &json!(conditions));
    assert_gave_up("Failed", release.run("upgrade", "1h"));
}

/// A chart that holds one `BedrockAccess`, with a namespace of its own.
struct Release {
    name: &'static str,
    chart: PathBuf,
    _folder: tempfile::TempDir,
    kubectl: Tool,
    helm: Tool,
}

impl Release {
    fn new(name: &'static str) -> Self {
        let cluster = cluster();
        let (kubectl, helm) = (cluster.kubectl().unwrap(), cluster.helm().unwrap());
        kubectl.run(["create", "namespace", name]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let chart = folder.path().join("chart");
        fs::create_dir_all(chart.join("templates")).unwrap();
        fs::write(chart.join("Chart.yaml"), "{apiVersion: v2, name: one-object, version: 0.1.0}").unwrap();
        fs::copy(repository().join("examples/assistant.yaml"), chart.join("templates/assistant.yaml"))
            .unwrap();
        Self { name, chart, _folder: folder, kubectl, helm }
    }

    fn command(&self, verb: &str, timeout: &str) -> Vec<String> {
        let chart = self.chart.display().to_string();
        let words = [verb, self.name, &chart, "--namespace", self.name, "--wait", "--timeout", timeout];
        words.map(str::to_owned).to_vec()
    }

    fn run(&self, verb: &str, timeout: &str) -> Result<String, Error> {
        self.helm.run(self.command(verb, timeout))
    }

    /// Waits until the object exists and gives its generation.
    fn wait_for_object(&self) -> i64 {
        wait_until("the object of the release", LIMIT, || {
            let object = self.kubectl.json(self.kubectl_words("get", &["--output=json"]))?;
            assert_eq!(object["status"]["observedGeneration"], -1, "the default that marks a new object");
            Ok::<_, Error>(object["metadata"]["generation"].as_i64().unwrap())
        })
        .unwrap()
    }

    fn report(&self, generation: i64, conditions: &Value) {
        let patch = json!({"status": {"observedGeneration": generation, "conditions": conditions}});
        let patch = format!("--patch={patch}");
        self.kubectl
            .run(self.kubectl_words("patch", &["--subresource=status", "--type=merge", &patch]))
            .unwrap();
    }

    fn kubectl_words(&self, verb: &str, more: &[&str]) -> Vec<String> {
        let words = [verb, "bedrockaccess", "assistant", "--namespace", self.name];
        words.iter().chain(more).map(ToString::to_string).collect()
    }
}

fn assert_gave_up(state: &str, outcome: Result<String, Error>) {
    match outcome {
        Err(Error::CommandFailed { output, .. }) => {
            assert!(output.contains("BedrockAccess") && output.contains(state), "{output}");
        }
        other => panic!("helm must give up and say {state}: {other:?}"),
    }
}

fn condition(kind: &str, status: &str, generation: i64) -> Value {
    json!({
        "type": kind,
        "status": status,
        "reason": "Test",
        "message": "written by the test",
        "observedGeneration": generation,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}

fn cluster() -> &'static ControlPlane {
    static CLUSTER: OnceLock<ControlPlane> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let cluster = ControlPlane::start().unwrap();
        // The statuses of these tests are the administrator's.
        install_chart_with(&cluster, &["--set=admissionPolicy.alsoAllow.groups={system:masters}"]).unwrap();
        cluster
    })
}
