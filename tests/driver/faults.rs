use aws_sandbox::{Fault, FaultKind, Service};
use bedrock_access::reconcile::Error;
use futures::future::join_all;
use serde_json::json;

use crate::world::{World, consenting, manifest};

/// Every call of a first reconcile, with the condition that stands for it.
const CALLS: [(Service, &str, &str); 4] = [
    (Service::Iam, "GetRole", "RoleAccepted"),
    (Service::Iam, "GetRolePolicy", "PolicyInSync"),
    (Service::Iam, "PutRolePolicy", "PolicyInSync"),
    (Service::Bedrock, "GetInferenceProfile", "ProfilesResolved"),
];

async fn told_and_healed(service: Service, operation: &str, condition: &str, kind: FaultKind) {
    let what = format!("{operation} {kind:?}");
    // One profile: a Region that does not answer several calls in a row is left in peace for a while.
    let mut object = manifest();
    object["spec"]["routing"]["scopes"] = json!(["us"]);
    let world = World::with(consenting(), object).await;
    world.sandbox.fault(Fault::new(kind).of(service, operation));
    world.reconcile().await.unwrap();

    let prefix = if service == Service::Iam { "Iam" } else { "Bedrock" };
    let suffix = if kind == FaultKind::AccessDenied { "Denied" } else { "Unavailable" };
    let expected = Some(("Unknown".to_owned(), format!("{prefix}{suffix}")));
    assert_eq!(world.condition(condition), expected, "{what}");
    assert_eq!(world.condition("Ready"), expected, "{what}");
    assert!(world.condition("Reconciling").is_some() && world.condition("Stalled").is_none(), "{what}");

    world.kubernetes.take_writes();
    world.reconcile().await.unwrap();
    // A write whose reply was lost has landed, which the next observation finds out by itself.
    if !world.is_ready() {
        assert_eq!(world.kubernetes.take_writes(), [], "{what}: a message that changes never comes to rest");
    }
    let lands = [FaultKind::LostReply, FaultKind::TruncatedBody].contains(&kind);
    assert_eq!(world.is_ready(), operation == "PutRolePolicy" && lands, "{what}");

    world.sandbox.clear_faults();
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{what}: {}", world.message("Ready"));
    assert_eq!(world.policy().unwrap()["Statement"].as_array().unwrap().len(), 3, "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_every_call_is_told_comes_to_rest_and_heals() {
    let kinds = [
        FaultKind::Throttle,
        FaultKind::Internal,
        FaultKind::AccessDenied,
        FaultKind::Unavailable,
        FaultKind::Reset,
        FaultKind::LostReply,
        FaultKind::TruncatedBody,
        FaultKind::MalformedBody,
    ];
    // PutRolePolicy answers nothing that could be malformed.
    let cases = CALLS.into_iter().flat_map(|call| kinds.map(|kind| (call, kind)));
    let cases = cases.filter(|((_, operation, _), kind)| {
        (*operation, *kind) != ("PutRolePolicy", FaultKind::MalformedBody)
    });
    join_all(
        cases.map(|((service, operation, condition), kind)| {
            told_and_healed(service, operation, condition, kind)
        }),
    )
    .await;
}

#[tokio::test]
async fn a_call_that_hangs_ends_at_its_time_limit() {
    let world = World::new().await;
    world.sandbox.fault(Fault::new(FaultKind::Hang).of(Service::Iam, "GetRole"));
    let limit = std::time::Duration::from_secs(20);
    tokio::time::timeout(limit, world.reconcile()).await.expect("the reconcile hangs").unwrap();
    assert_eq!(world.condition("Ready"), Some(("Unknown".to_owned(), "IamUnavailable".to_owned())));
    assert!(world.message("Ready").contains("AWS does not answer"), "{}", world.message("Ready"));
}

#[tokio::test]
async fn a_hundred_questions_to_a_bedrock_that_hangs_end_in_time_and_the_spec_is_followed() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.sandbox.fault(Fault::new(FaultKind::Hang).service(Service::Bedrock));
    world.kubernetes.edit(|object| {
        let model = |n: usize| json!({"modelId": format!("acme.model-{n}-v1:0"), "scopes": ["in-region"]});
        let mut models: Vec<_> = (0..90).map(model).collect();
        models.push(json!({"modelId": "amazon.nova-2-lite-v1:0"}));
        object["spec"]["models"] = json!(models);
        object["spec"]["operations"] = json!(["InvokeModel"]);
        object["metadata"]["generation"] = json!(2);
    });
    let limit = std::time::Duration::from_mins(1);
    tokio::time::timeout(limit, world.reconcile()).await.expect("the reconcile hangs").unwrap();
    assert_eq!(world.condition("Ready"), Some(("Unknown".to_owned(), "BedrockUnavailable".to_owned())));
    let policy = world.policy().unwrap().to_string();
    assert!(policy.contains("global.amazon.nova-2-lite") && !policy.contains("Stream"), "{policy}");
}

