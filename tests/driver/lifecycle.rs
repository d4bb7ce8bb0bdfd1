use aws_sandbox::{Fault, FaultKind, NewRole, Service};
use serde_json::json;

use crate::world::{US, World, manifest};

#[tokio::test]
async fn a_new_object_costs_four_iam_calls_and_one_question_per_profile() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    assert!(world.is_ready());
    let mut calls = world.take_calls();
    calls.sort();
    assert_eq!(
        calls,
        [
            "GetInferenceProfile",
            "GetInferenceProfile",
            "GetRole",
            "GetRolePolicy",
            "GetRolePolicy",
            "PutRolePolicy"
        ]
    );
    let writes: Vec<String> = world.kubernetes.take_writes().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(writes, ["event", "status"], "beside the finalizer, which it has already");
}

#[tokio::test]
async fn the_policy_in_the_readme_is_the_one_that_is_written() {
    let readme = include_str!("../../README.md");
    let shown = readme.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let mut shown: serde_json::Value = serde_json::from_str(shown).unwrap();
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let mut written = world.policy().unwrap();
    let seal = |policy: &mut serde_json::Value| {
        let sid = policy["Statement"][0]["Sid"].take();
        sid.as_str().unwrap()["BedrockAccess".len() + 16..].to_owned()
    };
    assert_eq!(seal(&mut shown), seal(&mut written), "the hash is another cluster's, the seal is the same");
    assert_eq!(shown, written);
}

#[tokio::test]
async fn an_object_at_rest_is_read_and_never_written() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.take_calls();
    world.kubernetes.take_writes();
    // The API server keeps conditions in an order of its own.
    world.kubernetes.edit(|object| object["status"]["conditions"].as_array_mut().unwrap().reverse());
    world.reconcile().await.unwrap();
    let mut calls = world.take_calls();
    calls.sort();
    assert_eq!(calls, ["GetRole", "GetRolePolicy"]);
    assert_eq!(world.kubernetes.take_writes(), []);
}

#[tokio::test]
async fn reconcile_at_asks_bedrock_again_once() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world
        .kubernetes
        .edit(|object| object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"] = json!("now"));
    world.take_calls();
    world.reconcile().await.unwrap();
    let asked = |calls: Vec<String>| calls.iter().filter(|call| *call == "GetInferenceProfile").count();
    assert_eq!(asked(world.take_calls()), 2);
    assert_eq!(world.kubernetes.object()["status"]["lastHandledReconcileAt"], "now");
    world.reconcile().await.unwrap();
    assert_eq!(asked(world.take_calls()), 0);
}

#[tokio::test]
async fn drift_is_repaired_and_told_once() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let policy = world.policy();
    let name = world.sandbox.role_policies("assistant").remove(0);
    world.sandbox.delete_role_policy("assistant", &name).unwrap();
    world.kubernetes.take_writes();
    world.reconcile().await.unwrap();
    assert_eq!(world.policy(), policy);
    assert_eq!(world.take_events(), ["DriftRepaired"]);
    world.reconcile().await.unwrap();
    assert_eq!(world.take_events(), Vec::<String>::new());
}

#[tokio::test]
async fn a_shrunken_profile_keeps_its_grant_until_the_annotation_accepts_it() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let before = world.policy();
    world.sandbox.set_profile("us-east-1", US, Some(&["us-east-1"]));
    let annotate = |key: &str, value: &str| {
        world.kubernetes.edit(|object| object["metadata"]["annotations"][key] = json!(value));
    };
    annotate("bedrockaccess.io/reconcile-at", "1");
    world.reconcile().await.unwrap();
    assert_eq!(world.policy(), before);
    assert_eq!(world.condition("ProfilesResolved"), Some(("False".to_owned(), "ProfileShrunk".to_owned())));
    assert_eq!(world.take_events().last().map(String::as_str), Some("ProfileShrunk"), "an Event tells of it");
    assert!(
        world.message("Ready").contains(&format!("accept-shrink: {US}@us-east-1")),
        "{}",
        world.message("Ready")
    );

    // Accepted while Bedrock is out, the word goes on to hold.
    world.sandbox.fault(Fault::new(FaultKind::Internal).service(Service::Bedrock));
    annotate("bedrockaccess.io/reconcile-at", "2");
    annotate("bedrockaccess.io/accept-shrink", &format!("{US}@us-east-1"));
    world.reconcile().await.unwrap();
    assert_eq!(world.policy(), before);
    world.sandbox.clear_faults();
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
    assert_ne!(world.policy(), before);
    assert_eq!(world.kubernetes.object()["status"]["lastAcceptedShrink"], format!("{US}@us-east-1"));
}

