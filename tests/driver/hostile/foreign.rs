//! Policies of others that look like ours, under our name and beside it.

use bedrock_iam::{CanonicalPolicy, Document, PolicyIdentity, PolicyState};
use serde_json::json;

use super::stage::policy_name;
use crate::world::{World, manifest};

fn marker() -> String {
    PolicyIdentity::derive("cluster", "team-a", "assistant").marker()
}

fn statement(sid: &str) -> String {
    format!(r#"{{"Sid":"{sid}","Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*"}}"#)
}

fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

/// None of them is ours, whatever they say.
fn policies_of_others() -> Vec<String> {
    let marker = marker();
    let (first, theirs) = (statement(&marker), statement("Theirs"));
    let blank = " ".repeat(10_000);
    let other = statement(&PolicyIdentity::derive("cluster", "team-b", "assistant").marker());
    let without_sid = r#"{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*"}"#;
    vec![
        // Nearly our marker.
        document(&theirs),
        document(without_sid),
        document(&other),
        document(&statement("BedrockAccess")),
        document(&statement("BedrockAccess1")),
        document(&statement(&marker[..marker.len() - 1])),
        document(&statement(&format!("{marker}x"))),
        document(&statement(&format!("{marker}012345678"))),
        document(&statement(&format!("{marker}0123456789a"))),
        document(&statement(&format!("{marker}ABCDEF0123"))),
        document(&statement(&marker.to_uppercase())),
        document(&statement(&format!(" {marker}"))),
        document(r#"{"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:s3:::x"}"#),
        // No identity policy, or not one that can be read without overlooking something.
        String::new(),
        blank.clone(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        document(""),
        format!(r#"["2012-10-17",null,[{first}]]"#),
        document(&first).replace('}', ""),
        format!("{}{}", document(&first), document(&theirs)),
        format!("\u{feff}{}", document(&first)),
        document(&first).replacen(r#""Statement""#, r#""statement""#, 1),
        document(&first).replacen(r#""Statement""#, r#""Statement":[],"Statement""#, 1),
        document(&first).replacen(r#""Effect":"Allow""#, r#""Effect":"Deny","Effect":"Allow""#, 1),
        document(&first).replacen(r#""Effect":"Allow""#, r#""Effect":"allow""#, 1),
        document(&first).replacen(r#""Effect""#, r#""Principal":"*","Effect""#, 1),
        document(&first).replacen(
            r#""Resource":"*""#,
            r#""Resource":"*","Condition":{"StringEquals":{"k":"1","k":"2"}}"#,
            1,
        ),
        document(&first).replacen(r#""Resource":"*""#, r#""Resource":{"Fn::Sub":"*"}"#, 1),
        format!(r#"{{"Version":"2012-10-17","Statement":{}"#, "[".repeat(10_000)),
        // Ten thousand blanks in a policy that is not ours anyway.
        document(&format!("{blank}{theirs}{blank}")),
        "%7B%22Version%22".to_owned(),
        "%ff%fe".to_owned(),
    ]
}

#[tokio::test]
async fn a_policy_of_our_name_that_is_not_ours_is_never_changed_or_removed() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let policies = policies_of_others();
    for theirs in &policies {
        let what = format!("{theirs:.300}");
        world.sandbox.put_role_policy("assistant", &policy_name(), theirs).unwrap();
        for spec in [json!("Enforce"), json!("Report")] {
            world.kubernetes.edit(|object| {
                *object = manifest();
                object["spec"]["driftPolicy"] = spec;
            });
            world.refuses("PolicyNameTaken", &policy_name(), &what).await;
            assert!(world.condition("Stalled").is_some());
            assert_eq!(world.kubernetes.object()["status"]["grantCount"], 0, "{what}");
        }
        // Consent that is withdrawn takes away ours alone.
        world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "@none").unwrap();
        world.rests(&what).await;
        world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "team-a").unwrap();
        for deletion in ["Delete", "Retain"] {
            world.kubernetes.edit(|object| {
                *object = manifest();
                object["spec"]["deletionPolicy"] = json!(deletion);
                object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            });
            world.reconcile().await.unwrap();
            assert_eq!(world.kubernetes.object()["metadata"]["finalizers"], json!([]), "{what}");
        }
        assert_eq!(world.text().as_ref(), Some(theirs));
    }
    println!("{} policies of others under our name", policies.len());
}

/// Statements that someone may put beside ours; each is theirs, whatever it says.
fn statements_of_others() -> Vec<String> {
    let other = PolicyIdentity::derive("cluster", "team-b", "assistant").marker();
    let named =
        ["Theirs", "", "bedrockaccess1", "BedrockAccess", "BedrockAccess01", "BedrockAccess1x", &other];
    let mut statements: Vec<String> = named.into_iter().map(statement).collect();
    statements.extend(
        [
            r#"{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*"}"#,
            r#"{"Sid":"Theirs","Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#,
            r#"{"Sid":"Theirs","Effect":"Deny","Action":"bedrock:InvokeModel","NotResource":"arn:aws:bedrock:*"}"#,
            r#"{"Sid":"Theirs","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}","Condition":{"NumericLessThan":{"s3:max-keys":10.5},"Bool":{"aws:SecureTransport":true}}}"#,
        ]
        .map(str::to_owned),
    );
    statements
}

/// What the statements that are not ours mean, and in which version.
fn theirs_in(text: &str) -> (String, CanonicalPolicy) {
    let mut document = Document::parse(text).unwrap();
    let identity = PolicyIdentity::derive("cluster", "team-a", "assistant");
    if let PolicyState::Shared { foreign, .. } = PolicyState::of(text, &identity) {
        document = foreign.alone();
    }
    (document.version.clone(), CanonicalPolicy::of(&document))
}

#[tokio::test]
async fn a_statement_beside_ours_is_kept_and_keeps_nothing_of_ours_on_the_role() {
    let world = World::new().await;
    for theirs in statements_of_others() {
        world.kubernetes.edit(|object| *object = manifest());
        world.reconcile().await.unwrap();
        let ours = world.text().unwrap();
        let alone = document(&theirs);
        let expected = theirs_in(&alone);
        let beside = ours.replacen(r#""Statement":["#, &format!(r#""Statement":[{theirs},"#), 1);
        let put = |text: &str| world.sandbox.put_role_policy("assistant", &policy_name(), text).unwrap();

        put(&beside);
        world.refuses("ForeignStatements", &policy_name(), &theirs).await;
        assert_eq!(world.text().as_ref(), Some(&beside), "ours are exact, so nothing is written");
        let found = world.kubernetes.object()["status"]["grantCount"].clone();
        assert_eq!(found, 2, "what grants is counted: {theirs}");

        put(&beside.replacen("us-west-2", "us-west-1", 1));
        world.reconcile().await.unwrap();
        assert_eq!(theirs_in(&world.text().unwrap()), expected, "repaired: {theirs}");
        assert!(world.text().unwrap().contains("us-west-2"), "ours are put right: {theirs}");

        // Each way in which ours have to go.
        for way in ["withdrawn", "deleted", "suspended"] {
            world.kubernetes.edit(|object| *object = manifest());
            put(&beside);
            world.reconcile().await.unwrap();
            if way != "deleted" {
                world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "@none").unwrap();
            }
            world.kubernetes.edit(|object| match way {
                "deleted" => object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"),
                _ => object["spec"]["suspend"] = json!(way == "suspended"),
            });
            world.reconcile().await.unwrap();
            let left = world.text().unwrap();
            assert_eq!(theirs_in(&left), expected, "{way}: {theirs}");
            assert!(!left.contains(&marker()) && !left.contains("inference-profile"), "{way}: {left}");
            world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "team-a").unwrap();
        }
        world.sandbox.delete_role_policy("assistant", &policy_name()).unwrap();
    }
}

#[tokio::test]
async fn policies_of_others_beside_ours_stay_through_the_whole_life_of_an_object() {
    let world = World::new().await;
    let ours = policy_name();
    world.reconcile().await.unwrap();
    let text = document(&statement(&marker()));
    let names = [
        "bedrock-access".to_owned(),
        "bedrock-access.team-a.assistant".to_owned(),
        format!("{ours}."),
        format!("{ours}2"),
        ours.to_uppercase(),
        ours.replacen("assistant", "assistent", 1),
        PolicyIdentity::derive("cluster", "team-b", "assistant").policy_name().to_owned(),
        PolicyIdentity::derive("other", "team-a", "assistant").policy_name().to_owned(),
    ];
    for name in &names {
        world.sandbox.put_role_policy("assistant", name, &text).unwrap();
    }
    let before = world.text();
    world.kubernetes.edit(|object| object["spec"]["routing"]["scopes"] = json!(["us"]));
    world.reconcile().await.unwrap();
    assert_ne!(world.text(), before, "ours was changed");
    world.sandbox.delete_role_policy("assistant", &ours).unwrap();
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "ours was restored");
    world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "@none").unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(world.text(), None, "ours was removed");
    world.sandbox.tag_role("assistant", "bedrockaccess.io/namespaces", "team-a").unwrap();
    world.reconcile().await.unwrap();
    world.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    world.reconcile().await.unwrap();
    assert_eq!(world.text(), None, "ours was deleted");
    for name in &names {
        assert_eq!(world.sandbox.role_policy("assistant", name).as_ref(), Some(&text), "{name}");
    }
    assert_eq!(world.sandbox.role_policies("assistant").len(), names.len());
}

#[tokio::test]
async fn our_policy_with_white_space_is_still_ours_and_not_rewritten() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let padded = world.text().unwrap().replace(',', &format!(",{}", " \n\t".repeat(300)));
    assert!(padded.len() > 10_000);
    world.sandbox.put_role_policy("assistant", &policy_name(), &padded).unwrap();
    world.rests("white space").await;
    assert!(world.is_ready(), "{}", world.message("Ready"));
    assert_eq!(world.text(), Some(padded));
}
