//! Targets that belong to the account, with the tags by which they consent.

use aws_sandbox::{ApplicationProfile, Fault, FaultKind, Service};
use bedrock_access::reconcile::Error;
use serde_json::json;

use crate::world::{World, consenting, manifest};

const APPLICATION: &str = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6";
const PROVISIONED: &str = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl";
const TAG: &str = "bedrockaccess.io/namespaces";

/// A manifest for one application profile over a global route and one provisioned model; both consent.
async fn world() -> World {
    let mut object = manifest();
    object["spec"]["models"] = json!([{"inferenceProfile": APPLICATION}, {"modelArn": PROVISIONED}]);
    let world = World::with(consenting(), object).await;
    let model = |region: &str| format!("arn:aws:bedrock:{region}::foundation-model/amazon.nova-2-lite-v1:0");
    world.sandbox.set_application_profile(ApplicationProfile {
        region: "us-east-1".to_owned(),
        id: "a1b2c3d4e5f6".to_owned(),
        name: "billing".to_owned(),
        model_arns: vec![model(""), model("us-east-1")],
        tags: [(TAG.to_owned(), "team-a".to_owned())].into(),
    });
    world.sandbox.set_tagged_resource(PROVISIONED, &[(TAG, "team-b team-a")]);
    world
}

#[tokio::test]
async fn an_application_profile_and_a_provisioned_model_are_granted_and_shown() {
    let world = world().await;
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.kubernetes.object()["status"]);
    let mut calls = world.take_calls();
    calls.retain(|call| !call.contains("Role"));
    calls.sort();
    assert_eq!(calls, ["GetInferenceProfile", "ListTagsForResource", "ListTagsForResource"]);
    let grants = world.kubernetes.object()["status"]["grants"].clone();
    assert_eq!(
        grants,
        json!([
            {"kind": "InferenceProfile", "id": APPLICATION, "sourceRegion": "us-east-1", "destinationRegions": ["*"]},
            {"kind": "ProvisionedModel", "id": PROVISIONED, "sourceRegion": "us-east-1", "destinationRegions": ["us-east-1"]},
        ])
    );
}

#[tokio::test]
async fn a_target_that_withdraws_its_consent_loses_its_grant_alone() {
    let world = world().await;
    world.reconcile().await.unwrap();
    for (arn, left) in [(APPLICATION, vec![PROVISIONED]), (PROVISIONED, vec![])] {
        world.sandbox.set_tags(arn, &[(TAG, "@none")]).unwrap();
        world.kubernetes.edit(|object| {
            object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"] = json!(arn);
        });
        world.reconcile().await.unwrap();
        assert_eq!(
            world.condition("ProfilesResolved"),
            Some(("False".to_owned(), "TargetNotAllowed".to_owned()))
        );
        assert!(world.condition("Stalled").is_some());
        let object = world.kubernetes.object();
        let grants: Vec<&str> = object["status"]["grants"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|grant| grant["id"].as_str())
            .collect();
        assert_eq!(grants, left);
    }
    assert_eq!(world.policy(), None);
}

#[tokio::test]
async fn tags_that_cannot_be_read_change_nothing() {
    let world = world().await;
    world.reconcile().await.unwrap();
    let before = world.policy();
    world.sandbox.fault(Fault::new(FaultKind::AccessDenied).of(Service::Bedrock, "ListTagsForResource"));
    world.kubernetes.edit(|object| {
        object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"] = json!("now");
    });
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("ProfilesResolved"), Some(("Unknown".to_owned(), "BedrockDenied".to_owned())));
    assert_eq!(world.policy(), before);
}

#[tokio::test]
async fn a_shrunken_profile_is_counted_in_the_metrics() {
    let world = world().await;
    world.reconcile().await.unwrap();
    world.sandbox.delete_application_profile("us-east-1", "a1b2c3d4e5f6");
    world.kubernetes.edit(|object| {
        object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"] = json!("now");
    });
    world.reconcile().await.unwrap();
    let metrics = world.context.metrics.to_text().unwrap();
    assert!(metrics.contains(r#"bedrock_access_findings_total{reason="ProfileShrunk"} 1"#), "{metrics}");
}

#[tokio::test]
async fn a_withdrawal_is_carried_out_while_the_object_is_suspended_invalid_or_retained() {
    for (path, value) in [
        ("/spec/suspend", json!(true)),
        ("/spec/driftPolicy", json!("Nonsense")),
        ("/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z")),
    ] {
        let world = world().await;
        world.kubernetes.edit(|object| object["spec"]["deletionPolicy"] = json!("Retain"));
        world.sandbox.tag_role("assistant", TAG, "retain:team-a").unwrap();
        world.reconcile().await.unwrap();
        let (parent, field) = path.rsplit_once('/').unwrap();
        world.kubernetes.edit(|object| object.pointer_mut(parent).unwrap()[field] = value);
        world.sandbox.set_tags(APPLICATION, &[(TAG, "@none")]).unwrap();
        world.an_interval_later().await;
        world.reconcile().await.unwrap();
        let policy = world.policy().unwrap().to_string();
        assert!(!policy.contains(APPLICATION) && policy.contains(PROVISIONED), "{path}: {policy}");
        let events = world.take_events();
        assert!(events.contains(&"PolicyWritten".to_owned()), "{path}: {events:?}");
    }
}

#[tokio::test]
async fn a_retained_policy_waits_for_an_owner_that_does_not_answer() {
    for (service, operation) in [(Service::Bedrock, "ListTagsForResource"), (Service::Iam, "GetRole")] {
        let world = world().await;
        world.kubernetes.edit(|object| object["spec"]["deletionPolicy"] = json!("Retain"));
        world.sandbox.tag_role("assistant", TAG, "retain:team-a").unwrap();
        world.reconcile().await.unwrap();
        world
            .kubernetes
            .edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
        world.sandbox.fault(Fault::new(FaultKind::AccessDenied).of(service, operation));
        assert!(matches!(world.reconcile().await, Err(Error::DeletionWaits(_))), "{operation}");
        world.sandbox.clear_faults();
        world.reconcile().await.unwrap();
        assert!(world.policy().is_some(), "{operation}: it is retained");
    }
}
