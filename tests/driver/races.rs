//! Several writers on one role, and roles that come and go.

use std::collections::BTreeMap;

use bedrock_access::reconcile::FINALIZER;
use serde_json::json;

use crate::world::{World, consenting, manifest};

/// Every inline policy on the role, by name.
fn policies(world: &World) -> BTreeMap<String, String> {
    let names = world.sandbox.role_policies("assistant").into_iter();
    names.map(|name| (name.clone(), world.sandbox.role_policy("assistant", &name).unwrap())).collect()
}

async fn undisturbed(one: &World, other: &World) {
    one.reconcile().await.unwrap();
    other.reconcile().await.unwrap();
    let both = policies(one);
    assert_eq!(both.len(), 2, "{both:?}");
    for world in [one, other, one, other] {
        world.reconcile().await.unwrap();
        assert!(world.is_ready(), "{}", world.message("Ready"));
    }
    assert_eq!(policies(one), both);

    one.kubernetes.edit(|object| object["spec"]["routing"]["scopes"] = json!(["us"]));
    one.reconcile().await.unwrap();
    let changed = policies(one);
    assert_eq!(
        changed.iter().filter(|policy| !both.contains_key(policy.0) || both[policy.0] != *policy.1).count(),
        1
    );

    one.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    one.reconcile().await.unwrap();
    let left = policies(one);
    assert_eq!(left.len(), 1);
    assert!(left.iter().all(|(name, document)| both[name] == *document), "the other one's stays as it was");
    other.reconcile().await.unwrap();
    assert!(other.is_ready());
}

#[tokio::test]
async fn two_manifests_on_one_role_have_a_policy_each_and_none_disturbs_the_other() {
    let one = World::new().await;
    let mut object = manifest();
    object["metadata"]["name"] = json!("assistant-2");
    object["metadata"]["uid"] = json!("uid-2");
    let other = one.beside(object, "cluster").await;
    undisturbed(&one, &other).await;
}

#[tokio::test]
async fn two_clusters_on_one_role_have_a_policy_each_and_none_disturbs_the_other() {
    let one = World::new().await;
    let other = one.beside(manifest(), "another-cluster").await;
    undisturbed(&one, &other).await;
}

#[tokio::test]
async fn a_role_that_was_deleted_and_created_again_is_granted_anew() {
    for drift_policy in ["Enforce", "Report"] {
        let world = World::new().await;
        world.kubernetes.edit(|object| object["spec"]["driftPolicy"] = json!(drift_policy));
        world.reconcile().await.unwrap();
        let written = policies(&world);
        world.sandbox.delete_role("assistant");
        world.sandbox.create_role(consenting());
        world.take_events();
        world.reconcile().await.unwrap();
        assert_eq!(policies(&world), written, "{drift_policy}");
        assert_eq!(world.take_events(), ["PolicyWritten"], "not drift: the new role never had it");
    }
}

#[tokio::test]
async fn an_object_of_the_same_name_and_another_uid_takes_its_policy_over_without_a_gap() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let written = policies(&world);
    world.kubernetes.edit(|object| {
        *object = manifest();
        object["metadata"]["uid"] = json!("uid-2");
        object["metadata"]["finalizers"] = json!([FINALIZER]);
    });
    world.reconcile().await.unwrap();
    assert!(world.is_ready());
    assert_eq!(policies(&world), written);
    assert_eq!(world.sandbox.policy_states("assistant").len(), 1, "the one policy, and never none again");
}
