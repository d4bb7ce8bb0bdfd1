//! Which policies of a role nobody looks after, and what may become of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test")]

use std::collections::BTreeMap;

use bedrock_iam::Role;
use bedrock_iam::consent::{ConsentPolicy, Tenant};
use bedrock_iam::orphan::{Installation, ObjectName, Orphan, Standing, orphans, withdrawn};
use bedrock_iam::scan::ScannedRole;
use bedrock_iam::{Answers, Claim, CurrentGrants, Document, Fault, PolicyIdentity, Tags};
use testing::world::{account, claim};

const TAG: &str = "bedrockaccess.io/namespaces";

fn object(name: &str) -> ObjectName {
    ObjectName { namespace: "team-a".to_owned(), name: name.to_owned() }
}

fn identity(cluster: &str, name: &str) -> PolicyIdentity {
    PolicyIdentity::derive(cluster, "team-a", name)
}

/// A document with the identity's mark that grants one profile.
fn document(identity: &PolicyIdentity) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"{}","Effect":"Allow","Action":["bedrock:InvokeModel"],
        "Resource":["arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-2-lite-v1:0"]}}]}}"#,
        identity.marker()
    )
}

fn role(tag: Option<&str>, policies: &[&PolicyIdentity]) -> ScannedRole {
    let tags = tag.map(|value| (TAG.to_owned(), value.to_owned()));
    let policies = policies.iter().map(|of| (of.policy_name().to_owned(), document(of)));
    ScannedRole {
        role: Role {
            arn: "arn:aws:iam::111122223333:role/assistant".parse().unwrap(),
            id: "AROAEXAMPLE".to_owned(),
            tags: tags.into_iter().collect::<BTreeMap<_, _>>(),
        },
        policies: policies.collect(),
    }
}

fn installation(objects: &[(&str, Option<&str>)]) -> Installation {
    let objects = objects.iter().map(|(name, role)| (object(name), role.map(|role| role.parse().unwrap())));
    Installation::new("cluster", &account(), ConsentPolicy::Tag, objects)
}

fn standings(found: &[Orphan]) -> Vec<Standing> {
    found.iter().map(|orphan| orphan.standing).collect()
}

#[test]
fn a_policy_whose_object_is_there_is_no_orphan() {
    let scanned = role(Some("team-a"), &[&identity("cluster", "assistant")]);
    for named in [Some("assistant"), Some("Assistant"), None] {
        assert_eq!(orphans(&[installation(&[("assistant", named)])], &scanned), [], "{named:?}");
    }
    let found = orphans(&[installation(&[("assistant", Some("another"))])], &scanned);
    assert_eq!(
        standings(&found),
        [Standing::Consented],
        "an object that names another role looks after that one"
    );
}

#[test]
fn what_becomes_of_an_orphan_is_the_role_owner_s_word() {
    for (tag, expected) in [
        (Some("team-a"), Standing::Consented),
        (Some("cluster/team-a"), Standing::Consented),
        (Some("@any"), Standing::Consented),
        (Some("deny:team-a"), Standing::Consented),
        (Some("team-b"), Standing::Withdrawn),
        (Some("another/team-a"), Standing::Withdrawn),
        (Some("@none team-a"), Standing::Withdrawn),
        (Some("@none retain:team-a"), Standing::Withdrawn),
        (Some("retain:team-a"), Standing::Retained),
        (Some("team-a retain:cluster/team-a"), Standing::Retained),
        (Some("team-a retain:team-b"), Standing::Consented),
        (None, Standing::Withdrawn),
    ] {
        let found = orphans(&[installation(&[])], &role(tag, &[&identity("cluster", "assistant")]));
        assert_eq!(standings(&found), [expected], "{tag:?}");
        assert_eq!((found[0].grants, &found[0].object), (1, &object("assistant")));
        assert_eq!(found[0].claim.identity, identity("cluster", "assistant"));
    }
}

#[test]
fn where_nobody_is_asked_for_consent_a_person_decides() {
    let lenient = Installation::new("cluster", &account(), ConsentPolicy::None, []);
    let found = orphans(&[lenient], &role(None, &[&identity("cluster", "assistant")]));
    assert_eq!(standings(&found), [Standing::Consented]);
}

#[test]
fn a_policy_of_another_installation_is_left_alone() {
    let scanned = role(Some("@none"), &[&identity("another", "assistant")]);
    let found = orphans(&[installation(&[("assistant", Some("assistant"))])], &scanned);
    assert_eq!(standings(&found), [Standing::Elsewhere]);
    assert!(!found[0].standing.is_orphaned());
}

