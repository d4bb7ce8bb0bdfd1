use std::ffi::OsString;
use std::time::Duration;

use local_cluster::{
    ControlPlane, OperatorProcess, OperatorSettings, RELEASE, SandboxProcess, Tool, install_chart_with,
    wait_until,
};
use serde_json::{Value, json};

pub(crate) const FIRST: usize = 0;
pub(crate) const SECOND: usize = 1;

/// Each operator signs its calls of IAM and STS in a Region of its own, which is not the test's.
pub(crate) const REGIONS: [&str; 2] = ["us-west-1", "us-west-2"];

pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Each operator has a `ServiceAccount` of its own.
const ACCOUNTS: [&str; 2] = [RELEASE, "second"];

const NAMESPACE: &str = "team-a";

/// Two operators of one cluster; the first one leads at the start.
pub(crate) struct Pair {
    pub(crate) sandbox: SandboxProcess,
    operators: [Option<OperatorProcess>; 2],
    settings: Vec<OperatorSettings>,
    pub(crate) kubectl: Tool,
    cluster: ControlPlane,
}

/// Whether a call of the sandbox's log changes something.
pub(crate) fn is_write(call: &Value) -> bool {
    !call["operation"].as_str().unwrap().starts_with("Get")
}

impl Pair {
    pub(crate) fn start(timings: [&str; 3]) -> Self {
        let cluster = ControlPlane::start().unwrap();
        let also = format!("--set=admissionPolicy.alsoAllow.users={{{}}}", username(SECOND));
        let first = install_chart_with(&cluster, &[&also]).unwrap();
        let kubectl = cluster.kubectl().unwrap();
        allow_what_the_first_may(&kubectl, ACCOUNTS[SECOND]);
        let second = cluster.service_account_kubeconfig(RELEASE, ACCOUNTS[SECOND]).unwrap();
        kubectl.run(["create", "namespace", NAMESPACE]).unwrap();
        let role = |name| json!({"name": name, "tags": {"bedrockaccess.io/namespaces": NAMESPACE}});
        let sandbox = SandboxProcess::start(&json!({"roles": [role("before"), role("after")]})).unwrap();
        let settings = [first, second].map(|kubeconfig| OperatorSettings {
            kubeconfig,
            aws_endpoint: sandbox.endpoint().to_owned(),
            arguments: timings.map(OsString::from).to_vec(),
        });
        let settings = settings.to_vec();
        let mut pair = Self { sandbox, operators: [None, None], settings, kubectl, cluster };
        pair.start_operator(FIRST);
        pair.wait_for_leader(FIRST);
        pair.start_operator(SECOND);
        pair
    }

    pub(crate) fn operator(&self, index: usize) -> &OperatorProcess {
        self.operators[index].as_ref().unwrap()
    }

    pub(crate) fn start_operator(&mut self, index: usize) {
        let started = OperatorProcess::start_in(REGIONS[index], &self.settings[index]);
        self.operators[index] = Some(started.unwrap());
    }

    pub(crate) fn take_operator(&mut self, index: usize) -> OperatorProcess {
        self.operators[index].take().unwrap()
    }

    /// What the operator says of itself: `1` or `0`.
    pub(crate) fn leads(&self, index: usize) -> String {
        let metrics = self.operator(index).get("/metrics").unwrap();
        metrics.lines().find_map(|line| line.strip_prefix("bedrock_access_leader ")).unwrap().to_owned()
    }

    pub(crate) fn wait_for_leader(&self, index: usize) {
        wait_until(&format!("operator {index} to lead"), LIMIT, || {
            if self.leads(index) == "1" { Ok(()) } else { Err(self.operator(index).log_tail()) }
        })
        .unwrap();
    }

