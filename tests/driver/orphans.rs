//! What is noted of a policy before it is written, and how one is found whose object is gone.

use aws_sandbox::NewRole;
use bedrock_access::orphans::IsConfirmed;
use bedrock_access::reconcile::Error;
use bedrock_iam::PolicyIdentity;
use bedrock_iam::consent::ConsentPolicy;
use serde_json::json;

use crate::world::{World, consenting, manifest};

fn entry() -> serde_json::Value {
    json!({"namespace": "team-a", "name": "assistant", "role": "assistant"})
}

#[tokio::test]
async fn a_policy_is_noted_before_it_is_written_and_no_longer_once_it_is_removed() {
    let world = World::new().await;
    world.kubernetes.refuse_the_record(true);
    let refused = world.reconcile().await;
    assert!(matches!(refused, Err(Error::Kubernetes(_))), "{refused:?}");
    assert_eq!(world.policy(), None, "nothing is written that is not noted");
    world.kubernetes.refuse_the_record(false);
    world.reconcile().await.unwrap();
    assert_eq!((world.kubernetes.record(), world.policy().is_some()), (vec![entry()], true));

    world.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    world.reconcile().await.unwrap();
    assert_eq!((world.kubernetes.record(), world.policy()), (vec![], None));
}

#[tokio::test]
async fn an_object_is_noted_once() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.kubernetes.refuse_the_record(true);
    world.kubernetes.edit(|object| {
        object["metadata"]["generation"] = json!(2);
        object["spec"]["routing"]["scopes"] = json!(["us"]);
    });
    world.reconcile().await.unwrap();
    assert!(world.is_ready() && !world.policy().unwrap().to_string().contains("global."));
}

#[tokio::test]
async fn a_withdrawal_and_a_deletion_do_not_wait_for_the_record() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.kubernetes.refuse_the_record(true);
    world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "@none").unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(world.policy(), None);
    world.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    world.reconcile().await.unwrap();
    assert_eq!(world.kubernetes.object()["metadata"]["finalizers"], json!([]));
    assert_eq!(world.kubernetes.record(), vec![entry()], "the sweep takes it out");
}

#[tokio::test]
async fn a_target_s_withdrawal_does_not_wait_for_the_record() {
    let arn = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl";
    let mut object = manifest();
    object["spec"]["models"].as_array_mut().unwrap().push(json!({"modelArn": arn}));
    let world = World::with(consenting(), object).await;
    world.sandbox.set_tagged_resource(arn, &[("bedrockaccess.io/namespaces", "team-a")]);
    world.reconcile().await.unwrap();
    let world = world.restarted(ConsentPolicy::Tag, IsConfirmed::No).await;
    world.kubernetes.refuse_the_record(true);
    world.sandbox.set_tags(arn, &[("bedrockaccess.io/namespaces", "@none")]).unwrap();
    assert!(matches!(world.reconcile().await, Err(Error::Kubernetes(_))));
    let left = world.policy().unwrap().to_string();
    assert!(!left.contains(arn) && left.contains("us.amazon.nova-2-lite-v1:0"), "{left}");
}

#[tokio::test]
async fn a_retained_policy_stays_in_the_record() {
    let mut object = manifest();
    object["spec"]["deletionPolicy"] = json!("Retain");
    let role = consenting().tag("bedrockaccess.io/namespaces", "retain:team-a");
    let world = World::with(role, object).await;
    world.reconcile().await.unwrap();
    world.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    world.reconcile().await.unwrap();
    assert!(world.policy().is_some());
    assert_eq!(world.kubernetes.record(), vec![entry()]);
}

#[tokio::test]
async fn what_was_granted_while_no_role_was_asked_goes_only_once_a_person_confirms_it() {
    let tag = "bedrockaccess.io/namespaces";
    let role = NewRole::new("assistant");
    let world = World::with(role, manifest()).await.restarted(ConsentPolicy::None, IsConfirmed::No).await;
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));

    let world = world.restarted(ConsentPolicy::Tag, IsConfirmed::No).await;
    for _ in 0..2 {
        world.reconcile().await.unwrap();
        assert_eq!(world.condition("Ready"), Some(("False".to_owned(), "ConsentMissing".to_owned())));
        assert!(world.message("Ready").contains("--confirm-consent"), "{}", world.message("Ready"));
        assert!(world.policy().is_some(), "it is told first");
    }
    // An owner's own word needs nobody's confirmation.
    world.sandbox.tag_role("assistant", tag, "team-a").unwrap();
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
    world.sandbox.tag_role("assistant", tag, "@none").unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(world.policy(), None);

    world.sandbox.untag_role("assistant", tag).unwrap();
    let world = world.restarted(ConsentPolicy::None, IsConfirmed::No).await;
    world.reconcile().await.unwrap();
    assert!(world.policy().is_some());
    let world = world.restarted(ConsentPolicy::Tag, IsConfirmed::Yes).await;
    world.reconcile().await.unwrap();
    assert_eq!(world.policy(), None, "a person confirmed it");
}

#[tokio::test]
async fn an_entry_from_when_roles_were_told_apart_by_case_is_known_and_taken_out() {
    let mut object = manifest();
    object["spec"]["role"]["name"] = json!("Assistant");
    let role = NewRole::new("Assistant").tag("bedrockaccess.io/namespaces", "team-a");
    let world = World::with(role, object).await;
    let identity = PolicyIdentity::derive("cluster", "team-a", "assistant");
    let name = "Assistant".parse().unwrap();
    let mut keys = identity.keys_on(&name);
    keys.remove(&identity.key_on(&name));
    let key = keys.pop_first().unwrap();
    let part = key.bytes().map(usize::from).sum::<usize>() % 16;
    let entry = json!({"namespace": "team-a", "name": "assistant", "role": "Assistant"});
    world.kubernetes.note(&format!("bedrock-access-record-{part}"), &key, &entry.to_string());
    world.context.orphans.record.load().await.unwrap();

    world.reconcile().await.unwrap();
    assert_eq!(world.kubernetes.record(), std::slice::from_ref(&entry), "it is noted already");
    world.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    world.reconcile().await.unwrap();
    assert_eq!(world.kubernetes.record(), Vec::<serde_json::Value>::new());
}
