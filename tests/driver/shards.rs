//! An object that goes to another shard while it is worked on.

use bedrock_access::reconcile::Error;
use serde_json::json;

use crate::world::{World, manifest};

const SELECTOR: &str = "shard=one";

#[tokio::test]
async fn nothing_is_written_for_an_object_that_went_to_another_shard_meanwhile() {
    let mut object = manifest();
    object["metadata"]["labels"] = json!({"shard": "one"});
    for finalizers in [json!([]), object["metadata"]["finalizers"].clone()] {
        object["metadata"]["finalizers"] = finalizers;
        let world = World::of_shard(object.clone(), SELECTOR).await;
        let seen = world.kubernetes.object();
        world.kubernetes.edit(|object| object["metadata"]["labels"] = json!({"shard": "two"}));
        let outdated = world.reconcile_as(seen.clone()).await;
        assert!(matches!(outdated, Err(Error::Outdated)), "{outdated:?}");
        assert_eq!(world.policy(), None);
        world.kubernetes.edit(|object| object["metadata"]["labels"] = json!({"shard": "one"}));
        world.reconcile().await.unwrap();
        assert!(world.policy().is_some());

        world.kubernetes.edit(|object| {
            object["metadata"]["labels"] = json!({"shard": "two"});
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        });
        assert!(matches!(world.reconcile().await, Err(Error::Outdated)));
        assert!(world.policy().is_some(), "its new shard takes the policy off");
    }
}
