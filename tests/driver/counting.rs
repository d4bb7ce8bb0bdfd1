//! Findings are counted at every end of a reconcile.

use aws_sandbox::{Fault, FaultKind, NewRole, Service};
use bedrock_access::reconcile::report_unreadable;
use serde_json::json;

use crate::world::{World, manifest};

/// How often each reason was counted.
fn counted(world: &World, reason: &str) -> u32 {
    let text = world.context.metrics.to_text().unwrap();
    let line = format!("bedrock_access_findings_total{{reason=\"{reason}\"}} ");
    text.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn whatever_stands_against_an_object_is_counted_wherever_the_reconcile_ends() {
    let world = World::with(NewRole::new("assistant"), manifest()).await;
    world.reconcile().await.unwrap();
    assert_eq!(counted(&world, "ConsentMissing"), 1, "kept in step");

    world.kubernetes.edit(|object| object["spec"]["suspend"] = json!(true));
    world.reconcile().await.unwrap();
    assert_eq!(counted(&world, "ConsentMissing"), 2, "suspended");

    let world = World::new().await;
    world.kubernetes.edit(|object| object["spec"]["models"] = json!([{"modelId": "NOT A MODEL"}]));
    world.reconcile().await.unwrap();
    assert_eq!(counted(&world, "InvalidSpec"), 1, "refused");

    let mut object = manifest();
    object["spec"]["role"] = json!({"name": "no such name"});
    let world = World::with(NewRole::new("assistant"), object).await;
    world.reconcile().await.unwrap();
    assert_eq!(counted(&world, "InvalidSpec"), 1, "nothing can be begun");

    let object = serde_json::from_value(world.kubernetes.object()["metadata"].clone()).unwrap();
    report_unreadable(&object, "no field", &world.context).await.unwrap();
    assert_eq!(counted(&world, "InvalidSpec"), 2, "unreadable");

    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    world.sandbox.fault(Fault::new(FaultKind::Internal).of(Service::Iam, "DeleteRolePolicy"));
    world.reconcile().await.unwrap_err();
    assert_eq!(counted(&world, "IamUnavailable"), 1, "deletion waits: {}", world.message("Ready"));
}