#[tokio::test]
async fn an_edit_of_the_policy_does_not_make_a_shrunken_profile_lose_its_grant() {
    for destinations in [None, Some(&["us-east-1"][..])] {
        let world = World::new().await;
        world.reconcile().await.unwrap();
        let (written, name) = (world.policy().unwrap(), world.sandbox.role_policies("assistant").remove(0));
        let mut edited = written.clone();
        edited["Statement"][1]["Resource"] =
            json!("arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-2-lite-v1:0");
        world.sandbox.put_role_policy("assistant", &name, &edited.to_string()).unwrap();
        world.sandbox.set_profile("us-east-1", US, destinations);
        world.kubernetes.edit(|object| {
            object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"] = json!("1");
        });
        world.reconcile().await.unwrap();
        assert_eq!(world.policy().unwrap(), written, "the edit is undone, and nothing is lost");
        assert_eq!(
            world.condition("ProfilesResolved"),
            Some(("False".to_owned(), "ProfileShrunk".to_owned()))
        );
    }
}

#[tokio::test]
async fn consent_withdrawn_by_the_tag_removes_the_grant_of_a_suspended_object_too() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    world.kubernetes.edit(|object| object["spec"]["suspend"] = json!(true));
    world.reconcile().await.unwrap();
    assert!(world.is_ready() && world.condition("Suspended").is_some());
    world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "@none").unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(world.policy(), None);
    assert_eq!(world.condition("Ready"), Some(("False".to_owned(), "ConsentMissing".to_owned())));
}

#[tokio::test]
async fn an_object_suspended_from_the_start_is_not_shown_as_ready() {
    let mut object = manifest();
    object["spec"]["suspend"] = json!(true);
    let role = NewRole::new("assistant").tag("bedrockaccess.io/namespaces", "team-a");
    let world = World::with(role, object).await;
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("Ready"), Some(("Unknown".to_owned(), "Progressing".to_owned())));
    assert_eq!(world.policy(), None);
}

#[tokio::test]
async fn the_smaller_form_is_written_where_iam_has_no_room_for_the_explicit_one() {
    let world = World::with(crowded_role(8850), manifest()).await;
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
    assert!(world.policy().unwrap().to_string().contains("aws:RequestedRegion"));
    world.take_calls();
    world.reconcile().await.unwrap();
    assert!(!world.take_calls().contains(&"PutRolePolicy".to_owned()), "at rest nothing is tried again");
}

/// A consenting role on which someone else's policy takes some `size` characters.
fn crowded_role(size: usize) -> NewRole {
    let filler = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{}", "x".repeat(size - 100))}
    ]});
    let role = NewRole::new("assistant").tag("bedrockaccess.io/namespaces", "team-a");
    role.policy("theirs", &filler.to_string())
}

#[tokio::test]
async fn a_policy_that_does_not_fit_beside_others_says_so_and_changes_nothing() {
    let world = World::with(crowded_role(9600), manifest()).await;
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("PolicyInSync"), Some(("False".to_owned(), "PolicyTooLarge".to_owned())));
    assert_eq!(world.sandbox.role_policies("assistant"), ["theirs"]);
    assert!(
        world.message("PolicyInSync").contains("of 10240 that a role may have; 0 of the 2 grants fit"),
        "{}",
        world.message("PolicyInSync")
    );
    assert!(world.condition("Stalled").is_some());
}

#[tokio::test]
async fn consent_withdrawn_by_the_tag_removes_the_grant_of_a_refused_object_too() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let model = json!([{"modelArn": "arn:aws:bedrock:us-east-1:111122223333:custom-model/abc"}]);
    world.kubernetes.edit(|object| object["spec"]["models"] = model);
    world.take_calls();
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("Ready"), Some(("False".to_owned(), "InvalidSpec".to_owned())));
    let mut calls = world.take_calls();
    calls.sort();
    assert_eq!(calls, ["GetRole", "GetRolePolicy"], "nothing is asked for or written");
    assert!(world.policy().is_some(), "what cannot be worked with is left alone");
    world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "@none").unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(world.policy(), None);
    assert_eq!(world.condition("RoleAccepted"), Some(("False".to_owned(), "ConsentMissing".to_owned())));
    assert_eq!(world.kubernetes.object()["status"]["grantCount"], 0);
}

