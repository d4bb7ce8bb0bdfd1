//! IAM's reads behind its writes.

use std::time::Duration;

use aws_sandbox::{NewRole, Reads, Sandbox, Server, router};
use aws_sdk_iam::Client;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt;

use crate::clients::{iam, served};

const LAG: Duration = Duration::from_mins(1);
const OLD: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Old","Resource":"*"}]}"#;
const NEW: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:New","Resource":"*"}]}"#;

/// A role `r` with the policy `old`, whose reads lag from now on.
async fn lagging(reads: Reads) -> (Sandbox, Server) {
    let (sandbox, server) = served().await;
    sandbox.create_role(NewRole::new("r").policy("old", OLD).tag("k", "a"));
    sandbox.set_reads(reads);
    (sandbox, server)
}

async fn put(client: &Client, policy: &str, document: &str) {
    let put = client.put_role_policy().role_name("r").policy_name(policy).policy_document(document);
    put.send().await.unwrap();
}

/// The text that a read sees, `None` when it does not see the role or the policy.
async fn seen(client: &Client, policy: &str) -> Option<String> {
    match client.get_role_policy().role_name("r").policy_name(policy).send().await {
        Ok(answer) => {
            let text = percent_encoding::percent_decode_str(answer.policy_document());
            Some(text.decode_utf8().unwrap().into_owned())
        }
        Err(error) => {
            assert!(error.into_service_error().is_no_such_entity_exception());
            None
        }
    }
}

async fn listed(client: &Client) -> Vec<String> {
    client.list_role_policies().role_name("r").send().await.unwrap().policy_names
}

#[tokio::test]
async fn a_write_is_seen_when_the_lag_is_over_and_not_before() {
    let (sandbox, server) = lagging(Reads::Lagging(LAG)).await;
    let client = iam(&server);
    assert_eq!(seen(&client, "old").await.as_deref(), Some(OLD), "what was before the setting is seen");
    put(&client, "old", NEW).await;
    put(&client, "new", NEW).await;
    sandbox.advance(LAG / 2);
    client.delete_role_policy().role_name("r").policy_name("old").send().await.unwrap();

    assert_eq!((seen(&client, "old").await.as_deref(), seen(&client, "new").await), (Some(OLD), None));
    assert_eq!(listed(&client).await, ["old"]);
    assert_eq!(sandbox.role_policies("r"), ["new"], "the sandbox itself shows what is true");
    sandbox.advance(LAG / 2);
    assert_eq!(
        (seen(&client, "old").await.as_deref(), seen(&client, "new").await.as_deref()),
        (Some(NEW), Some(NEW))
    );
    assert_eq!(listed(&client).await, ["new", "old"]);
    sandbox.advance(LAG / 2);
    assert_eq!((seen(&client, "old").await, seen(&client, "new").await.as_deref()), (None, Some(NEW)));
    assert_eq!(listed(&client).await, ["new"]);
}

#[tokio::test]
async fn tags_and_whole_roles_lag_too() {
    let (sandbox, server) = lagging(Reads::Lagging(LAG)).await;
    let client = iam(&server);
    let tag = async || {
        let role = client.get_role().role_name("r").send().await.ok()?.role?;
        let tags = client.list_role_tags().role_name("r").send().await.unwrap().tags;
        assert_eq!(role.tags(), tags);
        Some(tags.first()?.value().to_owned())
    };
    let roles = async || {
        let roles = client.list_roles().send().await.unwrap().roles;
        roles.into_iter().map(|role| role.role_name).collect::<Vec<_>>()
    };
    sandbox.tag_role("r", "k", "b").unwrap();
    sandbox.create_role("s");
    assert_eq!(tag().await.as_deref(), Some("a"));
    assert_eq!(roles().await, ["r"]);
    sandbox.advance(LAG);
    assert_eq!(tag().await.as_deref(), Some("b"));
    assert_eq!(roles().await, ["r", "s"]);
    sandbox.delete_role("r");
    assert_eq!(tag().await.as_deref(), Some("b"), "a deleted role is still seen");
    assert_eq!(roles().await, ["r", "s"]);
    sandbox.advance(LAG);
    assert_eq!(tag().await, None);
    assert_eq!(roles().await, ["s"]);
}

#[tokio::test]
async fn writes_act_on_what_is_true() {
    let (sandbox, server) = lagging(Reads::Lagging(LAG)).await;
    let client = iam(&server);
    sandbox.delete_role_policy("r", "old");
    assert_eq!(listed(&client).await, ["old"]);
    let again = client.delete_role_policy().role_name("r").policy_name("old").send().await.unwrap_err();
    assert!(again.into_service_error().is_no_such_entity_exception());
    client.delete_role().role_name("r").send().await.expect("the role has no policies any more");
    let late = client.put_role_policy().role_name("r").policy_name("new").policy_document(NEW).send().await;
    assert!(late.unwrap_err().into_service_error().is_no_such_entity_exception());
    assert_eq!(listed(&client).await, ["old"]);
}

#[tokio::test]
async fn a_change_of_the_setting_settles_what_was_written() {
    let (sandbox, server) = lagging(Reads::Lagging(LAG)).await;
    let client = iam(&server);
    put(&client, "new", NEW).await;
    assert_eq!(listed(&client).await, ["old"]);
    sandbox.set_reads(Reads::Lagging(LAG));
    assert_eq!(listed(&client).await, ["new", "old"]);
    put(&client, "newer", NEW).await;
    assert_eq!(listed(&client).await, ["new", "old"]);
    sandbox.set_reads(Reads::Newest);
    assert_eq!(listed(&client).await, ["new", "newer", "old"]);
    put(&client, "newest", NEW).await;
    assert_eq!(listed(&client).await, ["new", "newer", "newest", "old"]);
}

#[tokio::test]
async fn flapping_reads_see_the_newest_or_the_older_state_as_the_seed_says() {
    let mut drawn = Vec::new();
    for seed in [7, 7, 8] {
        let (sandbox, server) = lagging(Reads::Flapping { lag: LAG, seed }).await;
        let client = iam(&server);
        put(&client, "new", NEW).await;
        let mut lengths = Vec::new();
        for _ in 0..32 {
            lengths.push(listed(&client).await.len());
        }
        assert!(lengths.contains(&1) && lengths.contains(&2), "seed {seed}: {lengths:?}");
        sandbox.advance(LAG);
        for _ in 0..32 {
            assert_eq!(listed(&client).await, ["new", "old"], "seed {seed}: the lag is over");
        }
        drawn.push(lengths);
    }
    assert_eq!(drawn[0], drawn[1]);
    assert_ne!(drawn[0], drawn[2]);
}

#[tokio::test(start_paused = true)]
async fn the_lag_goes_by_the_clock_of_the_runtime() {
    let sandbox = Sandbox::new(aws_sandbox::Config::default());
    sandbox.create_role("r");
    sandbox.set_reads(Reads::Lagging(LAG));
    sandbox.put_role_policy("r", "p", NEW).unwrap();
    let listed = async || {
        let form = "Action=ListRolePolicies&Version=2010-05-08&RoleName=r";
        let request = Request::post("/").body(Body::from(form)).unwrap();
        let answer = router(sandbox.clone()).oneshot(request).await.unwrap();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        String::from_utf8_lossy(&body).contains("<member>p</member>")
    };
    tokio::time::advance(Duration::from_millis(59_999)).await;
    assert!(!listed().await);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(listed().await);
}