    /// Creates an object for the role of the same name.
    pub(crate) fn create(&self, name: &str) {
        let manifest = json!({
            "apiVersion": "bedrockaccess.io/v1alpha1",
            "kind": "BedrockAccess",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "role": {"name": name},
                "sourceRegions": ["us-east-1"],
                "models": [{"modelId": "amazon.nova-2-lite-v1:0", "scopes": ["us"]}],
            },
        });
        self.kubectl.run_with_input(["create", "-f", "-"], &manifest.to_string()).unwrap();
    }

    pub(crate) fn ask_for_reconcile(&self, name: &str) {
        let version = self.object(name)["metadata"]["resourceVersion"].clone();
        let token = format!("bedrockaccess.io/reconcile-at={version}");
        let command = ["annotate", "bedrockaccess", name, "--namespace", NAMESPACE, "--overwrite", &token];
        self.kubectl.run(command).unwrap();
    }

    /// Waits until the last reconcile that was asked for is done.
    pub(crate) fn wait_for_reconcile(&self, name: &str) {
        wait_until("the reconcile that was asked for", LIMIT, || {
            let object = self.object(name);
            let asked = &object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"];
            if object["status"]["lastHandledReconcileAt"] == *asked { Ok(()) } else { Err(object) }
        })
        .unwrap();
    }

    pub(crate) fn wait_until_ready(&self, name: &str) {
        wait_until(&format!("{name} to be Ready"), LIMIT, || {
            let object = self.object(name);
            let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let is_ready = |found: &Value| found["type"] == "Ready" && found["status"] == "True";
            if conditions.iter().any(is_ready) { Ok(()) } else { Err(object) }
        })
        .unwrap();
    }

    /// Waits until a call of the first operator gets no answer.
    pub(crate) fn wait_for_hanging(&self, operation: &str) {
        wait_until(&format!("{operation} to hang"), LIMIT, || match self.hanging(FIRST, operation) {
            0 => Err(Value::from(self.calls(FIRST))),
            _ => Ok(()),
        })
        .unwrap();
    }

    /// How many calls of the operator got no answer.
    pub(crate) fn hanging(&self, index: usize, operation: &str) -> usize {
        let hangs = |call: &&Value| call["operation"] == operation && call["outcome"] == "Hang";
        self.calls(index).iter().filter(hangs).count()
    }

    /// Someone removes every inline policy of the role behind the operators' backs.
    pub(crate) fn remove_policy_of(&self, role: &str) {
        for name in self.policies_of(role) {
            let iam = self.sandbox.iam();
            block_on(iam.delete_role_policy().role_name(role).policy_name(name).send()).unwrap();
        }
    }

    pub(crate) fn policies_of(&self, role: &str) -> Vec<String> {
        let iam = self.sandbox.iam();
        block_on(iam.list_role_policies().role_name(role).send()).unwrap().policy_names
    }

    /// The operator's calls of IAM and STS.
    pub(crate) fn calls(&self, index: usize) -> Vec<Value> {
        let calls = self.sandbox.inspect("calls").unwrap();
        let is_its = |call: &&Value| call["region"] == REGIONS[index];
        calls.as_array().unwrap().iter().filter(is_its).cloned().collect()
    }

    /// The operator's writing requests to the API server.
    pub(crate) fn requests(&self, index: usize) -> Vec<String> {
        let user = username(index);
        let writes = self.cluster.writes().unwrap();
        let is_its = |write: &&Value| write["user"]["username"] == user.as_str();
        writes
            .iter()
            .filter(is_its)
            .map(|write| format!("{} {} {}", write["verb"], write["objectRef"], write["stageTimestamp"]))
            .collect()
    }

    /// All that the operator had written or tried to.
    pub(crate) fn writes_of_stopped(&self, index: usize) -> (Vec<Value>, Vec<String>) {
        let calls = self.calls(index).into_iter().filter(is_write).collect();
        let is_about_lease = |request: &String| request.contains(r#""resource":"leases""#);
        (calls, self.requests(index).into_iter().filter(|request| !is_about_lease(request)).collect())
    }

    fn object(&self, name: &str) -> Value {
        let command = ["get", "bedrockaccess", name, "--namespace", NAMESPACE, "--output=json"];
        self.kubectl.json(command).unwrap()
    }
}

fn username(index: usize) -> String {
    format!("system:serviceaccount:{RELEASE}:{}", ACCOUNTS[index])
}

/// Creates a `ServiceAccount` beside the chart's with the same roles.
fn allow_what_the_first_may(kubectl: &Tool, account: &str) {
    let subject = format!("--serviceaccount={RELEASE}:{account}");
    let (cluster_role, role) = (format!("--clusterrole={RELEASE}"), format!("--role={RELEASE}"));
    kubectl.run(["create", "serviceaccount", account, "--namespace", RELEASE]).unwrap();
    kubectl.run(["create", "clusterrolebinding", account, &cluster_role, &subject]).unwrap();
    kubectl.run(["create", "rolebinding", account, &role, &subject, "--namespace", RELEASE]).unwrap();
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