#[tokio::test]
async fn a_profile_that_cannot_be_asked_for_keeps_its_grant() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let before = world.policy();
    world.sandbox.fault(Fault::new(FaultKind::Internal).service(Service::Bedrock));
    world.kubernetes.edit(|object| {
        object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"] = json!("1");
    });
    world.reconcile().await.unwrap();
    assert_eq!(world.policy(), before);
    let unknown = Some(("Unknown".to_owned(), "BedrockUnavailable".to_owned()));
    assert_eq!(world.condition("ProfilesResolved"), unknown);
    assert!(world.is_ready() && world.condition("Reconciling").is_none(), "its policy was proven");
}

#[tokio::test]
async fn an_object_that_waits_for_its_policy_to_go_can_be_let_go_by_an_annotation() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    world.sandbox.fault(Fault::new(FaultKind::Reset).service(Service::Iam));
    assert!(matches!(world.reconcile().await, Err(Error::DeletionWaits(_))));
    assert!(
        world.message("Ready").contains("annotate bedrockaccess.io/leave-policy"),
        "{}",
        world.message("Ready")
    );
    assert_ne!(world.kubernetes.object()["metadata"]["finalizers"], json!([]));

    world.take_events();
    world.kubernetes.edit(|object| {
        object["metadata"]["annotations"]["bedrockaccess.io/leave-policy"] = json!("true");
    });
    world.reconcile().await.unwrap();
    assert_eq!(world.kubernetes.object()["metadata"]["finalizers"], json!([]));
    assert_eq!(world.take_events(), ["PolicyLeft"]);
    assert!(world.policy().is_some());
}

#[tokio::test]
async fn a_region_that_hangs_is_soon_spared_and_objects_of_another_are_served_at_once() {
    let world = World::new().await;
    world.sandbox.fault(Fault::new(FaultKind::Hang).service(Service::Bedrock).region("us-east-1"));
    world.reconcile().await.unwrap();
    poke(&world, "1");
    world.reconcile().await.unwrap();
    world.take_calls();
    for token in ["2", "3", "4"] {
        poke(&world, token);
        world.reconcile().await.unwrap();
    }
    assert_eq!(world.condition("Ready"), Some(("Unknown".to_owned(), "BedrockUnavailable".to_owned())));
    assert!(!world.take_calls().contains(&"GetInferenceProfile".to_owned()), "a Region at rest is not asked");
    world.kubernetes.edit(|object| object["spec"]["sourceRegions"] = json!(["us-west-2"]));
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
}

fn poke(world: &World, token: &str) {
    world.kubernetes.edit(|object| {
        object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"] = json!(token);
    });
}

