//! Policies whose object vanished while nobody looked: found by the record within an interval, or by a look at the account.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::history::Disturbances;
use super::paused;
use super::scenarios::{Scenario, TEAM, an_object, nothing, policy};
use super::wire::Failure;
use super::world::{CONSENT, ROLE, World, manifest, role};

/// Longer than anything that follows a change at once.
const AT_ONCE: Duration = Duration::from_mins(2);
const MINUTE: Duration = Duration::from_mins(1);
const LIMIT: Duration = Duration::from_mins(30);
/// An interval, and the time in which IAM may show what was there before.
const INTERVAL: Duration = Duration::from_mins(12);
const DAY: Duration = Duration::from_hours(25);

/// For the operator that dies at each of its requests: the finalizer is taken off, and the role no longer consents.
pub(crate) fn story() -> Scenario {
    Scenario {
        name: "orphan",
        prepare: an_object,
        first: nothing,
        act: |world| {
            world.cluster.vanish(TEAM, ROLE);
            world.sandbox.tag_role(ROLE, CONSENT, "team-b").unwrap();
            Disturbances::new()
        },
        throughout: &[],
        afterwards: &[],
        ends_well: |world| {
            let is_noted = !world.cluster.record().is_empty();
            world.cluster.objects().is_empty() && policy(world).is_none() && !is_noted
        },
    }
}

/// An object whose policy is written, and which then vanishes.
async fn orphaned(manifest: &Value) -> World {
    let mut world = World::new(super::seed());
    world.sandbox.create_role(role(ROLE));
    world.cluster.create(manifest);
    world.start().await;
    world.until("Ready", LIMIT, |world| world.is_ready(TEAM)).await;
    world.settle(AT_ONCE, LIMIT).await;
    world.cluster.vanish(TEAM, ROLE);
    world
}

/// How many Events of a reason there were.
fn told(world: &World, reason: &str) -> usize {
    world.cluster.events().iter().filter(|event| event["reason"] == reason).count()
}

fn gauge(world: &World) -> Option<String> {
    world.metric("bedrock_access_orphaned_policies")
}

#[test]
fn an_object_that_a_finalizer_of_somebody_else_holds_back_keeps_no_grant_that_was_withdrawn() {
    paused(super::seed(), async {
        let mut world = World::new(super::seed());
        world.sandbox.create_role(role(ROLE));
        world.sandbox.tag_role(ROLE, CONSENT, "retain:team-a").unwrap();
        let mut object = manifest(TEAM, ROLE);
        object["spec"]["deletionPolicy"] = json!("Retain");
        object["metadata"]["finalizers"] = json!(["example.com/hold"]);
        world.cluster.create(&object);
        world.start().await;
        world.until("Ready", LIMIT, |world| world.is_ready(TEAM)).await;
        world.cluster.delete(TEAM, ROLE);
        world.settle(AT_ONCE, LIMIT).await;
        assert!(policy(&world).is_some(), "it is retained");
        sleep(2 * INTERVAL).await;
        assert!(policy(&world).is_some(), "and stays while the owner's word stands");
        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        sleep(2 * INTERVAL).await;
        assert_eq!((policy(&world), world.cluster.objects().len()), (None, 1));
    });
}

#[test]
fn an_orphan_is_told_once_and_goes_within_an_interval_after_consent_went() {
    paused(super::seed(), async {
        let world = orphaned(&manifest(TEAM, ROLE)).await;
        sleep(5 * INTERVAL).await;
        assert!(policy(&world).is_some(), "the role's owner still consents");
        assert_eq!((told(&world, "OrphanedPolicy"), gauge(&world)), (1, Some("1".to_owned())));
        let event =
            world.cluster.events().into_iter().find(|event| event["reason"] == "OrphanedPolicy").unwrap();
        let regarding = &event["regarding"];
        assert_eq!((&regarding["namespace"], &regarding["name"]), (&json!(TEAM), &json!(ROLE)));
        let note = event["note"].as_str().unwrap();
        assert!(note.contains("aws iam delete-role-policy") && note.contains("2 grants"), "{note}");

        world.sandbox.tag_role(ROLE, CONSENT, "team-b").unwrap();
        sleep(INTERVAL).await;
        assert_eq!((policy(&world), world.cluster.record()), (None, vec![]));
        assert_eq!((told(&world, "PolicyRemoved"), gauge(&world)), (1, Some("0".to_owned())));
        assert_eq!(world.sandbox.role_policies(ROLE).len(), 2, "what others wrote stays");
    });
}

