//! What a tenant goes on changing does not put off what an owner withdrew.

use std::time::Duration;

use bedrock_access::reconcile::{Error, NextLook};
use serde_json::{Value, json};

use crate::world::{World, manifest};

const TAG: &str = "bedrockaccess.io/namespaces";

type Change = (&'static str, fn(&mut Value));

/// Changes that a tenant may make at any rate.
const CHANGES: [Change; 3] = [
    ("any annotation", |object| {
        object["metadata"]["annotations"]["example.com/noise"] = json!("1");
    }),
    ("our annotation", |object| {
        object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"] = json!("1");
    }),
    ("the spec", |object| {
        object["metadata"]["generation"] = json!(2);
    }),
];

#[tokio::test]
async fn a_withdrawal_is_carried_out_while_the_object_keeps_changing() {
    for (what, change) in CHANGES {
        let world = World::new().await;
        world.reconcile().await.unwrap();
        world.sandbox.tag_role("assistant", TAG, "@none").unwrap();
        let seen = world.kubernetes.object();
        world.kubernetes.edit(change);
        world.reconcile_as(seen).await.unwrap();
        assert_eq!(world.policy(), None, "{what}");
    }
}

#[tokio::test]
async fn a_deletion_is_carried_out_while_the_object_keeps_changing() {
    for (what, change) in CHANGES {
        let world = World::new().await;
        world.reconcile().await.unwrap();
        world
            .kubernetes
            .edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
        let seen = world.kubernetes.object();
        world.kubernetes.edit(change);
        world.reconcile_as(seen).await.unwrap();
        assert_eq!(world.policy(), None, "{what}");
        assert_eq!(world.kubernetes.object()["metadata"]["finalizers"], json!([]), "{what}");
    }
}

#[tokio::test]
async fn a_target_s_withdrawal_is_carried_out_though_the_rest_of_the_write_is_out_of_date() {
    for (what, change) in &CHANGES[1..] {
        let arn = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl";
        let mut object = manifest();
        let models = object["spec"]["models"].as_array_mut().unwrap();
        models.push(json!({"modelArn": arn}));
        let world = World::with(crate::world::consenting(), object).await;
        world.sandbox.set_tagged_resource(arn, &[(TAG, "team-a")]);
        world.reconcile().await.unwrap();
        assert!(world.policy().unwrap().to_string().contains(arn));
        world.sandbox.set_tags(arn, &[(TAG, "@none")]).unwrap();
        world.an_interval_later().await;
        let seen = world.kubernetes.object();
        world.kubernetes.edit(change);
        assert!(matches!(world.reconcile_as(seen).await, Err(Error::Outdated)), "{what}");
        let left = world.policy().unwrap().to_string();
        assert!(!left.contains(arn) && left.contains("us.amazon.nova-2-lite-v1:0"), "{what}: {left}");
    }
}

#[tokio::test]
async fn a_write_waits_for_a_changed_spec_or_annotation_of_ours_and_for_no_other() {
    for ((what, change), is_written) in CHANGES.into_iter().zip([true, false, false]) {
        let world = World::new().await;
        let seen = world.kubernetes.object();
        world.kubernetes.edit(change);
        let result = world.reconcile_as(seen).await;
        assert_eq!((result.is_ok(), world.policy().is_some()), (is_written, is_written), "{what}");
    }
}

#[tokio::test]
async fn an_object_is_looked_at_within_the_operator_s_interval_whatever_its_own() {
    for (interval, least, most) in [("24h", 540, 600), ("1m", 54, 60)] {
        for is_suspended in [false, true] {
            let mut object = manifest();
            object["spec"]["interval"] = json!(interval);
            object["spec"]["suspend"] = json!(is_suspended);
            let world = World::with(crate::world::consenting(), object).await;
            let NextLook::After(next) = world.reconcile().await.unwrap() else { panic!("never") };
            let times = Duration::from_secs(least)..=Duration::from_secs(most);
            assert!(times.contains(&next), "{interval}, suspended {is_suspended}: {next:?}");
        }
    }
}