#[tokio::test]
async fn a_family_is_granted_profile_by_profile_and_follows_what_bedrock_lists() {
    let mut object = manifest();
    object["spec"]["models"] = json!([{"modelId": "amazon.nova-*", "scopes": ["us"]}]);
    let role = NewRole::new("assistant").tag("bedrockaccess.io/namespaces", "team-a");
    let world = World::with(role, object).await;
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
    let grants = || world.kubernetes.object()["status"]["grants"].as_array().unwrap().clone();
    let before = grants();
    assert!(before.len() > 3, "{before:?}");
    assert!(before.iter().all(|grant| grant["id"].as_str().unwrap().starts_with("us.amazon.nova-")));
    assert!(!world.policy().unwrap().to_string().contains('*'));

    world.sandbox.set_profile("us-east-1", "us.amazon.nova-9-v1:0", Some(&["us-east-1", "us-west-2"]));
    world.kubernetes.edit(|object| {
        object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"] = json!("1");
    });
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
    assert_eq!(grants().len(), before.len() + 1);
}

#[tokio::test]
async fn a_family_that_cannot_fit_is_refused_before_bedrock_is_asked_about_its_members() {
    let mut object = manifest();
    let families = ["amazon.*", "anthropic.*", "meta.*", "openai.*"].map(|id| json!({"modelId": id}));
    object["spec"]["models"] = json!(families);
    object["spec"]["sourceRegions"] = json!(["us-east-1", "us-east-2", "us-west-2"]);
    let role = NewRole::new("assistant").tag("bedrockaccess.io/namespaces", "team-a");
    let world = World::with(role, object).await;
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("Ready"), Some(("False".to_owned(), "PolicyTooLarge".to_owned())));
    assert!(!world.take_calls().contains(&"GetInferenceProfile".to_owned()));
}

#[tokio::test]
async fn guardrails_and_denied_scopes_become_part_of_the_one_policy() {
    let mut object = manifest();
    object["spec"]["guardrails"] =
        json!([{"arn": "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1", "version": "2"}]);
    object["spec"]["routing"]["deniedScopes"] = json!(["apac"]);
    let role = NewRole::new("assistant").tag("bedrockaccess.io/namespaces", "deny:team-a");
    let world = World::with(role, object).await;
    let guardrail = "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1";
    world.sandbox.set_tagged_resource(guardrail, &[("bedrockaccess.io/namespaces", "team-a")]);
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
    let policy = world.policy().unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let denied: Vec<_> = statements.iter().filter(|statement| statement["Effect"] == "Deny").collect();
    assert_eq!(denied.len(), 1);
    assert_eq!(denied[0]["Resource"], "arn:aws:bedrock:*:111122223333:inference-profile/apac.*");
    let is_project = |statement: &&serde_json::Value| statement["Resource"].to_string().contains(":project/");
    let guarded = |statement: &&serde_json::Value| {
        statement["Action"][0] == "bedrock:InvokeModel" && !is_project(statement)
    };
    let guarded = statements.iter().filter(guarded).filter(|statement| statement["Effect"] == "Allow");
    assert!(guarded.clone().count() > 1, "{policy}");
    for statement in guarded {
        let named = &statement["Condition"]["StringEquals"]["bedrock:GuardrailIdentifier"];
        assert_eq!(named, "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1:2");
    }
}

#[tokio::test]
async fn a_deleted_object_takes_its_policy_along_and_a_retained_one_leaves_it() {
    for (policy, tag, left, event) in [
        ("Delete", "team-a retain:team-a", false, "PolicyRemoved"),
        ("Retain", "retain:cluster/team-a", true, "PolicyRetained"),
        ("Retain", "team-a", false, "RetainNotAllowed"),
    ] {
        let role = NewRole::new("assistant").tag("bedrockaccess.io/namespaces", tag);
        let world = World::with(role, manifest()).await;
        world.reconcile().await.unwrap();
        world.take_events();
        world.kubernetes.edit(|object| {
            object["spec"]["deletionPolicy"] = json!(policy);
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        });
        world.reconcile().await.unwrap();
        assert_eq!(world.policy().is_some(), left, "{policy}");
        assert!(world.take_events().contains(&event.to_owned()), "{policy} with {tag}");
        assert_eq!(world.kubernetes.object()["metadata"]["finalizers"], json!([]), "{policy}");
    }
}