#[test]
fn an_orphan_that_the_record_lost_is_found_by_the_look_at_the_account() {
    paused(super::seed(), async {
        let mut world = orphaned(&manifest(TEAM, ROLE)).await;
        world.kill().await;
        world.cluster.lose_record();
        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        world.start().await;
        sleep(DAY).await;
        assert_eq!(policy(&world), None);
        assert_eq!(world.sandbox.role_policies(ROLE).len(), 2, "what others wrote stays");
        let scans = world.sandbox.calls().into_iter();
        let scans = scans.filter(|call| call.operation == "GetAccountAuthorizationDetails").count();
        assert!((1..=3).contains(&scans), "{scans}");
    });
}

#[test]
fn without_the_right_to_look_at_the_account_the_record_alone_finds_orphans() {
    paused(super::seed(), async {
        let mut world = orphaned(&manifest(TEAM, ROLE)).await;
        world.kill().await;
        world.wire.fail(|call| call.kind == "GetAccountAuthorizationDetails", Failure::Denied);
        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        world.start().await;
        sleep(DAY).await;
        assert_eq!((policy(&world), world.cluster.record()), (None, vec![]));
        let denied = world.metric(
            r#"bedrock_access_aws_calls_total{service="iam",operation="GetAccountAuthorizationDetails",outcome="Denied"}"#,
        );
        assert!(denied.is_some_and(|count| count.parse::<u8>().unwrap() <= 3), "asked once a day");
    });
}

#[test]
fn a_policy_that_its_owner_lets_outlive_the_object_is_no_orphan_until_the_entry_goes() {
    paused(super::seed(), async {
        let world = orphaned(&manifest(TEAM, ROLE)).await;
        world.sandbox.tag_role(ROLE, CONSENT, "team-a retain:team-a").unwrap();
        sleep(3 * INTERVAL).await;
        assert!(policy(&world).is_some());
        assert_eq!((told(&world, "OrphanedPolicy"), gauge(&world)), (0, Some("0".to_owned())));
        world.sandbox.tag_role(ROLE, CONSENT, "@none retain:team-a").unwrap();
        sleep(INTERVAL).await;
        assert_eq!(policy(&world), None);
    });
}

#[test]
fn an_object_that_comes_back_naming_another_role_leaves_an_orphan_on_the_first() {
    paused(super::seed(), async {
        let world = orphaned(&manifest(TEAM, ROLE)).await;
        world.sandbox.create_role(role("other"));
        world.cluster.create(&manifest(TEAM, "other"));
        world.until("Ready", LIMIT, |world| world.is_ready(TEAM)).await;
        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        sleep(INTERVAL).await;
        assert_eq!(policy(&world), None);
        assert_eq!(world.sandbox.role_policies("other").len(), 3);
        assert_eq!(world.cluster.record().len(), 1);
    });
}

#[test]
fn while_the_api_server_does_not_say_that_the_object_is_absent_its_policy_stays() {
    paused(super::seed(), async {
        let world = orphaned(&manifest(TEAM, ROLE)).await;
        world.wire.fail(|call| call.kind == "get", Failure::Status(500));
        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        sleep(3 * INTERVAL).await;
        assert!(policy(&world).is_some());
        world.wire.heal();
        sleep(INTERVAL + MINUTE).await;
        assert_eq!(policy(&world), None);
    });
}

const PROVISIONED: &str = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl";

/// An orphan that also grants a provisioned model, whose owner consents too.
async fn orphaned_with_a_model_of_the_account(also: &Value) -> World {
    let mut world = World::new(super::seed());
    world.sandbox.create_role(role(ROLE));
    world.sandbox.set_tagged_resource(PROVISIONED, &[(CONSENT, "team-a")]);
    let mut object = manifest(TEAM, ROLE);
    object["spec"]["models"] = also.clone();
    object["spec"]["models"].as_array_mut().unwrap().push(json!({"modelArn": PROVISIONED}));
    world.cluster.create(&object);
    world.start().await;
    world.until("Ready", LIMIT, |world| world.is_ready(TEAM)).await;
    world.settle(AT_ONCE, LIMIT).await;
    world.cluster.vanish(TEAM, ROLE);
    world
}

