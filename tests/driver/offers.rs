//! Combinations of model, scope and source Region that do not exist: which are listed, and which are errors.

use serde_json::{Value, json};

use crate::world::{US, World, consenting, manifest};

#[tokio::test]
async fn two_geographies_in_one_manifest_are_ready_and_what_is_not_offered_is_listed() {
    let mut object = manifest();
    object["spec"]["sourceRegions"] = json!(["us-east-1", "eu-central-1"]);
    object["spec"]["routing"]["scopes"] = json!(["us", "eu", "global"]);
    let world = World::with(consenting(), object).await;
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
    let model = "amazon.nova-2-lite-v1:0";
    assert_eq!(
        world.kubernetes.object()["status"]["notOffered"],
        json!([
            {"modelId": model, "scope": "eu", "sourceRegion": "us-east-1"},
            {"modelId": model, "scope": "us", "sourceRegion": "eu-central-1"},
        ])
    );
    let message = world.message("ProfilesResolved");
    assert!(message.contains(&format!("{model} in scope us from eu-central-1")), "{message}");
    let policy = world.policy().unwrap().to_string();
    for region in ["us-east-1", "eu-central-1"] {
        assert!(policy.contains(&format!("bedrock:{region}:111122223333:project/default")), "{policy}");
    }

    // One that existed and vanishes is a shrink, whatever else is offered.
    world.sandbox.set_profile("us-east-1", US, None);
    let again =
        |object: &mut Value| object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"] = json!("1");
    world.kubernetes.edit(again);
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("ProfilesResolved"), Some(("False".to_owned(), "ProfileShrunk".to_owned())));
    assert!(world.policy().unwrap().to_string().contains(US));
}

#[tokio::test]
async fn of_what_is_not_offered_the_first_hundred_are_listed() {
    let mut object = manifest();
    object["spec"]["sourceRegions"] = json!([
        "us-east-1",
        "us-east-2",
        "us-west-2",
        "eu-central-1",
        "eu-west-1",
        "eu-west-3",
        "eu-north-1",
        "ap-northeast-1"
    ]);
    object["spec"]["routing"]["scopes"] = json!(["us", "eu", "jp", "global"]);
    // Each stands for the same model, and is a combination of its own with every scope and source Region.
    let model = "amazon.nova-2-lite-v1:0";
    let families = (13..model.len()).map(|cut| json!({"modelId": format!("{}*", &model[..cut])}));
    let families: Vec<Value> = families.collect();
    object["spec"]["models"] = json!(families);
    let world = World::with(consenting(), object).await;
    world.reconcile().await.unwrap();
    assert_eq!(
        world.kubernetes.object()["status"]["notOffered"].as_array().map(Vec::len),
        Some(100),
        "{}",
        world.message("Ready")
    );
}

#[tokio::test]
async fn a_scope_that_exists_nowhere_or_a_region_that_offers_nothing_is_still_an_error() {
    for (regions, scopes, reason) in [
        (json!(["us-east-1", "eu-central-1"]), json!(["us", "apac", "global"]), "ProfileNotFound"),
        (json!(["us-east-1", "eu-central-1"]), json!(["us"]), "ProfileNotFound"),
    ] {
        let mut object = manifest();
        object["spec"]["sourceRegions"] = regions;
        object["spec"]["routing"]["scopes"] = scopes.clone();
        let world = World::with(consenting(), object).await;
        world.reconcile().await.unwrap();
        assert_eq!(world.condition("Ready"), Some(("False".to_owned(), reason.to_owned())), "{scopes}");
    }
}
