//! `bedrock-access run` from somewhere else, beside a chart that is installed.

use std::ffi::OsString;
use std::path::PathBuf;

use local_cluster::{OperatorProcess, OperatorSettings, RELEASE, wait_until};
use serde_json::Value;

use crate::SHORT;
use crate::pair::{FIRST, LIMIT, REGIONS, SECOND};
use crate::releases::{Releases, leads, wait_for_log, wait_until_leads};

impl Releases {
    fn launch_outside(&self, kubeconfig: PathBuf, arguments: &[&str]) -> OperatorProcess {
        let settings = OperatorSettings {
            kubeconfig,
            aws_endpoint: self.sandbox.endpoint().to_owned(),
            arguments: SHORT.iter().chain(arguments).map(OsString::from).collect(),
        };
        OperatorProcess::launch_in(REGIONS[SECOND], &settings).unwrap()
    }

    /// As the `ClusterRole` of an earlier version was.
    fn forbid_to_list_leases(&self) {
        let mut role = self.kubectl.json(["get", "clusterrole", RELEASE, "-o", "json"]).unwrap();
        let rules = role["rules"].as_array_mut().unwrap();
        rules.retain(|rule| rule["resources"] != serde_json::json!(["leases"]));
        self.kubectl.run_with_input(["replace", "-f", "-"], &Value::to_string(&role)).unwrap();
    }
}

/// It ends by itself and says why.
fn refuses(mut operator: OperatorProcess, words: &[&str]) {
    let status =
        wait_until("the operator to end", LIMIT, || operator.exit_status().ok_or(operator.log_tail()));
    assert!(!status.unwrap().success());
    wait_for_log(&operator, words);
}

#[test]
fn it_takes_its_turn_by_the_lease_of_the_installed_chart_or_refuses_to_guess() {
    let releases = Releases::install();
    let admin = || releases.cluster.kubeconfig().to_owned();
    let installed = releases.start(FIRST);
    wait_until_leads(&installed);
    let person = releases.launch_outside(admin(), &[]);
    wait_for_log(&person, &["started", &format!("lease_namespace=\"{RELEASE}\"")]);
    assert!(!leads(&person));
    assert!(installed.terminate().unwrap().success());
    wait_until_leads(&person);
    assert_eq!(releases.holder("default"), None);

    let lease = r#"{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "bedrock-access"}}"#;
    releases.kubectl.run_with_input(["create", "-n", "default", "-f", "-"], lease).unwrap();
    refuses(releases.launch_outside(admin(), &[]), &["bedrock-access, default", "--lease-namespace"]);
}

#[test]
fn without_the_right_to_list_leases_it_must_be_told_where_the_lease_is() {
    let releases = Releases::install();
    releases.forbid_to_list_leases();
    let kubeconfig = || releases.cluster.service_account_kubeconfig(RELEASE, RELEASE).unwrap();
    let refused = releases.launch_outside(kubeconfig(), &[]);
    refuses(refused, &["allow list on leases in all namespaces", "--lease-namespace"]);

    let told = releases.launch_outside(kubeconfig(), &["--lease-namespace=bedrock-access"]);
    wait_for_log(&told, &["another release in this cluster would go unnoticed"]);
    wait_until_leads(&told);
}
