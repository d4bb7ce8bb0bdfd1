//! A policy outlives its object: what the operator does about it, and what a person can do.

use std::process::{Command, Output};

use local_cluster::{SandboxProcess, cargo_binary};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::team::Team;
use crate::world::World;

/// Both stories restart the operator.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn a_policy_without_an_object_goes_with_the_role_s_consent_or_by_a_person_s_command() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let world = World::for_orphans();
    let withdrawn = Team::new(world, "orphan-withdrawn").await;
    let consented = Team::new(world, "orphan-consented").await;
    for team in [&withdrawn, &consented] {
        team.apply(json!({})).await;
        team.wait_until_ready().await;
    }
    let none = orphans(world, &[]);
    assert_eq!(none.status.code(), Some(0), "every policy has its object");
    let source = said(&none.stderr);
    assert!(source.contains(", as the operator's record in the namespace "), "{source}");
    // While it runs, it would put the finalizer on again.
    world.kill_operator();
    for team in [&withdrawn, &consented] {
        team.vanish().await;
    }
    withdrawn.consent("@none").await;
    world.start_operator();

    withdrawn.wait_until_no_policy().await;
    withdrawn.wait_for_event("PolicyRemoved").await;
    consented.wait_for_event("OrphanedPolicy").await;
    local_cluster::wait_until("the gauge to say so", std::time::Duration::from_secs(30), || {
        let metrics = world.metrics();
        metrics.contains("bedrock_access_orphaned_policies 1\n").then_some(()).ok_or(metrics)
    })
    .unwrap();

    let listed = orphans(world, &["-o", "json"]);
    assert_eq!(listed.status.code(), Some(1), "{listed:?}");
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let [policy] = listed["policies"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!((&policy["role"], &policy["standing"]), (&json!(consented.name), &json!("Consented")));
    assert_eq!(consented.policy_names().await.len(), 1, "what is only listed stays");

    let removed = orphans(world, &["--delete"]);
    assert_eq!(removed.status.code(), Some(0), "{removed:?}");
    assert!(String::from_utf8(removed.stdout).unwrap().contains("removed"));
    assert_eq!(consented.policy_names().await, Vec::<String>::new());
    assert_eq!(orphans(world, &[]).status.code(), Some(0));
}

#[tokio::test]
async fn a_changed_cluster_id_is_refused_until_the_policies_may_be_moved() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let world = World::for_orphans();
    let team = Team::new(world, "cluster-renamed").await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    let before = team.policy_names().await;
    let kube_system = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
    let id = world.cluster.kubectl().unwrap().run(kube_system).unwrap();
    world.kill_operator();

    let refusal = world.refusal(&["--cluster-id=renamed"]);
    let remedy = format!("--cluster-id {id}, or move the policies with --adopt-from {id}");
    assert!(refusal.contains("the cluster id is renamed") && refusal.contains(&remedy), "{refusal}");
    assert_eq!(team.policy_names().await, before);

    world.start_operator_with(&["--cluster-id=renamed", &format!("--adopt-from={id}")]);
    team.reconcile().await;
    let moved = bedrock_iam::PolicyIdentity::derive("renamed", team.name, "access").policy_name().to_owned();
    assert_eq!(team.policy_names().await, [moved.as_str()]);
    let listed = orphans(world, &[]);
    let told = said(&listed.stderr);
    assert!(
        told.starts_with("bedrock-access: looking as cluster renamed, as the operator's record"),
        "{told}"
    );
    assert!(said(&listed.stdout).contains("looked at as cluster renamed"), "{listed:?}");
    let by_uid = orphans(world, &["--lease-namespace=default"]);
    assert!(
        said(&by_uid.stderr).contains(&format!("cluster {id}, the UID of the namespace kube-system")),
        "{by_uid:?}"
    );
    assert!(
        said(&by_uid.stderr).contains("that other cluster ids wrote: 1, listed as Elsewhere"),
        "{by_uid:?}"
    );
    world.kill_operator();
    assert!(world.refusal(&[]).contains("--adopt-from renamed"), "and not back again in silence");
    world.start_operator_with(&[&format!("--cluster-id={id}"), "--adopt-from=renamed"]);
    team.reconcile().await;
    assert_eq!(team.policy_names().await, before);
    team.delete().await;
    team.wait_until_gone().await;
    world.kill_operator();
    world.start_operator();
}

fn said(text: &[u8]) -> String {
    String::from_utf8(text.to_vec()).unwrap()
}

/// `bedrock-access orphans` as a person runs it.
fn orphans(world: &World, arguments: &[&str]) -> Output {
    let (id, secret) = SandboxProcess::CREDENTIALS;
    let mut command = Command::new(cargo_binary("bedrock-access").unwrap());
    command
        .arg("orphans")
        .args(arguments)
        .env("KUBECONFIG", world.cluster.kubeconfig())
        .env("AWS_ENDPOINT_URL", world.sandbox.endpoint())
        .env("AWS_REGION", SandboxProcess::REGION)
        .env("AWS_ACCESS_KEY_ID", id)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")])
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN");
    command.output().unwrap()
}
