//! The control plane behaves like a cluster's: namespaces end, RBAC holds, what was stored survives a restart.

use std::time::Duration;

use local_cluster::{ControlPlane, Error, wait_until};

const LIMIT: Duration = Duration::from_mins(1);

#[test]
fn a_service_account_has_only_the_rights_that_rbac_gives_it_and_keeps_its_token_over_a_restart() {
    let cluster = ControlPlane::start().unwrap();
    let kubectl = cluster.kubectl().unwrap();
    kubectl.run(["create", "namespace", "team-a"]).unwrap();
    kubectl.run(["create", "serviceaccount", "reader", "--namespace=team-a"]).unwrap();
    kubectl
        .run(["create", "role", "reader", "--verb=get", "--resource=configmaps", "--namespace=team-a"])
        .unwrap();
    kubectl
        .run([
            "create",
            "rolebinding",
            "reader",
            "--role=reader",
            "--serviceaccount=team-a:reader",
            "--namespace=team-a",
        ])
        .unwrap();
    kubectl.run(["create", "configmap", "kept", "--from-literal=a=b", "--namespace=team-a"]).unwrap();
    let kubeconfig = cluster.service_account_kubeconfig("team-a", "reader").unwrap();

    cluster.stop_api_server();
    assert!(matches!(kubectl.run(["get", "namespaces"]), Err(Error::CommandFailed { .. })));
    cluster.start_api_server().unwrap();

    let as_reader = |verb: &str, resource: &str| {
        let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
        kubectl.run([&kubeconfig, "--namespace=team-a", verb, resource, "kept"])
    };
    wait_until("the ServiceAccount's right", LIMIT, || as_reader("get", "configmap")).unwrap();
    let refused = as_reader("delete", "configmap").unwrap_err().to_string();
    assert!(refused.contains("\"system:serviceaccount:team-a:reader\" cannot delete"), "{refused}");

    kubectl.run(["delete", "namespace", "team-a", "--timeout=60s"]).unwrap();
    let left = kubectl.run(["get", "namespaces", "--output=name"]).unwrap();
    assert!(!left.contains("team-a"), "{left}");
}
