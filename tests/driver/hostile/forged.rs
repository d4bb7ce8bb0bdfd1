//! A status, or a spec that no API server of ours admitted, that someone else wrote.

use serde_json::json;

use super::stage::policy_name;
use crate::world::{US, World, consenting, manifest};

async fn ready(drift_policy: &str) -> World {
    let mut object = manifest();
    object["spec"]["driftPolicy"] = json!(drift_policy);
    let world = World::with(consenting(), object).await;
    world.reconcile().await.unwrap();
    assert!(world.is_ready());
    world
}

/// The digest that an object's status shows once IAM took only the factored form.
async fn digest_of_the_factored_form() -> serde_json::Value {
    let filler = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{}", "x".repeat(8750))}
    ]});
    let world = World::with(consenting().policy("theirs", &filler.to_string()), manifest()).await;
    world.reconcile().await.unwrap();
    world.kubernetes.object()["status"]["policies"][0]["digest"].clone()
}

#[tokio::test]
async fn a_forged_digest_of_the_other_form_does_not_rewrite_the_policy() {
    let factored = digest_of_the_factored_form().await;
    for drift_policy in ["Enforce", "Report"] {
        let world = ready(drift_policy).await;
        let before = world.text();
        world.kubernetes.edit(|object| object["status"]["policies"][0]["digest"] = factored.clone());
        world.reconcile().await.unwrap();
        assert_eq!(world.text(), before, "{drift_policy}");
        assert!(world.is_ready(), "{drift_policy}: {}", world.message("Ready"));
    }
}

#[tokio::test]
async fn an_acceptance_whose_record_was_removed_releases_no_second_shrink() {
    for (forged, status) in [("record removed", json!({"observedGeneration": 1})), ("no status", json!(null))]
    {
        let world = ready("Enforce").await;
        world.sandbox.set_profile("us-east-1", US, Some(&["us-east-1", "us-west-2"]));
        world.kubernetes.edit(|object| {
            object["metadata"]["annotations"]["bedrockaccess.io/accept-shrink"] =
                json!(format!("{US}@us-east-1"));
        });
        world.ask_again();
        world.reconcile().await.unwrap();
        assert!(world.is_ready(), "{}", world.message("Ready"));
        let before = world.text();
        world.sandbox.set_profile("us-east-1", US, Some(&["us-east-1"]));
        world.kubernetes.edit(|object| object["status"] = status);
        world.ask_again();
        world.reconcile().await.unwrap();
        assert_eq!(world.text(), before, "{forged}");
    }
}

#[tokio::test]
async fn under_report_a_forged_digest_does_not_hold_back_a_narrower_spec() {
    let mut narrow = manifest();
    narrow["spec"]["routing"]["scopes"] = json!(["us"]);
    let other = World::with(consenting(), narrow.clone()).await;
    other.reconcile().await.unwrap();
    let digest = other.kubernetes.object()["status"]["policies"][0]["digest"].clone();
    let world = ready("Report").await;
    world.kubernetes.edit(|object| {
        object["spec"]["routing"]["scopes"] = json!(["us"]);
        object["metadata"]["generation"] = json!(2);
        object["status"]["policies"][0]["digest"] = digest;
    });
    world.reconcile().await.unwrap();
    assert_eq!(world.text(), other.text(), "{}", world.message("Ready"));
}

#[tokio::test]
async fn under_report_a_status_that_is_gone_does_not_undo_what_someone_changed() {
    let world = ready("Report").await;
    let edited = world.text().unwrap().replace("us-east-2::", "eu-west-1::");
    world.sandbox.put_role_policy("assistant", &policy_name(), &edited).unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(world.reason(), "DriftDetected");
    world.kubernetes.edit(|object| object["status"] = json!(null));
    world.reconcile().await.unwrap();
    assert_eq!(world.text(), Some(edited));
}

#[tokio::test]
async fn a_deletion_policy_that_is_none_is_refused() {
    let world = ready("Enforce").await;
    world.kubernetes.edit(|object| object["spec"]["deletionPolicy"] = json!("retain"));
    world.refuses("InvalidSpec", "spec.deletionPolicy: ", "retain").await;
}

#[tokio::test]
async fn an_empty_list_of_regions_is_refused_and_takes_nothing_away() {
    for pointer in ["sourceRegions", "routing"] {
        let world = ready("Enforce").await;
        let before = world.text();
        world.kubernetes.edit(|object| match pointer {
            "sourceRegions" => object["spec"]["sourceRegions"] = json!([]),
            _ => object["spec"]["routing"]["allowedDestinationRegions"] = json!([]),
        });
        world.reconcile().await.unwrap();
        assert_eq!(world.text(), before, "{pointer}: {}", world.message("Ready"));
        assert_eq!(world.reason(), "InvalidSpec", "{pointer}");
    }
}

#[test]
fn a_status_that_the_api_server_admits_decodes() {
    for time in [
        "2026-01-01T00:00:00z",
        "2026-01-01t00:00:00Z",
        "2026-01-01T00:00:00x5Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01T00:00:00.1234567890123Z",
        "2026-01-01T00:00:00+99:99",
    ] {
        let mut object = manifest();
        object["status"]["conditions"] = json!([{"type": "Ready", "status": "True", "reason": "X", "message": "", "lastTransitionTime": time}]);
        let decoded = serde_json::from_value::<bedrock_access_api::v1alpha1::BedrockAccess>(object);
        assert!(decoded.is_ok(), "{time}: {decoded:?}");
    }
}
