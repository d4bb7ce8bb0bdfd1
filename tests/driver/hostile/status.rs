//! A status that someone else wrote: whatever it claims, the policy on the role stays as it is.

use aws_sandbox::NewRole;
use serde_json::{Value, json};

use super::stage::policy_name;
use crate::world::{US, World, consenting, manifest};

type Forgery = (&'static str, fn(&mut Value));

const FORGERIES: [Forgery; 22] = [
    ("no status", |status| *status = Value::Null),
    ("an empty status", |status| *status = json!({})),
    ("the status of a new object", |status| *status = json!({"observedGeneration": -1})),
    ("no digest", |status| status["policies"] = json!([])),
    ("an empty digest", |status| status["policies"][0]["digest"] = json!("")),
    ("a wrong digest", |status| status["policies"][0]["digest"] = json!("0123456789abcdef0123")),
    ("a hostile digest", |status| status["policies"][0]["digest"] = json!("*\0${aws:username}\n")),
    ("the digest of nothing", |status| {
        let nothing = bedrock_iam::CanonicalPolicy::default().digest();
        status["policies"][0]["digest"] = json!(nothing.to_string());
    }),
    ("a policy of another name", |status| status["policies"][0]["name"] = json!("AdministratorAccess")),
    ("another policy first", |status| {
        let ours = status["policies"][0].clone();
        let theirs = json!({"name": "theirs", "kind": "Managed", "characters": -1, "digest": "0"});
        status["policies"] = json!([theirs, ours]);
    }),
    ("our policy twice", |status| {
        let ours = status["policies"][0].clone();
        let wrong = json!({"name": policy_name(), "kind": "Inline", "characters": i64::MAX, "digest": "0"});
        status["policies"] = json!([wrong, ours]);
    }),
    ("another role's id", |status| status["role"]["id"] = json!("AROAXXXXXXXXXXXXXXXXX")),
    ("another role", |status| {
        status["role"] = json!({"name": "admin", "arn": "arn:aws:iam::999999999999:role/admin", "id": "*"});
    }),
    ("no role", |status| status["role"] = Value::Null),
    ("a generation to come", |status| status["observedGeneration"] = json!(i64::MAX)),
    ("a generation before time", |status| status["observedGeneration"] = json!(i64::MIN)),
    ("grants of everything", |status| {
        status["grantCount"] = json!(i64::MAX);
        status["grants"] = json!([
            {"kind": "*", "id": "*", "sourceRegion": "*", "destinationRegions": ["*"]},
            {"kind": "InferenceProfile", "id": US, "sourceRegion": "us-east-1", "destinationRegions": ["eu-west-1", "*"]},
        ]);
    }),
    ("no grants", |status| {
        status["grantCount"] = json!(-1);
        status["grants"] = json!([]);
    }),
    ("everything true", |status| {
        for condition in status["conditions"].as_array_mut().unwrap() {
            condition["status"] = json!("True");
            condition["reason"] = json!("Forged");
            condition["message"] = json!("*");
        }
    }),
    ("no conditions", |status| status["conditions"] = json!([])),
    ("a shrink that was accepted", |status| status["lastAcceptedShrink"] = json!(format!("{US}@us-east-1"))),
    ("a reconcile that was asked for", |status| status["lastHandledReconcileAt"] = json!("forged")),
];

/// Each forgery alone, then all that can stand together, each from the status as we wrote it; what follows writes nothing.
async fn no_forgery_changes_the_policy(world: &World, scenario: &str) {
    let honest = world.kubernetes.object()["status"].clone();
    let (before, writes) = (world.text(), world.sandbox.history("assistant").len());
    assert!(before.is_some(), "{scenario}");
    for (name, forge) in FORGERIES {
        let mut status = honest.clone();
        forge(&mut status);
        world.kubernetes.edit(|object| object["status"] = status);
        for asked in ["from the cache", "anew"] {
            if asked == "anew" {
                world.ask_again();
            }
            world.reconcile().await.unwrap();
            assert_eq!(world.text(), before, "{scenario}: {name}, {asked}");
        }
    }
    assert_eq!(world.sandbox.history("assistant").len(), writes, "{scenario}: a write that changed nothing");
    world.kubernetes.edit(|object| object["status"] = honest);
    println!("{} forged statuses: {scenario}", FORGERIES.len());
}

async fn ready(spec: impl FnOnce(&mut Value)) -> World {
    let mut object = manifest();
    spec(&mut object["spec"]);
    let world = World::with(consenting(), object).await;
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
    world
}

#[tokio::test]
async fn a_forged_status_changes_no_grant_of_a_ready_object() {
    let world = ready(|_| {}).await;
    no_forgery_changes_the_policy(&world, "ready").await;
}

#[tokio::test]
async fn a_forged_status_changes_no_grant_under_report() {
    let world = ready(|spec| spec["driftPolicy"] = json!("Report")).await;
    no_forgery_changes_the_policy(&world, "driftPolicy Report").await;
}

#[tokio::test]
async fn a_forged_status_releases_no_grant_that_is_kept() {
    for drift_policy in ["Enforce", "Report"] {
        let world = ready(|spec| spec["driftPolicy"] = json!(drift_policy)).await;
        world.sandbox.set_profile("us-east-1", US, Some(&["us-east-1"]));
        world.ask_again();
        world.reconcile().await.unwrap();
        assert_eq!(world.reason(), "ProfileShrunk");
        no_forgery_changes_the_policy(&world, &format!("a shrunken profile under {drift_policy}")).await;
        world.sandbox.set_profile("us-east-1", US, None);
        world.ask_again();
        world.reconcile().await.unwrap();
        assert_eq!(world.reason(), "ProfileShrunk");
        no_forgery_changes_the_policy(&world, &format!("a profile that is gone, under {drift_policy}")).await;
    }
}

#[tokio::test]
async fn a_forged_status_does_not_change_the_form_of_a_policy_that_iam_took_only_factored() {
    let filler = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{}", "x".repeat(8750))}
    ]});
    let role: NewRole = consenting().policy("theirs", &filler.to_string());
    let world = World::with(role, manifest()).await;
    world.reconcile().await.unwrap();
    assert!(world.text().unwrap().contains("aws:RequestedRegion"), "the factored form");
    no_forgery_changes_the_policy(&world, "the factored form").await;
}

#[tokio::test]
async fn a_forged_status_moves_no_suspended_object() {
    let world = ready(|_| {}).await;
    world.kubernetes.edit(|object| object["spec"]["suspend"] = json!(true));
    world.reconcile().await.unwrap();
    no_forgery_changes_the_policy(&world, "suspended").await;
}

#[tokio::test]
async fn a_forged_status_grants_nothing_to_an_object_without_consent() {
    let world = World::with(NewRole::new("assistant"), manifest()).await;
    world.reconcile().await.unwrap();
    let honest = ready(|_| {}).await.kubernetes.object()["status"].clone();
    for (name, forge) in FORGERIES {
        let mut status = honest.clone();
        forge(&mut status);
        world.kubernetes.edit(|object| object["status"] = status);
        world.refuses("ConsentMissing", "the tag", name).await;
        assert_eq!(world.text(), None, "{name}");
    }
}