#[tokio::test]
async fn drift_during_an_outage_of_bedrock_is_still_drift_afterwards() {
    for policy in ["Enforce", "Report"] {
        let world = World::new().await;
        world.kubernetes.edit(|object| object["spec"]["driftPolicy"] = json!(policy));
        world.reconcile().await.unwrap();
        let (written, name) = (world.policy(), world.sandbox.role_policies("assistant").remove(0));
        if policy == "Enforce" {
            let edited = written.as_ref().unwrap().to_string().replace(
                "\"arn:aws:bedrock:us-east-2::",
                "\"arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-2-lite-v1:0\",\"arn:aws:bedrock:us-east-2::",
            );
            world.sandbox.put_role_policy("assistant", &name, &edited).unwrap();
        } else {
            world.sandbox.delete_role_policy("assistant", &name).unwrap();
        }
        world.sandbox.fault(Fault::new(FaultKind::Internal).service(Service::Bedrock));
        poke(&world, "1");
        world.reconcile().await.unwrap();
        world.sandbox.clear_faults();
        world.reconcile().await.unwrap();
        if policy == "Enforce" {
            assert_eq!(world.policy(), written);
            assert!(world.is_ready(), "{}", world.message("Ready"));
        } else {
            assert_eq!(world.policy(), None);
            assert_eq!(world.condition("Ready"), Some(("False".to_owned(), "DriftDetected".to_owned())));
        }
    }
}

#[tokio::test]
async fn a_retained_policy_goes_nevertheless_where_consent_was_withdrawn() {
    let world = World::new().await;
    world.kubernetes.edit(|object| object["spec"]["deletionPolicy"] = json!("Retain"));
    world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "retain:team-a").unwrap();
    world.reconcile().await.unwrap();
    world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "@none").unwrap();
    delete(&world);
    world.reconcile().await.unwrap();
    assert_eq!((world.policy(), &world.kubernetes.object()["metadata"]["finalizers"]), (None, &json!([])));
}

#[tokio::test]
async fn a_policy_that_lost_our_mark_is_left_at_deletion_but_not_in_silence() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let name = world.sandbox.role_policies("assistant").remove(0);
    let edited = world.policy().unwrap().to_string().replace(r#""Sid":"BedrockAccess"#, r#""Sid":"Mine"#);
    world.sandbox.put_role_policy("assistant", &name, &edited).unwrap();
    delete(&world);
    world.kubernetes.take_writes();
    world.reconcile().await.unwrap();
    assert!(world.policy().is_some());
    assert_eq!(world.take_events(), ["PolicyLeft"]);
}

fn delete(world: &World) {
    world.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
}

#[tokio::test]
async fn deletion_waits_while_iam_is_out_and_says_why() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    delete(&world);
    world.sandbox.fault(Fault::new(FaultKind::Internal).of(Service::Iam, "DeleteRolePolicy"));
    let error = world.reconcile().await.unwrap_err();
    assert!(matches!(error, Error::DeletionWaits(_)), "{error}");
    assert!(world.message("Ready").starts_with("deletion waits until the policy is removed"));
    assert_ne!(world.kubernetes.object()["metadata"]["finalizers"], json!([]));

    world.sandbox.clear_faults();
    world.reconcile().await.unwrap();
    assert_eq!((world.policy(), &world.kubernetes.object()["metadata"]["finalizers"]), (None, &json!([])));
}

#[tokio::test]
async fn a_role_without_its_tag_does_not_block_deletion() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.sandbox.untag_role("assistant", "bedrockaccess.io/namespaces").unwrap();
    world.sandbox.fault(Fault::new(FaultKind::AccessDenied).of(Service::Iam, "DeleteRolePolicy"));
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("Ready"), Some(("False".to_owned(), "ConsentMissing".to_owned())));
    assert!(world.message("Ready").contains("aws iam delete-role-policy"), "{}", world.message("Ready"));

    delete(&world);
    world.kubernetes.take_writes();
    world.reconcile().await.unwrap();
    assert_eq!(world.take_events(), ["PolicyLeft"]);
    assert_eq!(world.kubernetes.object()["metadata"]["finalizers"], json!([]));
}
