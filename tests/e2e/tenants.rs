//! What someone with every right on the manifests of a namespace may do to them, and what not.

use std::time::Duration;

use local_cluster::{Tool, wait_until};
use serde_json::{Value, json};

use crate::team::Team;
use crate::world::World;

/// A user with Kubernetes' own role `edit`, and every verb on manifests and their status, in the team's namespace.
struct Tenant {
    kubectl: Tool,
    namespace: &'static str,
}

impl Tenant {
    fn of(team: &Team) -> Self {
        let kubectl = team.world.cluster.kubectl().unwrap();
        let namespace = ["--namespace", team.name];
        let all = [
            "--verb=*",
            "--resource=bedrockaccesses.bedrockaccess.io,bedrockaccesses.bedrockaccess.io/status",
        ];
        kubectl.run(["create", "role", "all"].iter().chain(&all).chain(&namespace)).unwrap();
        for role in ["--role=all", "--clusterrole=edit"] {
            let name = &role[role.len() - 3..];
            let binding = ["create", "rolebinding", name, role, "--user=tenant"];
            kubectl.run(binding.iter().chain(&namespace)).unwrap();
        }
        let tenant = Self { kubectl, namespace: team.name };
        // Policies are in force a moment after they were installed, all of them together.
        let refused = || tenant.would_create_lease("bedrock-access").map_or(Ok(()), Err);
        wait_until("the policies to be in force", Duration::from_mins(1), refused).unwrap();
        tenant
    }

    /// `input` is what the command reads.
    fn tries(&self, words: &[&str], input: &str) -> Result<String, String> {
        let who = ["--as=tenant", "--namespace", self.namespace];
        let typed = words.iter().chain(&who);
        self.kubectl.run_with_input(typed, input).map_err(|error| error.to_string())
    }

    fn patches(&self, patch: &Value, words: &[&str]) -> Result<String, String> {
        let patch = format!("--patch={patch}");
        let typed = ["patch", "bedrockaccess", "access", "--type=merge", &patch];
        self.tries(&[&typed, words].concat(), "")
    }

    fn would_create_lease(&self, name: &str) -> Result<String, String> {
        let metadata = json!({"name": name});
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata});
        self.tries(&["create", "--dry-run=server", "-f", "-"], &lease.to_string())
    }
}

#[track_caller]
fn is_refused(outcome: Result<String, String>, message: &str) {
    let refused = outcome.unwrap_err();
    assert!(refused.contains("denied request") && refused.contains(message), "{refused}");
}

#[tokio::test]
async fn only_the_operator_writes_a_status_or_takes_the_finalizer_off_and_a_tenant_changes_the_rest() {
    let team = Team::new(World::shared(), "tenants").await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    let tenant = Tenant::of(&team);

    is_refused(
        tenant.patches(&json!({"status": {"grantCount": 7}}), &["--subresource=status"]),
        "only the operator writes the status",
    );
    let finalizer = "only the operator takes the finalizer bedrockaccess.io/policy off";
    is_refused(tenant.patches(&json!({"metadata": {"finalizers": null}}), &[]), finalizer);
    is_refused(tenant.patches(&json!({"metadata": {"finalizers": ["tenants.io/own"]}}), &[]), finalizer);

    let metadata = json!({"labels": {"a": "b"}, "annotations": {"c": "d"}});
    tenant.patches(&json!({"metadata": metadata}), &[]).unwrap();
    let added = json!(["bedrockaccess.io/policy", "tenants.io/own"]);
    tenant.patches(&json!({"metadata": {"finalizers": added}}), &[]).unwrap();
    let kept = json!(["bedrockaccess.io/policy"]);
    tenant.patches(&json!({"metadata": {"finalizers": kept}}), &[]).unwrap();
    tenant.patches(&json!({"spec": {"operations": ["InvokeModel"]}}), &[]).unwrap();
    let object = team.wait_until_ready().await;
    assert_eq!(object.metadata.generation, Some(2));
    let applied = json!({
        "apiVersion": "bedrockaccess.io/v1alpha1", "kind": "BedrockAccess", "metadata": {"name": "access"},
        "spec": object.spec,
    });
    for words in [&["apply", "-f", "-"][..], &["apply", "--server-side", "--force-conflicts", "-f", "-"]] {
        tenant.tries(words, &applied.to_string()).unwrap();
    }

    tenant.tries(&["delete", "bedrockaccess", "access", "--wait=false"], "").unwrap();
    team.wait_until_gone().await;
    assert_eq!(team.policy_names().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_tenant_chooses_the_shard_of_an_object_until_it_has_a_policy() {
    let team = Team::new(World::shared(), "movers").await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    let tenant = Tenant::of(&team);
    let label = |value: Value| json!({"metadata": {"labels": {"sharding.bedrockaccess.io/key": value}}});
    let message = "say which operator looks after the policy";
    is_refused(tenant.patches(&label(json!("nowhere")), &[]), message);
    tenant.patches(&json!({"metadata": {"labels": {"sharding": "nowhere"}}}), &[]).unwrap();

    let object = team.wait_until_ready().await;
    let manifest = |name: &str, key: &str| {
        let metadata = json!({"name": name, "labels": {"sharding.bedrockaccess.io/key": key}});
        json!({"apiVersion": "bedrockaccess.io/v1alpha1", "kind": "BedrockAccess", "metadata": metadata, "spec": object.spec})
    };
    tenant.tries(&["create", "-f", "-"], &manifest("labelled", "one").to_string()).unwrap();
    let held = || {
        let words = ["get", "bedrockaccess", "labelled", "-o", "jsonpath={.metadata.finalizers}"];
        let finalizers = tenant.tries(&words, "")?;
        if finalizers.contains("bedrockaccess.io/policy") { Ok(()) } else { Err(finalizers) }
    };
    wait_until("the finalizer", Duration::from_mins(1), held).unwrap();
    let moves = |value: Value| {
        let patch = format!("--patch={}", label(value));
        tenant.tries(&["patch", "bedrockaccess", "labelled", "--type=merge", &patch], "")
    };
    is_refused(moves(json!("two")), message);
    is_refused(moves(Value::Null), message);
    moves(json!("one")).unwrap();
    tenant.tries(&["delete", "bedrockaccess", "labelled", "access"], "").unwrap();
    team.wait_until_gone().await;
}

#[tokio::test]
async fn a_tenant_cannot_hold_the_operator_off_by_a_lease_of_its_own() {
    let team = Team::without_role(World::shared(), "lessees").await;
    let tenant = Tenant::of(&team);
    is_refused(
        tenant.would_create_lease("bedrock-access"),
        "the Leases bedrock-access and bedrock-access-… are for operators",
    );
    is_refused(tenant.would_create_lease("bedrock-access-shard-1"), "are for operators");
    tenant.would_create_lease("another").unwrap();
}
