use aws_sandbox::NewRole;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::types::{EntityType, Tag};

use crate::clients::{iam, served, sts};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}"#;

/// A policy with so many characters that count, and as many white ones beside.
fn policy_of(characters: usize) -> String {
    let policy = |padding: usize| {
        let model = "m".repeat(padding);
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:::foundation-model/{model}"}}}}"#
        )
    };
    policy(characters - policy(0).len()) + &" \n".repeat(characters / 2)
}

fn failure<T: std::fmt::Debug, E: ProvideErrorMetadata>(
    result: Result<T, SdkError<E>>,
) -> (u16, String, String) {
    let error = result.expect_err("the call fails");
    let status = error.raw_response().expect("an answer").status().as_u16();
    let (code, message) = (error.code(), error.message());
    (status, code.unwrap_or_default().to_owned(), message.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_caller_is_a_user_of_the_account() {
    let (_sandbox, server) = served().await;
    let caller = sts(&server).get_caller_identity().send().await.unwrap();
    assert_eq!(caller.account(), Some("111122223333"));
    assert_eq!(caller.arn(), Some("arn:aws:iam::111122223333:user/sandbox"));
}

#[tokio::test]
async fn a_role_is_answered_with_path_id_tags_and_boundary() {
    let (_sandbox, server) = served().await;
    let iam = iam(&server);
    let boundary = "arn:aws:iam::111122223333:policy/limit";
    let tag = Tag::builder().key("bedrockaccess.io/namespaces").value("prod/team-a <&>").build().unwrap();
    let create = iam.create_role().role_name("assistant").path("/apps/").assume_role_policy_document(TRUST);
    create.permissions_boundary(boundary).tags(tag.clone()).send().await.unwrap();
    let role = iam.get_role().role_name("assistant").send().await.unwrap().role.unwrap();
    assert_eq!((role.path(), role.arn()), ("/apps/", "arn:aws:iam::111122223333:role/apps/assistant"));
    assert_eq!(role.permissions_boundary().unwrap().permissions_boundary_arn(), Some(boundary));
    assert_eq!(role.tags(), [tag]);
    assert!(role.role_id().starts_with("AROA") && role.role_id().len() == 21, "{}", role.role_id());
}

#[tokio::test]
async fn a_policy_comes_back_url_encoded_with_the_same_text() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    let document = policy_of(300);
    let put = iam(&server).put_role_policy().role_name("r").policy_name("p").policy_document(&document);
    put.send().await.unwrap();
    let got = iam(&server).get_role_policy().role_name("r").policy_name("p").send().await.unwrap();
    assert!(
        got.policy_document().starts_with("%7B%22Version%22%3A%222012-10-17%22"),
        "{}",
        got.policy_document()
    );
    let decoded = percent_encoding::percent_decode_str(got.policy_document()).decode_utf8().unwrap();
    assert_eq!(decoded, document);
    assert_eq!(sandbox.role_policy("r", "p"), Some(document));
}

#[tokio::test]
async fn the_inline_quota_counts_all_policies_of_the_role_without_white_space() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    let put = |policy: &'static str, characters| {
        iam(&server)
            .put_role_policy()
            .role_name("r")
            .policy_name(policy)
            .policy_document(policy_of(characters))
            .send()
    };
    put("a", 5_240).await.unwrap();
    put("b", 5_000).await.unwrap();
    put("b", 5_000).await.expect("a policy does not count beside its own replacement");
    let (status, code, message) = failure(put("b", 5_001).await);
    assert_eq!((status, code.as_str()), (409, "LimitExceeded"));
    assert_eq!(message, "Maximum policy size of 10240 bytes exceeded for role r");
    assert_eq!(sandbox.role("r").unwrap().policy_characters(), 10_240, "a refused policy changes nothing");
}

#[tokio::test]
async fn a_role_of_aws_can_be_read_but_not_changed() {
    let (sandbox, server) = served().await;
    let iam = iam(&server);
    for (name, path) in [
        ("AWSReservedSSO_Admin_1", "/aws-reserved/sso.amazonaws.com/"),
        ("AWSServiceRoleForX", "/aws-service-role/x.amazonaws.com/"),
    ] {
        sandbox.create_role(NewRole::new(name).path(path).policy("p", "{}"));
        iam.get_role().role_name(name).send().await.unwrap();
        let put = iam
            .put_role_policy()
            .role_name(name)
            .policy_name("q")
            .policy_document(policy_of(200))
            .send()
            .await;
        let delete = iam.delete_role_policy().role_name(name).policy_name("p").send().await;
        let remove = iam.delete_role().role_name(name).send().await;
        for (status, code, message) in [failure(put), failure(delete), failure(remove)] {
            assert_eq!((status, code.as_str()), (400, "UnmodifiableEntity"));
            assert!(message.contains(&format!("protected role '{name}'")), "{message}");
        }
        assert_eq!(sandbox.role_policies(name), ["p"]);
    }
}

#[tokio::test]
async fn a_role_with_policies_is_not_deleted() {
    let (sandbox, server) = served().await;
    sandbox.create_role(NewRole::new("r").policy("p", "{}"));
    let (status, code, _) = failure(iam(&server).delete_role().role_name("r").send().await);
    assert_eq!((status, code.as_str()), (409, "DeleteConflict"));
    sandbox.delete_role_policy("r", "p");
    iam(&server).delete_role().role_name("r").send().await.unwrap();
    assert_eq!(sandbox.role("r"), None);
}

