//! Which AWS operations are called: those of the one list, each under its own name.

use futures::TryStreamExt;
use std::collections::BTreeSet;

use aws_sandbox::ApplicationProfile;
use bedrock_access::aws::{Caller, OPERATIONS, identity};
use serde_json::json;

use crate::context::UNLIMITED;
use crate::world::{World, consenting, manifest};

const APPLICATION: &str = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6";

/// An object that needs every question that there is, on a role without room.
async fn world() -> World {
    let mut object = manifest();
    object["spec"]["models"] = json!([
        {"modelId": "amazon.nova-2-lite-v1:0"},
        {"modelId": "amazon.nova-l*", "scopes": ["us"]},
        {"modelId": "amazon.nova-pro-v1:0", "scopes": ["in-region"]},
        {"modelId": "amazon.nova-m*", "scopes": ["in-region"]},
        {"inferenceProfile": APPLICATION},
    ]);
    let world = World::with(consenting().policy("theirs", &"x".repeat(10_000)), object).await;
    world.sandbox.set_application_profile(ApplicationProfile {
        region: "us-east-1".to_owned(),
        id: "a1b2c3d4e5f6".to_owned(),
        name: "billing".to_owned(),
        model_arns: vec!["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0".to_owned()],
        tags: [("bedrockaccess.io/namespaces".to_owned(), "team-a".to_owned())].into(),
    });
    world
}

/// The operations that the metrics know of.
fn counted(world: &World) -> BTreeSet<String> {
    let text = world.context.metrics.to_text().unwrap();
    let lines = text.lines().filter(|line| line.starts_with("bedrock_access_aws_calls_total{"));
    let label = |line: &str, name: &str| {
        line.split_once(&format!("{name}=\"")).unwrap().1.split('"').next().unwrap().to_owned()
    };
    lines.map(|line| format!("{}:{}", label(line, "service"), label(line, "operation"))).collect()
}

#[tokio::test]
async fn what_is_called_and_counted_is_the_list_of_operations_and_nothing_else() {
    let world = world().await;
    // As the operator does when it starts.
    let caller = Caller::new(UNLIMITED, world.context.metrics.clone());
    identity(&world.aws, &caller).await.unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("Ready").unwrap().1, "PolicyTooLarge");
    world.sandbox.delete_role_policy("assistant", "theirs");
    world.kubernetes.edit(|object| {
        object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"] = json!("now");
    });
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
    world.context.iam.roles().try_collect::<Vec<_>>().await.unwrap();
    world.context.iam.count_roles().await.unwrap();
    world.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    world.reconcile().await.unwrap();
    assert_eq!(world.policy(), None);

    let listed: BTreeSet<String> = OPERATIONS.iter().map(ToString::to_string).collect();
    assert_eq!(counted(&world), listed);
    let calls = world.sandbox.calls().into_iter();
    let seen: BTreeSet<String> =
        calls.map(|one| format!("{}:{}", one.service.name(), one.operation)).collect();
    assert_eq!(seen, listed);
}
