//! What an object's status says: no more than is known, and nothing that is not so.

use std::time::Duration;

use aws_sandbox::{Fault, FaultKind, NewRole, Service};
use serde_json::{Value, json};

use crate::world::{World, consenting, manifest};

const TAG: &str = "bedrockaccess.io/namespaces";
const RECONCILE_AT: &str = "bedrockaccess.io/reconcile-at";

fn ask_again(world: &World, token: &str) {
    world.kubernetes.edit(|object| object["metadata"]["annotations"][RECONCILE_AT] = json!(token));
}

fn status(world: &World) -> Value {
    world.kubernetes.object()["status"].clone()
}

/// As if the condition had been so for that long.
fn age(world: &World, kind: &str, by: Duration) {
    let since = jiff::Timestamp::now() - jiff::SignedDuration::try_from(by).unwrap();
    world.kubernetes.edit(|object| {
        let conditions = object["status"]["conditions"].as_array_mut().unwrap();
        let condition = conditions.iter_mut().find(|condition| condition["type"] == kind).unwrap();
        condition["lastTransitionTime"] = json!(since.round(jiff::Unit::Second).unwrap().to_string());
    });
}

#[tokio::test]
async fn nothing_is_told_of_a_role_before_it_consents_but_the_name_in_the_manifest() {
    let role = NewRole::new("assistant").tag(TAG, "prod/payroll deny:prod/security");
    let world = World::with(role, manifest()).await;
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("RoleAccepted"), Some(("False".to_owned(), "ConsentMissing".to_owned())));
    assert_eq!(status(&world)["role"], json!({"name": "assistant"}));
    let all = world.kubernetes.object().to_string();
    for word in ["payroll", "security", "AROA", "arn:aws:iam"] {
        assert!(!all.contains(word), "{word}: {all}");
    }
    world.sandbox.tag_role("assistant", TAG, "team-a").unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(status(&world)["role"]["arn"], "arn:aws:iam::111122223333:role/assistant");
    world.sandbox.tag_role("assistant", TAG, "@none").unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(status(&world)["role"], json!({"name": "assistant"}), "nor after it no longer does");
}

#[tokio::test]
async fn an_outage_of_aws_takes_ready_from_no_object_whose_policy_was_proven_until_it_is_stale() {
    for (service, operation, condition) in [
        (Service::Bedrock, "GetInferenceProfile", "ProfilesResolved"),
        (Service::Iam, "GetRolePolicy", "PolicyInSync"),
        (Service::Iam, "GetRole", "RoleAccepted"),
    ] {
        let world = World::new().await;
        world.reconcile().await.unwrap();
        world.take_events();
        world.sandbox.fault(Fault::new(FaultKind::Internal).of(service, operation));
        ask_again(&world, "1");
        world.reconcile().await.unwrap();
        assert!(world.is_ready(), "{operation}: {}", status(&world));
        assert_eq!(world.condition(condition).unwrap().0, "Unknown", "{operation}");
        assert!(world.condition("Reconciling").is_none() && world.condition("Stalled").is_none());
        assert_eq!(world.take_events(), Vec::<String>::new(), "{operation}");

        age(&world, condition, Duration::from_hours(23));
        world.reconcile().await.unwrap();
        assert!(world.is_ready(), "{operation}");
        age(&world, condition, Duration::from_hours(25));
        for _ in 0..2 {
            world.reconcile().await.unwrap();
            let stale = Some(("Unknown".to_owned(), "Stale".to_owned()));
            assert_eq!(world.condition("Ready"), stale, "{operation}");
            assert!(world.condition("Reconciling").is_some(), "{operation}");
        }
        world.sandbox.clear_faults();
        world.reconcile().await.unwrap();
        assert!(world.is_ready(), "{operation}: {}", status(&world));
    }
}

#[tokio::test]
async fn an_outage_is_no_shelter_for_a_changed_spec_nor_for_an_object_that_was_never_ready() {
    let world = World::new().await;
    world.sandbox.fault(Fault::new(FaultKind::Internal).service(Service::Bedrock));
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("Ready").unwrap().0, "Unknown", "it was never ready");
    world.sandbox.clear_faults();
    ask_again(&world, "1");
    world.reconcile().await.unwrap();
    assert!(world.is_ready());
    world.sandbox.fault(Fault::new(FaultKind::Internal).service(Service::Bedrock));
    ask_again(&world, "2");
    world.kubernetes.edit(|object| object["metadata"]["generation"] = json!(2));
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("Ready").unwrap().0, "Unknown", "the generation was never proven");
}

#[tokio::test]
async fn a_suspended_object_that_lost_its_status_says_what_still_grants() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.kubernetes.edit(|object| {
        object["spec"]["suspend"] = json!(true);
        object["status"] = json!({"observedGeneration": -1});
    });
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("Ready").unwrap().0, "Unknown");
    assert!(world.message("Ready").contains("still grants 2"), "{}", world.message("Ready"));
    assert_eq!(status(&world)["grantCount"], 2);
}

