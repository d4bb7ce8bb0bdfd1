//! The chart against a real API server: what it installs is admitted, understood by the operator, and can be upgraded.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test")]

use std::ffi::OsString;
use std::time::Duration;

use local_cluster::{
    ControlPlane, INSTALL, OperatorProcess, OperatorSettings, RELEASE, SandboxProcess, install_chart,
    wait_until,
};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_mins(1);

const EVERY_SETTING: [&str; 16] = [
    "--set=replicas=2",
    "--set=clusterId=test",
    "--set=adoptFrom=before",
    "--set=interval=1h30m",
    "--set=fullLookInterval=12h",
    "--set=sweepInterval=12h",
    "--set=concurrency=2",
    "--set=regions={us-east-1,eu-west-1}",
    "--set=consent=none",
    "--set=confirmConsent=true",
    "--set=logLevel=debug",
    "--set=logFormat=text",
    "--set=awsRegion=us-east-1",
    "--set=admissionPolicy.enabled=true",
    "--set=admissionPolicy.alsoAllow.users={someone@example.org}",
    "--set=admissionPolicy.alsoAllow.groups={platform,system:masters}",
];

#[test]
fn the_operator_understands_every_flag_that_the_chart_can_set() {
    let cluster = ControlPlane::start().unwrap();
    let sandbox = SandboxProcess::start(&json!({})).unwrap();
    cluster.helm().unwrap().run(INSTALL.iter().chain(&EVERY_SETTING)).unwrap();
    let arguments = operator_container(&cluster)["args"].clone();
    let mut flags = arguments.as_array().unwrap().iter();
    assert!(flags.any(|flag| flag == "--regions=us-east-1,eu-west-1"), "{arguments:?}");
    start(&cluster, &sandbox, &arguments);
}

#[test]
fn shards_are_deployments_of_their_own_that_agree_with_the_operator_on_their_leases() {
    let cluster = ControlPlane::start().unwrap();
    let sandbox = SandboxProcess::start(&json!({})).unwrap();
    let (helm, kubectl) = (cluster.helm().unwrap(), cluster.kubectl().unwrap());
    helm.run(INSTALL).unwrap();
    let settings = ["--set=shards.count=2", "--set-string=shardSelector=team in (a\\, b)"];
    let words = ["upgrade", RELEASE, "charts/bedrock-access", "--namespace", RELEASE];
    helm.run(words.iter().chain(&settings)).unwrap();
    let all = kubectl.json(["get", "deployments", "--namespace", RELEASE, "-o", "json"]).unwrap();
    let all = all["items"].as_array().unwrap();
    let names: Vec<&Value> = all.iter().map(|deployment| &deployment["metadata"]["name"]).collect();
    assert_eq!(names, ["bedrock-access-shard-0", "bedrock-access-shard-1"]);
    for (index, deployment) in all.iter().enumerate() {
        let (spec, selected) =
            (&deployment["spec"]["template"], &deployment["spec"]["selector"]["matchLabels"]);
        assert_eq!(selected["sharding.bedrockaccess.io/index"], index.to_string().as_str());
        assert_eq!(spec["metadata"]["labels"], *selected);
        // It would not be ready if it could not read a lease.
        let operator = start(&cluster, &sandbox, &spec["spec"]["containers"][0]["args"]);
        wait_until("the shard to lead", LIMIT, || {
            let metrics = operator.get("/metrics").map_err(|error| error.to_string())?;
            metrics.contains("bedrock_access_leader 1\n").then_some(()).ok_or(operator.log_tail())
        })
        .unwrap();
    }
    helm.run(words.iter().chain(&["--reset-values"])).unwrap();
    kubectl.run(["get", "deployment", RELEASE, "--namespace", RELEASE]).unwrap();
}

#[test]
fn a_selector_that_is_none_is_refused_at_the_start() {
    let cluster = ControlPlane::start().unwrap();
    let sandbox = SandboxProcess::start(&json!({})).unwrap();
    // Only who has the definition judges by it.
    install_chart(&cluster).unwrap();
    refuses(&cluster, &sandbox, &["--shard-selector=a in b"], "--shard-selector is \"a in b\"");
    refuses(&cluster, &sandbox, &["--shard-index=2", "--shard-count=2"], "must be less than --shard-count");
    refuses(&cluster, &sandbox, &["--shard-index=2"], "go together");
}

#[test]
fn the_pod_is_admitted_under_the_restricted_pod_security_standard() {
    let cluster = ControlPlane::start().unwrap();
    install_chart(&cluster).unwrap();
    let kubectl = cluster.kubectl().unwrap();
    let enforce = "pod-security.kubernetes.io/enforce=restricted";
    kubectl.run(["label", "namespace", RELEASE, enforce]).unwrap();
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "operator", "namespace": RELEASE},
        "spec": pod_spec(&cluster),
    });
    kubectl.run_with_input(["create", "--dry-run=server", "-f", "-"], &pod.to_string()).unwrap();

    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(true);
    let refused = kubectl.run_with_input(["create", "--dry-run=server", "-f", "-"], &pod.to_string());
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("violates PodSecurity"), "the standard must be in force: {refused}");
}

