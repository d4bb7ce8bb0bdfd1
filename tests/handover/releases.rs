//! Two releases of the chart in one cluster, each with a lease in its own namespace.

use std::ffi::OsString;
use std::time::Instant;

use local_cluster::{
    ControlPlane, OperatorProcess, OperatorSettings, RELEASE, SandboxProcess, Tool, install_chart, wait_until,
};
use serde_json::{Value, json};

use crate::pair::{FIRST, LIMIT, REGIONS, SECOND};
use crate::{SHORT, ending};

/// The second release and its namespace.
const OTHER: &str = "other";

const NAMESPACES: [&str; 2] = [RELEASE, OTHER];

pub(crate) struct Releases {
    pub(crate) sandbox: SandboxProcess,
    pub(crate) kubectl: Tool,
    pub(crate) cluster: ControlPlane,
    settings: [OperatorSettings; 2],
}

impl Releases {
    pub(crate) fn install() -> Self {
        let cluster = ControlPlane::start().unwrap();
        let sandbox = SandboxProcess::start(&json!({})).unwrap();
        let first = install_chart(&cluster).unwrap();
        let other = ["install", OTHER, "charts/bedrock-access", "--namespace", OTHER, "--create-namespace"];
        cluster.helm().unwrap().run(other.into_iter().chain(["--set=crds.enabled=false"])).unwrap();
        let second = cluster.service_account_kubeconfig(OTHER, "other-bedrock-access").unwrap();
        let settings = [(first, RELEASE), (second, OTHER)].map(|(kubeconfig, namespace)| OperatorSettings {
            kubeconfig,
            aws_endpoint: sandbox.endpoint().to_owned(),
            arguments: SHORT
                .map(OsString::from)
                .into_iter()
                .chain([OsString::from(format!("--lease-namespace={namespace}"))])
                .collect(),
        });
        Self { sandbox, kubectl: cluster.kubectl().unwrap(), cluster, settings }
    }

    pub(crate) fn start(&self, index: usize) -> OperatorProcess {
        OperatorProcess::start_in(REGIONS[index], &self.settings[index]).unwrap()
    }

    fn launch(&self, index: usize) -> OperatorProcess {
        OperatorProcess::launch_in(REGIONS[index], &self.settings[index]).unwrap()
    }

    /// Who holds the lease of a namespace, if there is one.
    pub(crate) fn holder(&self, namespace: &str) -> Option<String> {
        let all = self.kubectl.json(["get", "leases", "-n", namespace, "-o", "json"]).unwrap();
        let is_ours = |lease: &&Value| lease["metadata"]["name"] == "bedrock-access";
        let lease = all["items"].as_array().unwrap().iter().find(is_ours)?;
        lease["spec"]["holderIdentity"].as_str().map(str::to_owned)
    }

    /// The operator's writing requests to the API server.
    fn writes(&self, index: usize) -> usize {
        let user = format!("system:serviceaccount:{}:", NAMESPACES[index]);
        let is_its = |write: &&Value| write["user"]["username"].as_str().unwrap().starts_with(&user);
        self.cluster.writes().unwrap().iter().filter(is_its).count()
    }
}

pub(crate) fn leads(operator: &OperatorProcess) -> bool {
    operator
        .get("/metrics")
        .is_ok_and(|metrics| metrics.lines().any(|line| line == "bedrock_access_leader 1"))
}

pub(crate) fn wait_until_leads(operator: &OperatorProcess) {
    wait_until("the operator to lead", LIMIT, || {
        if leads(operator) { Ok(()) } else { Err(operator.log_tail()) }
    })
    .unwrap();
}

/// Whether a line of the log holds all of `words`.
fn logs(operator: &OperatorProcess, words: &[&str]) -> bool {
    let log = std::fs::read_to_string(operator.log()).unwrap();
    log.lines().any(|line| words.iter().all(|word| line.contains(word)))
}

pub(crate) fn wait_for_log(operator: &OperatorProcess, words: &[&str]) {
    wait_until(&format!("{words:?} in the log"), LIMIT, || {
        if logs(operator, words) { Ok(()) } else { Err(operator.log_tail()) }
    })
    .unwrap();
}

#[test]
fn the_second_release_stands_by_names_the_first_and_takes_over_when_that_one_ends() {
    let releases = Releases::install();
    let first = releases.start(FIRST);
    wait_until_leads(&first);
    let holder = releases.holder(RELEASE).unwrap();
    let second = releases.start(SECOND);
    wait_for_log(&second, &["standing by", RELEASE, &holder]);
    assert_eq!(second.get("/readyz").unwrap(), "ok\n");
    assert_eq!((releases.writes(SECOND), releases.holder(OTHER)), (0, None));

    assert!(first.terminate().unwrap().success());
    let ended = Instant::now();
    wait_until_leads(&second);
    assert!(ended.elapsed() < ending::TIME_TO_TAKE_OVER, "{:?}", ended.elapsed());

    let first = releases.start(FIRST);
    wait_for_log(&first, &["standing by", OTHER]);
    assert!(leads(&second) && !leads(&first));
}

#[test]
fn two_releases_that_start_at_the_same_instant_end_with_one_that_leads() {
    let releases = Releases::install();
    for _ in 0..5 {
        let operators = [releases.launch(FIRST), releases.launch(SECOND)];
        let settled = wait_until("one to lead and the other one to stand by", LIMIT, || {
            let stands_by = operators.each_ref().map(|operator| logs(operator, &["standing by"]));
            match (operators.each_ref().map(leads), stands_by) {
                ([true, false], [_, true]) | ([false, true], [true, _]) => Ok(()),
                _ => Err(operators.each_ref().map(OperatorProcess::log_tail).join("\n")),
            }
        });
        settled.unwrap();
        for operator in operators {
            assert!(operator.terminate().unwrap().success());
        }
    }
}

#[test]
fn a_leader_gives_way_when_someone_leads_by_an_older_lease() {
    let releases = Releases::install();
    let first = releases.start(FIRST);
    wait_until_leads(&first);
    assert!(first.terminate().unwrap().success());
    let second = releases.start(SECOND);
    wait_until_leads(&second);
    let spec = json!({"holderIdentity": "someone", "leaseDurationSeconds": 5}).to_string();
    let patch = format!(r#"--patch={{"spec": {spec}}}"#);
    let words = ["patch", "lease", "bedrock-access", "-n", RELEASE, "--type=merge", &patch];
    releases.kubectl.run(words).unwrap();
    wait_for_log(&second, &["gave way", RELEASE, "someone"]);
    assert_eq!(releases.holder(OTHER), None);
    wait_until_leads(&second);
}