#[tokio::test]
async fn a_suspended_object_says_no_more_than_iam_answers_and_follows_a_withdrawal() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.kubernetes.edit(|object| {
        object["spec"]["suspend"] = json!(true);
        object["status"] = json!({"observedGeneration": -1});
    });
    world.sandbox.fault(Fault::new(FaultKind::AccessDenied).of(Service::Iam, "GetRolePolicy"));
    world.reconcile().await.unwrap();
    assert!(world.message("Ready").contains("IAM could not be asked"), "{}", world.message("Ready"));
    world.sandbox.clear_faults();
    world.sandbox.tag_role("assistant", TAG, "@none").unwrap();
    world.reconcile().await.unwrap();
    assert_eq!((world.policy(), world.condition("Ready").unwrap().0), (None, "False".to_owned()));
    assert!(world.condition("Reconciling").is_some() && world.condition("Suspended").is_some());
}

#[tokio::test]
async fn a_suspended_object_whose_spec_changed_is_not_taken_for_done() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.kubernetes.edit(|object| {
        object["spec"]["suspend"] = json!(true);
        object["metadata"]["generation"] = json!(2);
    });
    world.reconcile().await.unwrap();
    assert!(world.is_ready() && world.condition("Reconciling").is_none(), "to suspend is not to change");
    world.kubernetes.edit(|object| object["metadata"]["generation"] = json!(3));
    world.reconcile().await.unwrap();
    assert!(world.is_ready() && world.condition("Reconciling").is_some());
    let ready = status(&world)["conditions"].as_array().unwrap().clone();
    let ready = ready.iter().find(|condition| condition["type"] == "Ready").unwrap().clone();
    assert_eq!((&ready["observedGeneration"], &status(&world)["observedGeneration"]), (&json!(1), &json!(3)));
    world.take_events();
    world.reconcile().await.unwrap();
    assert_eq!(world.kubernetes.take_writes(), []);
}

#[tokio::test]
async fn what_aws_said_stands_beside_the_advice_and_is_the_same_after_a_restart() {
    let world = World::new().await;
    world.sandbox.fault(Fault::new(FaultKind::AccessDenied).of(Service::Iam, "PutRolePolicy"));
    world.reconcile().await.unwrap();
    let message = world.message("PolicyInSync");
    assert!(message.contains("is not authorized to perform: iam:PutRolePolicy"), "{message}");
    assert!(message.contains("grant the operator iam:PutRolePolicy"), "{message}");
    assert!(!message.to_lowercase().contains("request"), "no request id: {message}");
}

#[tokio::test]
async fn annotations_that_say_nothing_to_the_operator_are_told() {
    for (key, value) in [
        ("bedrockaccess.io/reconcile-now", "1"),
        ("bedrockaccess.io/accept-shrink", "not a profile"),
        ("bedrockaccess.io/leave-policy", "yes"),
    ] {
        let mut object = manifest();
        object["metadata"]["annotations"][key] = json!(value);
        object["metadata"]["annotations"]["example.com/other"] = json!("1");
        let world = World::with(consenting(), object).await;
        world.reconcile().await.unwrap();
        let message = world.message("Ready");
        assert!(world.is_ready() && message.contains(&format!("ignored: annotation {key}")), "{message}");
        assert!(!message.contains("example.com"), "{message}");
        world.kubernetes.take_writes();
        world.reconcile().await.unwrap();
        assert_eq!(world.kubernetes.take_writes(), [], "{key}");
    }
}

#[tokio::test]
async fn what_another_writer_puts_into_the_status_is_neither_carried_nor_compared() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.kubernetes.edit(|object| {
        let theirs = json!({
            "type": "example.com/Checked", "status": "True", "reason": "Checked", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        object["status"]["conditions"].as_array_mut().unwrap().push(theirs);
        object["status"]["lastHandledReconcileAt"] = json!("theirs");
    });
    world.kubernetes.take_writes();
    world.take_calls();
    world.reconcile().await.unwrap();
    assert_eq!(world.kubernetes.take_writes(), []);
    let calls = world.take_calls();
    assert!(!calls.contains(&"GetInferenceProfile".to_owned()), "nobody asked for a reconcile: {calls:?}");
}

#[tokio::test]
async fn a_refused_write_is_not_sent_again_until_something_changed() {
    let filler = |size: usize| {
        let statement = json!({"Effect": "Allow", "Action": "s3:GetObject",
            "Resource": format!("arn:aws:s3:::{}", "x".repeat(size))});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let role = consenting().policy("one", &filler(4700)).policy("two", &filler(4700));
    let world = World::with(role, manifest()).await;
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("PolicyInSync"), Some(("False".to_owned(), "PolicyTooLarge".to_owned())));
    let message = world.message("Ready");
    for _ in 0..3 {
        world.take_calls();
        world.reconcile().await.unwrap();
        let mut calls = world.take_calls();
        calls.sort();
        assert_eq!(calls, ["GetRole", "GetRolePolicy", "ListRolePolicies"], "at rest");
        assert_eq!(world.message("Ready"), message);
    }
    world.sandbox.delete_role_policy("assistant", "two").unwrap();
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "the role has room now: {}", world.message("Ready"));
}