#[test]
fn manifests_outlive_the_release_and_the_next_one_takes_over() {
    let cluster = ControlPlane::start().unwrap();
    let (kubectl, helm) = (cluster.kubectl().unwrap(), cluster.helm().unwrap());
    install_chart(&cluster).unwrap();
    kubectl.run(["apply", "-f", "examples/assistant.yaml"]).unwrap();
    helm.run(["upgrade", RELEASE, "charts/bedrock-access", "--namespace", RELEASE]).unwrap();
    helm.run(["uninstall", RELEASE, "--namespace", RELEASE]).unwrap();
    kubectl.run(["get", "bedrockaccess", "assistant"]).unwrap();
    helm.run(INSTALL).unwrap();
    kubectl.run(["get", "bedrockaccess", "assistant"]).unwrap();
}

#[test]
fn whoever_is_also_allowed_may_write_a_status_and_without_the_policy_everybody_may() {
    let cluster = ControlPlane::start().unwrap();
    let (kubectl, helm) = (cluster.kubectl().unwrap(), cluster.helm().unwrap());
    let upgrade = |settings: &[&str]| {
        let words = ["upgrade", RELEASE, "charts/bedrock-access", "--namespace", RELEASE];
        helm.run(words.iter().chain(settings)).unwrap();
    };
    let write = |who: &[&str]| {
        let words = ["patch", "bedrockaccess", "assistant", "--subresource=status", "--type=merge"];
        let patch = ["--patch={\"status\": {\"grantCount\": 1}}"];
        kubectl.run(words.iter().chain(&patch).chain(who)).map_err(|error| error.to_string())
    };
    let refused =
        || wait_until("the status to be refused", LIMIT, || write(&[]).err().ok_or("written")).unwrap();
    let written = |who: &[&str]| wait_until("the status to be written", LIMIT, || write(who)).unwrap();

    install_chart(&cluster).unwrap();
    kubectl.run(["apply", "-f", "examples/assistant.yaml"]).unwrap();
    assert!(refused().contains("only the operator writes the status"));
    upgrade(&["--set=admissionPolicy.alsoAllow.users={someone}"]);
    written(&["--as=someone", "--as-group=system:masters"]);
    refused();
    upgrade(&["--set=admissionPolicy.alsoAllow.groups={system:masters}"]);
    written(&[]);
    upgrade(&["--set=admissionPolicy.alsoAllow.groups=null"]);
    refused();
    upgrade(&["--set=admissionPolicy.enabled=false"]);
    written(&[]);
}

#[test]
fn the_notes_show_consent_for_this_cluster_alone() {
    let cluster = ControlPlane::start().unwrap();
    let helm = cluster.helm().unwrap();
    let notes = || helm.run(["get", "notes", RELEASE, "--namespace", RELEASE]).unwrap();
    install_chart(&cluster).unwrap();
    assert!(notes().contains("Value=$CLUSTER_ID/team-a\n"), "{}", notes());
    let named =
        ["upgrade", RELEASE, "charts/bedrock-access", "--namespace", RELEASE, "--set=clusterId=prod-eu-1"];
    helm.run(named).unwrap();
    assert!(notes().contains("Value=prod-eu-1/team-a\n"), "{}", notes());
}

#[test]
fn a_cluster_id_that_no_tag_could_name_is_refused() {
    let helm = ControlPlane::start().unwrap().helm().unwrap();
    for id in ["a b", "a/b", "@any", "deny:a"] {
        let setting = format!("--set=clusterId={id}");
        let refused =
            helm.run(["template", RELEASE, "charts/bedrock-access", &setting]).unwrap_err().to_string();
        assert!(refused.contains("clusterId"), "{id}: {refused}");
    }
}

/// It ends by itself, and says why.
fn refuses(cluster: &ControlPlane, sandbox: &SandboxProcess, arguments: &[&str], why: &str) {
    let settings = OperatorSettings {
        kubeconfig: cluster.kubeconfig().to_owned(),
        aws_endpoint: sandbox.endpoint().to_owned(),
        arguments: arguments.iter().map(OsString::from).collect(),
    };
    let mut operator = OperatorProcess::launch_in(SandboxProcess::REGION, &settings).unwrap();
    let ended = wait_until("the operator to end", LIMIT, || operator.exit_status().ok_or("it runs"));
    assert!(!ended.unwrap().success());
    assert!(operator.log_tail().contains(why), "{}", operator.log_tail());
}

/// An operator with the rights of the chart, and with the arguments that it sets but for where it listens.
fn start(cluster: &ControlPlane, sandbox: &SandboxProcess, arguments: &Value) -> OperatorProcess {
    let flags = arguments.as_array().unwrap().iter().map(|argument| argument.as_str().unwrap());
    let operator = OperatorProcess::start(&OperatorSettings {
        kubeconfig: cluster.service_account_kubeconfig(RELEASE, RELEASE).unwrap(),
        aws_endpoint: sandbox.endpoint().to_owned(),
        arguments: flags
            .filter(|flag| *flag != "run" && !flag.starts_with("--http-address="))
            .map(OsString::from)
            .collect(),
    });
    operator.unwrap()
}

fn operator_container(cluster: &ControlPlane) -> Value {
    pod_spec(cluster)["containers"][0].clone()
}

fn pod_spec(cluster: &ControlPlane) -> Value {
    let kubectl = cluster.kubectl().unwrap();
    let deployment =
        kubectl.json(["get", "deployment", RELEASE, "--namespace", RELEASE, "-o", "json"]).unwrap();
    deployment["spec"]["template"]["spec"].clone()
}
