//! What a user lives through, on a real control plane under the chart's rights: each test is one story, told in parallel with the others.

use std::collections::BTreeSet;

use bedrock_access_api::v1alpha1::BedrockAccess;
use serde_json::{Value, json};

use crate::policy::resources;
use crate::team::{NOVA_LITE, Team, shows};
use crate::world::World;

const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

#[tokio::test]
async fn a_new_object_gives_the_role_exactly_its_profiles_and_models() {
    let team = Team::new(World::shared(), "create").await;
    team.apply(json!({"models": [{"modelId": NOVA_LITE, "scopes": ["us", "global"]}]})).await;
    let object = team.wait_until_ready().await;

    for (condition, reason) in
        [("RoleAccepted", "RoleFound"), ("ProfilesResolved", "Resolved"), ("PolicyInSync", "InSync")]
    {
        assert!(shows(&object, condition, "True", reason), "{condition}: {:?}", object.status);
    }
    let status = object.status.unwrap();
    assert_eq!(status.observed_generation, object.metadata.generation);
    assert_eq!(status.grant_count, 2);
    assert_eq!(status.role.unwrap().arn, "arn:aws:iam::111122223333:role/create");
    assert_eq!(vec![status.policies[0].name.clone()], team.policy_names().await);

    let model = format!("foundation-model/{NOVA_LITE}");
    let expected = [
        format!("arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.{NOVA_LITE}"),
        format!("arn:aws:bedrock:us-east-1:111122223333:inference-profile/global.{NOVA_LITE}"),
        format!("arn:aws:bedrock:us-east-1::{model}"),
        format!("arn:aws:bedrock:us-east-2::{model}"),
        format!("arn:aws:bedrock:us-west-2::{model}"),
        format!("arn:aws:bedrock:::{model}"),
        "arn:aws:bedrock:us-east-1:111122223333:project/default".to_owned(),
    ];
    assert_eq!(resources(&team.policy().await), BTreeSet::from(expected));
    team.wait_for_event("PolicyWritten").await;
}

/// The project goes with whatever is granted.
fn is_about_sonnet_alone(policy: &Value) -> bool {
    let resources = resources(policy);
    resources.iter().all(|resource| resource.ends_with(SONNET) || resource.ends_with(":project/default"))
}

#[tokio::test]
async fn a_changed_spec_changes_the_policy_to_what_it_says_now() {
    let team = Team::new(World::shared(), "change").await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    team.apply(json!({"models": [{"modelId": SONNET, "scopes": ["us"]}]})).await;
    let object = team.wait_until_ready().await;
    assert_eq!(object.metadata.generation, Some(2));
    assert!(is_about_sonnet_alone(&team.policy().await), "{}", team.policy().await);
}

#[tokio::test]
async fn a_policy_that_someone_removes_or_changes_is_restored() {
    let team = Team::new(World::shared(), "drift-repaired").await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    let written = team.policy().await;

    team.delete_policy().await;
    let object = team.reconcile().await;
    assert!(shows(&object, "Ready", "True", "Reconciled"), "{:?}", object.status);
    assert_eq!(team.policy().await, written);
    team.wait_for_event("DriftRepaired").await;

    let mut changed = written.clone();
    changed["Statement"].as_array_mut().unwrap().truncate(1);
    team.put_policy(&team.policy_names().await[0], &changed).await;
    team.reconcile().await;
    assert_eq!(team.policy().await, written);
}

#[tokio::test]
async fn drift_is_only_reported_when_the_manifest_asks_for_that() {
    let team = Team::new(World::shared(), "drift-reported").await;
    team.apply(json!({"driftPolicy": "Report"})).await;
    team.wait_until_ready().await;
    team.delete_policy().await;
    let object = team.reconcile().await;
    assert!(shows(&object, "PolicyInSync", "False", "DriftDetected"), "{:?}", object.status);
    assert!(shows(&object, "Ready", "False", "DriftDetected"), "{:?}", object.status);
    assert_eq!(team.policy_names().await, Vec::<String>::new());

    team.apply(json!({"driftPolicy": "Report", "models": [{"modelId": SONNET, "scopes": ["us"]}]})).await;
    team.wait_until_ready().await;
    assert!(!resources(&team.policy().await).is_empty(), "a changed spec is written all the same");
}

#[tokio::test]
async fn a_suspended_object_leaves_aws_as_it_is_until_it_is_resumed() {
    let team = Team::new(World::shared(), "suspend").await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    team.apply(json!({"suspend": true, "models": [{"modelId": SONNET, "scopes": ["us"]}]})).await;
    let object = team.wait_for("Suspended", "True", "Suspended").await;
    assert_eq!(object.status.as_ref().unwrap().observed_generation, object.metadata.generation);
    assert!(ready_is(&object, "True"), "suspending keeps Ready as it was: {:?}", object.status);

    team.delete_policy().await;
    team.reconcile().await;
    assert_eq!(team.policy_names().await, Vec::<String>::new());

    team.apply(json!({"models": [{"modelId": SONNET, "scopes": ["us"]}]})).await;
    let object = team.wait_until_ready().await;
    assert!(!shows(&object, "Suspended", "True", "Suspended"));
    assert!(is_about_sonnet_alone(&team.policy().await), "{}", team.policy().await);
}

