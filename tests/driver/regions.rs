//! Source Regions that do not exist.

use serde_json::json;

use crate::world::{World, consenting, manifest};

/// As a typing error makes one.
const NOWHERE: &str = "us-nowhere-9";

/// The manifest for us-east-1, and for a Region that does not exist.
async fn world() -> World {
    let mut object = manifest();
    object["spec"]["sourceRegions"] = json!(["us-east-1", NOWHERE]);
    let models = object["spec"]["models"].as_array_mut().unwrap();
    models.push(json!({"modelId": "amazon.nova-micro-*", "scopes": ["us", "in-region"]}));
    for kind in ["provisioned-model", "application-inference-profile"] {
        let arn = format!("arn:aws:bedrock:{NOWHERE}:111122223333:{kind}/abcdefghijkl");
        let field = if kind == "provisioned-model" { "modelArn" } else { "inferenceProfile" };
        models.push(json!({ field: arn }));
    }
    World::with(consenting(), object).await
}

#[tokio::test]
async fn a_region_that_does_not_exist_is_told_and_never_asked_and_the_others_are_served() {
    let world = world().await;
    for _ in 0..2 {
        world.reconcile().await.unwrap();
        assert!(
            world.sandbox.calls().iter().all(|call| call.region == "us-east-1"),
            "{:?}",
            world.sandbox.calls()
        );
        assert_eq!(world.condition("Ready"), Some(("False".to_owned(), "ProfileNotFound".to_owned())));
        assert!(world.condition("Stalled").is_some() && world.condition("PolicyInSync").unwrap().0 == "True");
        let message = world.message("Ready");
        assert!(
            message.contains(NOWHERE) && message.contains("--regions") && !message.contains("(2)"),
            "{message}"
        );
    }
    let policy = world.policy().unwrap().to_string();
    assert!(
        policy.contains("us-east-1:111122223333:inference-profile/us.amazon.nova-2-lite-v1:0"),
        "{policy}"
    );
    assert!(!policy.contains(NOWHERE), "{policy}");
}

#[tokio::test]
async fn an_object_that_names_such_a_region_obeys_a_withdrawal_and_a_deletion() {
    let withdrawn = world().await;
    withdrawn.reconcile().await.unwrap();
    assert!(withdrawn.policy().is_some());
    withdrawn.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "@none").unwrap();
    withdrawn.reconcile().await.unwrap();
    assert_eq!(withdrawn.policy(), None);

    let deleted = world().await;
    deleted.reconcile().await.unwrap();
    deleted.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    deleted.reconcile().await.unwrap();
    assert_eq!(
        (deleted.policy(), &deleted.kubernetes.object()["metadata"]["finalizers"]),
        (None, &json!([]))
    );
}
