//! What is granted beside the invoke actions, from the manifest to the status and back.

use serde_json::{Value, json};

use crate::world::{World, consenting, manifest};

/// Each field with the kinds that the status then names.
const EXTRAS: [(&str, &[&str]); 4] = [
    ("apiKeys", &["ApiKeys"]),
    ("discovery", &["Discovery"]),
    ("operations", &["CountTokens"]),
    ("responses", &["StoredResponses"]),
];

fn value(field: &str) -> Value {
    match field {
        "apiKeys" => json!("ShortTerm"),
        "discovery" | "responses" => json!(true),
        "operations" => json!(["InvokeModel", "InvokeModelWithResponseStream", "CountTokens"]),
        other => panic!("{other} is no such field"),
    }
}

/// What the status lists beside what may be called.
fn kinds(world: &World) -> Vec<String> {
    let object = world.kubernetes.object();
    let grants = object["status"]["grants"].as_array().unwrap().clone();
    assert_eq!(object["status"]["grantCount"], json!(grants.len()));
    let kinds = grants.iter().map(|grant| grant["kind"].as_str().unwrap().to_owned());
    kinds.filter(|kind| kind != "InferenceProfile").collect()
}

#[tokio::test]
async fn an_extra_is_listed_in_the_status_taken_back_with_its_field_and_goes_with_the_object() {
    for (field, expected) in EXTRAS {
        let mut object = manifest();
        object["spec"][field] = value(field);
        let world = World::with(consenting(), object).await;
        world.reconcile().await.unwrap();
        assert!(world.is_ready(), "{field}: {}", world.message("Ready"));
        let kinds_now = kinds(&world);
        assert_eq!(kinds_now, expected, "{field}");
        let count = 2 + expected.len();
        assert!(world.message("PolicyInSync").contains(&format!("holds exactly {count} grants")), "{field}");
        let with = world.policy().unwrap();

        world.kubernetes.edit(|object| {
            object["metadata"]["generation"] = json!(2);
            drop(object["spec"].as_object_mut().unwrap().remove(field));
        });
        world.take_notes();
        world.reconcile().await.unwrap();
        assert!(world.is_ready() && kinds(&world).is_empty(), "{field}: {}", world.message("Ready"));
        assert_ne!(world.policy().unwrap(), with, "{field}");
        let notes = world.take_notes();
        assert!(notes.iter().any(|note| note.starts_with("changed policy ")), "{field}: {notes:?}");

        world.kubernetes.edit(|object| {
            object["spec"][field] = value(field);
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        });
        world.reconcile().await.unwrap();
        assert_eq!(world.policy(), None, "{field}");
    }
}

#[tokio::test]
async fn whoever_asks_for_stored_responses_of_a_global_route_is_told_once_that_they_stay_where_they_ran() {
    let mut object = manifest();
    object["spec"]["responses"] = json!(true);
    object["spec"]["routing"]["scopes"] = json!(["us"]);
    let world = World::with(consenting(), object).await;
    world.reconcile().await.unwrap();
    let told = "ResponsesStayWhereTheyRan".to_owned();
    assert!(!world.take_events().contains(&told), "a geographic route stays in its geography");
    world.kubernetes.edit(|object| object["spec"]["routing"]["scopes"] = json!(["us", "global"]));
    world.reconcile().await.unwrap();
    assert!(world.take_events().contains(&told));
    world.kubernetes.edit(|object| object["spec"]["discovery"] = json!(true));
    world.reconcile().await.unwrap();
    assert_eq!(world.take_events(), ["PolicyWritten"]);
}