#[test]
fn a_name_that_is_cut_says_who_wrote_it_only_while_the_object_is_there() {
    let long = "x".repeat(200);
    let scanned = role(Some("@none"), &[&identity("cluster", &long)]);
    assert_eq!(orphans(&[installation(&[(&long, Some("assistant"))])], &scanned), []);
    assert_eq!(standings(&orphans(&[installation(&[])], &scanned)), [Standing::Unknown]);
    let claim = installation(&[]).claim(&object(&long), &"assistant".parse().unwrap());
    assert_eq!(claim.identity, identity("cluster", &long));
}

#[test]
fn what_does_not_carry_our_mark_is_nobody_s_orphan() {
    let ours = identity("cluster", "assistant");
    let mut scanned = role(Some("@none"), &[&ours]);
    for text in ["", "{}", "not json", &document(&identity("cluster", "other"))] {
        scanned.policies = vec![(ours.policy_name().to_owned(), text.to_owned())];
        assert_eq!(orphans(&[installation(&[])], &scanned), [], "{text}");
    }
    for name in
        ["theirs", "bedrock-access", "bedrock-access.team-a.assistant", "bedrock-access.aaaaaaaaaaaaaaaa"]
    {
        scanned.policies = vec![(name.to_owned(), document(&ours))];
        assert_eq!(orphans(&[installation(&[])], &scanned), [], "{name}");
    }
}

#[test]
fn a_percent_encoded_document_with_someone_else_s_statement_is_still_ours() {
    let ours = identity("cluster", "assistant");
    let text = document(&ours).replace(
        "\"Statement\":[",
        "\"Statement\":[{\"Sid\":\"Theirs\",\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"},",
    );
    let encoded =
        percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let mut scanned = role(None, &[]);
    scanned.policies = vec![(ours.policy_name().to_owned(), encoded)];
    assert_eq!(standings(&orphans(&[installation(&[])], &scanned)), [Standing::Withdrawn]);
}

/// Those of the cluster id before, which no object looks after any more.
fn former() -> Installation {
    Installation::new("former", &account(), ConsentPolicy::Tag, []).succeeded_by("cluster")
}

#[test]
fn a_policy_of_a_former_cluster_id_goes_only_where_neither_that_one_nor_the_one_of_now_is_consented_to() {
    let scanned = |tag| role(Some(tag), &[&identity("former", "assistant")]);
    for (tag, expected) in [
        ("former/team-a", Standing::Consented),
        ("cluster/team-a", Standing::Consented),
        ("retain:former/team-a", Standing::Retained),
        ("team-a retain:cluster/team-a", Standing::Retained),
        ("another/team-a", Standing::Withdrawn),
        ("@none former/team-a", Standing::Withdrawn),
    ] {
        let found = orphans(&[former()], &scanned(tag));
        assert_eq!(standings(&found), [expected], "{tag}");
        assert_eq!(found[0].claim.tenant.cluster_id, "former");
    }
}

#[test]
fn an_object_of_the_cluster_id_of_now_looks_after_its_own_policy_and_not_after_the_former_one() {
    let scanned =
        role(Some("team-a"), &[&identity("cluster", "assistant"), &identity("former", "assistant")]);
    let now = installation(&[("assistant", Some("assistant"))]);
    let found = orphans(&[now.clone(), former()], &scanned);
    let [orphan] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (&orphan.claim.identity, orphan.standing),
        (&identity("former", "assistant"), Standing::Consented)
    );
    let elsewhere = role(Some("@none"), &[&identity("another", "assistant")]);
    assert_eq!(
        standings(&orphans(&[now, former()], &elsewhere)),
        [Standing::Elsewhere],
        "and is listed once"
    );
}

const PROVISIONED: &str = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl";

/// What the owner of a provisioned model withdraws by a tag.
fn withdrawn_by(tags: Result<&str, Fault>) -> Vec<String> {
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"{PROVISIONED}"}}]}}"#
    );
    let held = CurrentGrants::of(&Document::parse(&document).unwrap());
    let tags = tags.map(|value| Tags::from([(TAG.to_owned(), value.to_owned())]));
    let answers =
        Answers { tags: held.targets().map(|target| (target, tags.clone())).collect(), ..Answers::default() };
    let tenant =
        Tenant { cluster_id: "former".into(), namespace: "team-a".into(), policy: ConsentPolicy::Tag };
    let claim = Claim { tenant, ..claim() };
    withdrawn(&claim, "cluster", &answers, &held).targets.into_iter().collect()
}

#[test]
fn what_a_target_s_owner_withdrew_under_both_cluster_ids_goes_and_who_does_not_answer_withdrew_nothing() {
    for (tag, expected) in [
        ("team-b", vec![PROVISIONED]),
        ("@none", vec![PROVISIONED]),
        ("former/team-a", vec![]),
        ("cluster/team-a", vec![]),
    ] {
        assert_eq!(withdrawn_by(Ok(tag)), expected, "{tag}");
    }
    let fault = Fault { class: bedrock_iam::Class::Unavailable, message: "no answer".to_owned() };
    assert_eq!(withdrawn_by(Err(fault)), Vec::<String>::new());
}