#[tokio::test]
async fn a_deleted_object_takes_its_policy_away_and_no_other() {
    let team = Team::new(World::shared(), "delete").await;
    let foreign = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::team-delete/*"}]});
    team.put_policy("somebody-elses", &foreign).await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    assert_eq!(team.policy_names().await.len(), 2);
    team.delete().await;
    team.wait_until_gone().await;
    assert_eq!(team.policy_names().await, ["somebody-elses"]);
    assert_eq!(team.policy().await, foreign);
}

#[tokio::test]
async fn a_deleted_object_leaves_its_policy_when_the_manifest_says_retain() {
    let team = Team::new(World::shared(), "retain").await;
    team.consent("retain:retain").await;
    team.apply(json!({"deletionPolicy": "Retain"})).await;
    team.wait_until_ready().await;
    let written = team.policy().await;
    team.delete().await;
    team.wait_until_gone().await;
    assert_eq!(team.policy().await, written);
}

#[tokio::test]
async fn a_role_that_is_created_later_is_granted_then() {
    let team = Team::without_role(World::shared(), "role-later").await;
    team.apply(json!({})).await;
    let object = team.wait_for("RoleAccepted", "False", "RoleNotFound").await;
    assert!(
        shows(&object, "Reconciling", "True", "RoleNotFound"),
        "a role of the same release may still come"
    );
    team.create_role().await;
    team.consent("role-later").await;
    team.wait_until_ready().await;
    assert_eq!(team.policy_names().await.len(), 1);
}

#[tokio::test]
async fn a_role_without_consent_is_not_written_until_it_consents() {
    let team = Team::without_role(World::shared(), "consent-later").await;
    team.create_role().await;
    team.consent("another-team").await;
    team.apply(json!({})).await;
    let object = team.wait_for("RoleAccepted", "False", "ConsentMissing").await;
    let message = message(&object, "RoleAccepted");
    assert!(
        message.contains("bedrockaccess.io/namespaces") && message.contains("/consent-later"),
        "{message}"
    );
    assert_eq!(team.policy_names().await, Vec::<String>::new());

    team.consent("another-team consent-later").await;
    team.wait_until_ready().await;
    assert_eq!(team.policy_names().await.len(), 1);
}

#[tokio::test]
async fn a_role_that_withdraws_its_consent_loses_the_grant() {
    let team = Team::new(World::shared(), "consent-withdrawn").await;
    team.apply(json!({"driftPolicy": "Report"})).await;
    team.wait_until_ready().await;
    team.consent("@none").await;
    let object = team.reconcile().await;
    assert!(shows(&object, "RoleAccepted", "False", "ConsentMissing"), "{:?}", object.status);
    assert_eq!(team.policy_names().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_profile_that_does_not_exist_is_named_and_the_others_are_granted() {
    let team = Team::new(World::shared(), "profile-typo").await;
    let models =
        json!([{"modelId": NOVA_LITE, "scopes": ["eu"]}, {"inferenceProfile": format!("us.{NOVA_LITE}")}]);
    team.apply(json!({"models": models})).await;
    let object = team.wait_for("ProfilesResolved", "False", "ProfileNotFound").await;
    assert!(shows(&object, "Stalled", "True", "ProfileNotFound"), "{:?}", object.status);
    let message = message(&object, "Ready");
    assert!(message.contains(&format!("eu.{NOVA_LITE}")), "{message}");
    assert!(message.contains("us") && message.contains("global"), "the scopes that do exist: {message}");
    let granted = resources(&team.policy().await);
    assert!(
        granted.contains(&format!("arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.{NOVA_LITE}"))
    );
}

#[tokio::test]
async fn a_model_that_needs_a_profile_is_refused_in_region_with_the_profiles_to_use() {
    let team = Team::new(World::shared(), "on-demand").await;
    team.apply(json!({"models": [{"modelId": NOVA_LITE, "scopes": ["in-region"]}]})).await;
    let object = team.wait_for("ProfilesResolved", "False", "OnDemandNotSupported").await;
    let message = message(&object, "ProfilesResolved");
    assert!(message.contains(&format!("us.{NOVA_LITE}")), "{message}");
    assert_eq!(team.policy_names().await, Vec::<String>::new());

    team.apply(json!({})).await;
    team.wait_until_ready().await;
}

fn ready_is(object: &BedrockAccess, status: &str) -> bool {
    let conditions = &object.status.as_ref().unwrap().conditions;
    conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == status)
}

fn message(object: &BedrockAccess, condition: &str) -> String {
    let conditions = &object.status.as_ref().unwrap().conditions;
    conditions.iter().find(|found| found.type_ == condition).unwrap().message.clone()
}
