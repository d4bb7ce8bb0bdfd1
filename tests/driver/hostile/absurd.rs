//! Objects that pass the schema and are absurd.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::{Value, json};

use crate::world::{World, consenting, manifest};

/// As many as a manifest may name.
pub(crate) const REGIONS: [&str; 32] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

fn letters(n: usize) -> String {
    [n / 26, n % 26].map(|digit| char::from(b'a' + u8::try_from(digit).unwrap())).iter().collect()
}

async fn world(spec: Value) -> World {
    let mut object = manifest();
    object["spec"] = spec;
    World::with(consenting(), object).await
}

#[tokio::test]
async fn the_largest_manifest_is_refused_before_bedrock_is_asked() {
    for scopes in [1, 16] {
        let scopes: Vec<String> = (0..scopes).map(|n| format!("s{}", letters(n))).collect();
        let models: Vec<Value> = (0..100).map(|n| json!({"modelId": format!("amazon.nova-{n}")})).collect();
        let world = world(json!({
            "role": {"name": "assistant"},
            "sourceRegions": REGIONS,
            "routing": {"scopes": scopes},
            "models": models,
        }))
        .await;
        let started = Instant::now();
        world.reconcile().await.unwrap();
        println!("100 models, {} scopes, 32 Regions: {:?}", scopes.len(), started.elapsed());
        assert!(world.take_calls().iter().all(|call| ["GetRole", "GetRolePolicy"].contains(&call.as_str())));
        let targets = format!("for {} targets", 100 * scopes.len() * 32);
        world.refuses("PolicyTooLarge", &targets, "the largest manifest").await;
    }
}

#[tokio::test]
async fn the_most_families_cost_one_list_for_each_region() {
    let scopes: Vec<String> = (0..16).map(|n| format!("s{}", letters(n))).collect();
    let families: Vec<Value> = (0..100).map(|n| json!({"modelId": format!("amazon.nova-{n}*")})).collect();
    let world = world(json!({
        "role": {"name": "assistant"},
        "sourceRegions": REGIONS,
        "routing": {"scopes": scopes},
        "models": families,
    }))
    .await;
    let started = Instant::now();
    world.reconcile().await.unwrap();
    println!("100 families, 16 scopes, 32 Regions: {:?}", started.elapsed());
    let calls = world.take_calls();
    assert_eq!(calls.iter().filter(|call| *call == "ListInferenceProfiles").count(), 32);
    assert_eq!(calls.len(), 32 + 2);
    assert_eq!(world.reason(), "ProfileNotFound");
    assert_eq!(world.text(), None);
}

#[tokio::test]
async fn a_region_that_is_none_is_named_and_nothing_is_written() {
    for region in ["us-nowhere-9", "zz-top-99", "xxxxxx-a-b-c-d-0"] {
        let world = world(json!({
            "role": {"name": "assistant"},
            "sourceRegions": [region],
            "models": [{"modelId": "amazon.nova-2-lite-v1:0", "scopes": ["us", "in-region"]}],
        }))
        .await;
        world.refuses("ProfileNotFound", region, region).await;
        assert_eq!(world.text(), None);
    }
}

#[tokio::test]
async fn names_at_their_limits_give_distinct_policies_that_iam_takes() {
    let world = World::new().await;
    let (namespace, start) = ("n".repeat(63), "x".repeat(252));
    world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", &namespace).unwrap();
    for last in ["a", "b", "c"] {
        let mut object = manifest();
        object["metadata"]["namespace"] = json!(namespace);
        object["metadata"]["name"] = json!(format!("{start}{last}"));
        object["metadata"]["uid"] = json!(last);
        world.kubernetes.edit(|stored| *stored = object);
        world.reconcile().await.unwrap();
        assert!(world.is_ready(), "{}", world.message("Ready"));
    }
    let names: BTreeSet<String> = world.sandbox.role_policies("assistant").into_iter().collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().all(|name| name.len() <= 128), "{names:?}");
}

#[tokio::test]
async fn annotations_in_any_script_are_echoed_and_accept_nothing() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let before = world.text();
    world.sandbox.set_profile("us-east-1", crate::world::US, Some(&["us-east-1"]));
    for value in
        ["", "@", "#", "*", "@us-east-1", "*@*", "us.*@us-east-1", "ус.amazon@us-east-1", "\0", "🦜@🦜"]
    {
        world.kubernetes.edit(|object| {
            object["metadata"]["annotations"] = json!({
                "bedrockaccess.io/reconcile-at": format!("сейчас {value}"),
                "bedrockaccess.io/accept-shrink": value,
            });
        });
        world.rests(value).await;
        assert_eq!(world.reason(), "ProfileShrunk", "{value}");
        assert_eq!(world.text(), before, "{value}");
        let echoed = &world.kubernetes.object()["status"]["lastHandledReconcileAt"];
        assert_eq!(*echoed, format!("сейчас {value}"));
    }
}