#[tokio::test]
async fn a_refused_write_is_sent_again_when_a_person_asks_or_the_spec_changes() {
    let filler = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::{}"}}]}}"#,
        "x".repeat(9400)
    );
    let world = World::with(consenting().policy("theirs", &filler), manifest()).await;
    world.reconcile().await.unwrap();
    for change in [
        |object: &mut Value| object["metadata"]["annotations"][RECONCILE_AT] = json!("1"),
        |object: &mut Value| object["spec"]["operations"] = json!(["InvokeModel"]),
    ] {
        world.kubernetes.edit(change);
        world.take_calls();
        world.reconcile().await.unwrap();
        assert!(world.take_calls().contains(&"PutRolePolicy".to_owned()));
    }
}

#[tokio::test]
async fn the_operator_s_own_role_is_refused_whatever_its_tag_says() {
    for name in ["bedrock-access", "Bedrock-Access"] {
        let mut object = manifest();
        object["spec"]["role"]["name"] = json!(name);
        let role = NewRole::new("bedrock-access").tag(TAG, "@any");
        let world = World::with(role, object).await;
        world.reconcile().await.unwrap();
        assert_eq!(
            world.condition("Ready"),
            Some(("False".to_owned(), "RoleProtected".to_owned())),
            "{name}"
        );
        assert!(world.condition("Stalled").is_some());
        assert_eq!(world.take_calls(), Vec::<String>::new(), "not even asked about");
    }
}

#[tokio::test]
async fn a_source_region_of_another_partition_is_refused_before_it_is_asked() {
    for region in ["cn-north-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1"] {
        let mut object = manifest();
        object["spec"]["sourceRegions"] = json!(["us-east-1", region]);
        let world = World::with(consenting(), object).await;
        world.reconcile().await.unwrap();
        assert_eq!(world.condition("Ready"), Some(("False".to_owned(), "NotSupported".to_owned())));
        assert!(world.message("Ready").contains(region), "{}", world.message("Ready"));
        assert!(!world.take_calls().contains(&"GetInferenceProfile".to_owned()), "{region}");
    }
}

#[tokio::test]
async fn an_edit_that_was_sealed_anew_is_drift_and_a_warning_that_says_what_differs() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let name = world.sandbox.role_policies("assistant").remove(0);
    let text = world.policy().unwrap().to_string();
    let wider = text.replace("us-west-2", "eu-west-1");
    let forged = bedrock_iam::Document::parse(&wider).unwrap();
    let digest = bedrock_iam::CanonicalPolicy::of(&forged).digest().to_string();
    let sealed = wider.replace("d443e5bcf5", &digest[..10]);
    world.sandbox.put_role_policy("assistant", &name, &sealed).unwrap();
    world.kubernetes.take_writes();
    world.reconcile().await.unwrap();
    let events: Vec<Value> = world.kubernetes.take_writes().into_iter().map(|(_, event)| event).collect();
    let repaired = events.iter().find(|event| event["reason"] == "DriftRepaired").expect("it is drift");
    assert_eq!(repaired["type"], "Warning");
    let note = repaired["note"].as_str().unwrap();
    assert!(note.contains("+arn:aws:bedrock:eu-west-1::foundation-model/"), "{note}");
    assert!(note.contains("-arn:aws:bedrock:us-west-2::foundation-model/"), "{note}");
    assert_eq!(world.policy().unwrap().to_string(), text);
}

#[tokio::test]
async fn under_report_the_condition_says_what_differs_and_waits_for_a_person() {
    let mut object = manifest();
    object["spec"]["driftPolicy"] = json!("Report");
    let world = World::with(consenting(), object).await;
    world.reconcile().await.unwrap();
    let name = world.sandbox.role_policies("assistant").remove(0);
    let edited = world.policy().unwrap().to_string().replace("bedrock:GetInferenceProfile", "bedrock:*");
    world.sandbox.put_role_policy("assistant", &name, &edited).unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("Ready"), Some(("False".to_owned(), "DriftDetected".to_owned())));
    assert!(world.condition("Stalled").is_some(), "nobody but a person will mend it");
    assert!(world.message("Ready").contains("+bedrock:*"), "{}", world.message("Ready"));
}

#[tokio::test]
async fn deleting_an_object_sends_no_write_to_a_role_that_never_consented() {
    let mut elsewhere = manifest();
    elsewhere["spec"]["role"] = json!({"arn": "arn:aws:iam::999999999999:role/assistant"});
    for (role, object) in [
        (NewRole::new("assistant"), manifest()),
        (NewRole::new("assistant").tag(TAG, "team-b"), manifest()),
        (consenting(), elsewhere),
    ] {
        let world = World::with(role, object).await;
        world.reconcile().await.unwrap();
        world
            .kubernetes
            .edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
        world.take_calls();
        world.reconcile().await.unwrap();
        let calls = world.take_calls();
        assert!(!calls.contains(&"DeleteRolePolicy".to_owned()), "{calls:?}");
        assert_eq!(world.kubernetes.object()["metadata"]["finalizers"], json!([]));
    }
}