#[tokio::test]
async fn what_is_missing_taken_or_malformed_is_answered_with_its_code() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    let iam = iam(&server);
    let no_role = failure(iam.get_role().role_name("x").send().await);
    let no_policy = failure(iam.get_role_policy().role_name("r").policy_name("x").send().await);
    let taken = iam.create_role().role_name("R").assume_role_policy_document(TRUST).send().await;
    let malformed = iam.put_role_policy().role_name("r").policy_name("p").policy_document("{}").send().await;
    let name = failure(iam.get_role().role_name("a/b").send().await);
    let reserved =
        iam.create_role().role_name("s").path("/aws-reserved/x/").assume_role_policy_document(TRUST);
    let codes: Vec<_> =
        [no_role, no_policy, failure(taken), failure(malformed), name, failure(reserved.send().await)]
            .into_iter()
            .map(|(status, code, _)| (status, code))
            .collect();
    let expected = [
        (404, "NoSuchEntity"),
        (404, "NoSuchEntity"),
        (409, "EntityAlreadyExists"),
        (400, "MalformedPolicyDocument"),
        (400, "ValidationError"),
        (400, "InvalidInput"),
    ];
    assert_eq!(codes, expected.map(|(status, code)| (status, code.to_owned())));
}

#[tokio::test]
async fn lists_are_paginated_without_loss() {
    let (sandbox, server) = served().await;
    let mut role = NewRole::new("r0");
    for number in 0..7 {
        sandbox.create_role(format!("other{number}").as_str());
        role = role.policy(&format!("p{number}"), "{}").tag(&format!("t{number}"), "v");
    }
    sandbox.create_role(role);
    let iam = iam(&server);
    let policies = iam.list_role_policies().role_name("r0").max_items(3).into_paginator().items().send();
    assert_eq!(
        policies.try_collect().await.unwrap(),
        (0..7).map(|number| format!("p{number}")).collect::<Vec<_>>()
    );
    assert_eq!(
        iam.list_roles().max_items(3).into_paginator().items().send().try_collect().await.unwrap().len(),
        8
    );
    let tags = iam.list_role_tags().role_name("r0").max_items(2).into_paginator().items().send();
    assert_eq!(tags.try_collect().await.unwrap().len(), 7);
}

#[tokio::test]
async fn every_change_is_in_the_history_and_only_http_is_in_the_call_log() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    sandbox.put_role_policy("r", "theirs", "not even JSON").unwrap();
    let document = policy_of(200);
    iam(&server)
        .put_role_policy()
        .role_name("r")
        .policy_name("ours")
        .policy_document(&document)
        .send()
        .await
        .unwrap();
    sandbox.delete_role_policy("r", "ours");
    let history: Vec<_> =
        sandbox.history("r").into_iter().map(|change| (change.policy, change.document)).collect();
    let expected = [("theirs", Some("not even JSON")), ("ours", Some(document.as_str())), ("ours", None)];
    assert_eq!(history, expected.map(|(policy, document)| (policy.to_owned(), document.map(str::to_owned))));
    let calls: Vec<_> = sandbox.calls().into_iter().map(|call| (call.operation, call.target)).collect();
    assert_eq!(calls, [("PutRolePolicy".to_owned(), Some("r".to_owned()))]);
    assert_eq!(sandbox.put_role_policy("x", "p", "{}").unwrap_err().to_string(), "the sandbox has no role x");
}

#[tokio::test]
async fn tags_are_replaced_whatever_their_case_and_removed() {
    let (sandbox, server) = served().await;
    sandbox.create_role(NewRole::new("r").tag("Team", "a").tag("keep", "k"));
    let iam = iam(&server);
    let tag = Tag::builder().key("team").value("b").build().unwrap();
    iam.tag_role().role_name("r").tags(tag).send().await.unwrap();
    assert_eq!(
        sandbox.role("r").unwrap().tags.into_iter().collect::<Vec<_>>(),
        [("keep".to_owned(), "k".to_owned()), ("team".to_owned(), "b".to_owned())]
    );
    iam.untag_role().role_name("r").tag_keys("TEAM").send().await.unwrap();
    assert_eq!(sandbox.role("r").unwrap().tags.into_keys().collect::<Vec<_>>(), ["keep"]);
}

#[tokio::test]
async fn the_account_is_shown_page_by_page_with_tags_and_encoded_policies() {
    let (sandbox, server) = served().await;
    for name in ["a", "b", "c"] {
        sandbox.create_role(NewRole::new(name).tag("k", name).policy("p", &policy_of(300)));
    }
    let (mut seen, mut marker) = (Vec::new(), None);
    loop {
        let request = iam(&server).get_account_authorization_details().filter(EntityType::Role).max_items(2);
        let page = request.set_marker(marker).send().await.unwrap();
        assert_eq!(page.is_truncated(), page.marker().is_some());
        for role in page.role_detail_list() {
            assert_eq!(role.tags()[0].value(), role.role_name().unwrap());
            let document = role.role_policy_list()[0].policy_document().unwrap();
            let decoded = percent_encoding::percent_decode_str(document).decode_utf8().unwrap();
            assert_eq!(decoded, policy_of(300));
            seen.push(role.role_name().unwrap().to_owned());
        }
        marker = page.marker().map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["a", "b", "c"]);
    let summary = iam(&server).get_account_summary().send().await.unwrap().summary_map.unwrap();
    let roles = summary.into_iter().find(|(key, _)| key.as_str() == "Roles");
    assert_eq!(roles.unwrap().1, 3);
    let users =
        iam(&server).get_account_authorization_details().filter(EntityType::User).send().await.unwrap();
    assert_eq!(users.role_detail_list(), []);
    let unknown = EntityType::from("Robot");
    let refused = failure(iam(&server).get_account_authorization_details().filter(unknown).send().await);
    assert_eq!((refused.0, refused.1.as_str()), (400, "ValidationError"));
}