fn calls(world: &World, operation: &str) -> usize {
    world.sandbox.calls().iter().filter(|call| call.operation == operation).count()
}

#[test]
fn what_a_target_s_owner_withdraws_goes_from_an_orphan_and_the_rest_stays() {
    for tag in ["team-a", "retain:team-a"] {
        paused(super::seed(), async {
            let world =
                orphaned_with_a_model_of_the_account(&json!([{"modelId": "amazon.nova-2-lite-v1:0"}])).await;
            world.sandbox.tag_role(ROLE, CONSENT, tag).unwrap();
            sleep(2 * INTERVAL).await;
            let before = policy(&world).unwrap();
            assert!(before.contains(PROVISIONED), "{tag}: its owner consents");

            world.sandbox.set_tags(PROVISIONED, &[(CONSENT, "@none")]).unwrap();
            sleep(INTERVAL).await;
            let after = policy(&world).unwrap();
            assert!(
                !after.contains(PROVISIONED) && after.contains("us.amazon.nova-2-lite-v1:0"),
                "{tag}: {after}"
            );
            assert_eq!(world.cluster.record().len(), 1, "{tag}: it is looked after on");
            let cut = told(&world, "PolicyWritten");
            let asked = calls(&world, "ListTagsForResource");
            sleep(3 * INTERVAL).await;
            assert_eq!(
                (policy(&world).unwrap(), told(&world, "PolicyWritten")),
                (after, cut),
                "{tag}: told once"
            );
            assert_eq!(calls(&world, "ListTagsForResource"), asked, "{tag}: nobody is left to be asked");
        });
    }
}

#[test]
fn an_orphan_of_which_every_owner_withdrew_goes_though_the_role_consents() {
    paused(super::seed(), async {
        let world = orphaned_with_a_model_of_the_account(&json!([])).await;
        world.sandbox.set_tags(PROVISIONED, &[]).unwrap();
        sleep(INTERVAL).await;
        assert_eq!((policy(&world), world.cluster.record()), (None, vec![]));
        assert_eq!(told(&world, "PolicyRemoved"), 1);
        assert_eq!(gauge(&world), Some("0".to_owned()));
    });
}

#[test]
fn an_owner_who_does_not_answer_keeps_what_an_orphan_holds() {
    paused(super::seed(), async {
        let world = orphaned_with_a_model_of_the_account(&json!([])).await;
        world.sandbox.set_tags(PROVISIONED, &[]).unwrap();
        world.wire.fail(|call| call.kind == "ListTagsForResource", Failure::Denied);
        sleep(3 * INTERVAL).await;
        assert!(policy(&world).is_some_and(|text| text.contains(PROVISIONED)));
        world.wire.heal();
        sleep(INTERVAL).await;
        assert_eq!(policy(&world), None);
    });
}

#[test]
fn an_orphan_without_targets_of_the_account_costs_two_calls_a_look() {
    paused(super::seed(), async {
        let world = orphaned(&manifest(TEAM, ROLE)).await;
        sleep(2 * INTERVAL).await;
        world.sandbox.clear_calls();
        sleep(Duration::from_mins(10)).await;
        let calls = world.sandbox.calls().into_iter().map(|call| call.operation);
        let mut calls: Vec<String> = calls.filter(|call| call != "GetAccountAuthorizationDetails").collect();
        calls.sort();
        assert_eq!(calls, ["GetRole", "GetRolePolicy"]);
    });
}

#[test]
fn an_object_that_comes_back_unreadable_and_names_another_role_leaves_an_orphan_on_the_first() {
    paused(super::seed(), async {
        let world = orphaned(&manifest(TEAM, ROLE)).await;
        let mut unreadable = manifest(TEAM, "other");
        unreadable["spec"]["models"] = json!("none");
        world.cluster.create(&unreadable);
        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        sleep(2 * INTERVAL).await;
        assert_eq!(policy(&world), None);
        assert_eq!(world.cluster.objects().len(), 1);
    });
}

#[test]
fn an_object_that_comes_back_and_cannot_be_read_at_all_may_look_after_any_role() {
    paused(super::seed(), async {
        let world = orphaned(&manifest(TEAM, ROLE)).await;
        let mut unreadable = manifest(TEAM, ROLE);
        unreadable["spec"]["role"] = json!(7);
        world.cluster.create(&unreadable);
        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        sleep(2 * INTERVAL).await;
        assert!(policy(&world).is_some());
    });
}
