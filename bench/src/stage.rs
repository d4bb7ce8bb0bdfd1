use std::path::PathBuf;
use std::time::{Duration, Instant};

use local_cluster::{ControlPlane, OperatorProcess, OperatorSettings, SandboxProcess, Tool, install_chart};
use serde_json::Value;

use crate::{Outcome, calls, progress};

pub(crate) const NAMESPACE: &str = "bench";

const FIRST_CALL_LIMIT: Duration = Duration::from_secs(30);

/// A control plane with the chart installed; operators and sandboxes come and go.
pub(crate) struct Stage {
    pub(crate) kubectl: Tool,
    pub(crate) kubeconfig: PathBuf,
    _cluster: ControlPlane,
}

/// An operator, when it was started, and how many seconds later its first call of an operation reached AWS.
pub(crate) struct Launched {
    pub(crate) operator: OperatorProcess,
    pub(crate) started: Instant,
    pub(crate) first_call: f64,
}

impl Stage {
    pub(crate) fn set() -> Outcome<Self> {
        progress("starting the control plane");
        let cluster = ControlPlane::start()?;
        let kubeconfig = install_chart(&cluster)?;
        let kubectl = cluster.kubectl()?;
        kubectl.run(["create", "namespace", NAMESPACE])?;
        Ok(Self { kubectl, kubeconfig, _cluster: cluster })
    }

    pub(crate) fn create(&self, manifests: &Value) -> Outcome<()> {
        self.kubectl.run_with_input(["create", "--validate=false", "-f", "-"], &manifests.to_string())?;
        Ok(())
    }

    pub(crate) fn delete(&self, object: &str) -> Outcome<()> {
        self.kubectl.run(["delete", "bedrockaccess", object, "--namespace", NAMESPACE])?;
        Ok(())
    }

    /// Starts the operator and watches the sandbox meanwhile. The time of the start includes what it takes to prepare
    /// the process.
    pub(crate) fn launch(
        &self,
        sandbox: &SandboxProcess,
        flags: &[&str],
        operation: &str,
    ) -> Outcome<Launched> {
        let settings = OperatorSettings {
            kubeconfig: self.kubeconfig.clone(),
            aws_endpoint: sandbox.endpoint().to_owned(),
            arguments: flags.iter().map(Into::into).collect(),
        };
        let before = calls::log(sandbox)?.len();
        let started = Instant::now();
        let (operator, first_call) = std::thread::scope(|scope| {
            let watching = scope.spawn(|| calls::wait_for(sandbox, before, operation, FIRST_CALL_LIMIT));
            let operator = OperatorProcess::start(&settings);
            (operator, watching.join())
        });
        let operator = operator?;
        let first_call = first_call.map_err(|_| "the sandbox's call log could not be watched")??;
        Ok(Launched { operator, started, first_call: first_call.duration_since(started).as_secs_f64() })
    }

    /// Fails unless every object that the API server holds is Ready.
    pub(crate) fn check_all_ready(&self, expected: u16) -> Outcome<()> {
        let listed =
            self.kubectl.json(["get", "bedrockaccesses", "--namespace", NAMESPACE, "--output=json"])?;
        let ready = listed["items"].as_array().into_iter().flatten().filter(|object| is_ready(object));
        let ready = ready.count();
        if ready == usize::from(expected) {
            Ok(())
        } else {
            Err(format!("{ready} of {expected} objects are Ready in the API server").into())
        }
    }

    /// How many writes of objects and Events the API server has answered.
    pub(crate) fn kubernetes_writes(&self) -> Outcome<u64> {
        let metrics = self.kubectl.run(["get", "--raw=/metrics"])?;
        let writes = metrics.lines().filter(|line| is_write_counter(line));
        let counts = writes.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok());
        Ok(counts.sum())
    }
}

/// Waits until so many reconciles have ended with an object Ready, by the operator's own count.
pub(crate) fn wait_for_ready(operator: &OperatorProcess, objects: u16, limit: Duration) -> Outcome<Instant> {
    let deadline = Instant::now() + limit;
    let mut told = Instant::now();
    loop {
        let ready = ready_reconciles(&operator.get("/metrics")?);
        let now = Instant::now();
        if ready >= objects {
            return Ok(now);
        }
        if now >= deadline {
            let tail = operator.log_tail();
            return Err(format!(
                "only {ready} of {objects} objects became Ready; the log ends with:\n{tail}"
            )
            .into());
        }
        if now.duration_since(told) > Duration::from_secs(5) {
            progress(&format!("  {ready} of {objects} are Ready"));
            told = now;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn ready_reconciles(metrics: &str) -> u16 {
    metrics
        .lines()
        .find_map(|line| line.strip_prefix(r#"bedrock_access_reconciles_total{ending="Ready"} "#))
        .and_then(|count| count.parse().ok())
        .unwrap_or_default()
}

pub(crate) fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

fn is_write_counter(line: &str) -> bool {
    let any = |label: &str, values: &[&str]| {
        values.iter().any(|value| line.contains(&format!("{label}=\"{value}\"")))
    };
    line.starts_with("apiserver_request_total{")
        && any("resource", &["bedrockaccesses", "events"])
        && !any("verb", &["GET", "LIST", "WATCH"])
}
