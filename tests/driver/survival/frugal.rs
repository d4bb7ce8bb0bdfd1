//! What new objects cost in Kubernetes, counted on the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::paused;
use super::world::{World, manifest, role};

const LIMIT: Duration = Duration::from_mins(2);

/// As many objects as that at once, all Ready; what was sent for them, in order.
async fn sent_for(objects: usize) -> Vec<String> {
    let mut world = World::new(super::seed());
    world.wire.expect(100_000);
    for number in 0..objects {
        let name = format!("app-{number}");
        let mut object = manifest("team-a", &name);
        object["metadata"]["name"] = json!(name);
        world.sandbox.create_role(role(&name));
        world.cluster.create(&object);
    }
    world.start().await;
    let is_ready = |world: &World| {
        let told = |object: &serde_json::Value| object["status"]["grantCount"] == 2;
        world.cluster.objects().iter().filter(|object| told(object)).count() == objects
    };
    world.until("all are Ready", LIMIT, is_ready).await;
    world.wire.sent().into_iter().map(|(_, call)| call.kind).collect()
}

fn counted(sent: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for kind in sent {
        *counts.entry(kind.as_str()).or_default() += 1;
    }
    counts
}

#[test]
fn a_new_object_is_written_to_three_times_and_not_read_again() {
    paused(super::seed(), async {
        let sent = sent_for(1).await;
        let counts = counted(&sent);
        let count = |kind: &str| counts.get(kind).copied().unwrap_or_default();
        assert_eq!(["finalizer", "status", "event", "get"].map(count), [1, 1, 1, 0], "{counts:?}");
        assert_eq!(["GetRole", "GetRolePolicy", "PutRolePolicy"].map(count), [1, 2, 1], "{counts:?}");
    });
}

#[test]
fn the_first_of_many_new_objects_does_not_wait_until_all_have_their_finalizers() {
    paused(super::seed(), async {
        let sent = sent_for(200).await;
        let first = sent.iter().position(|kind| kind == "PutRolePolicy").unwrap();
        let finalizers = sent[..first].iter().filter(|kind| *kind == "finalizer").count();
        assert!(finalizers <= 30, "{finalizers} finalizers before the first policy");
    });
}
