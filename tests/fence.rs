//! The operator's IAM client behind its fence: the real AWS SDK with its retries, a paused clock, and an AWS that is silent.

#![allow(clippy::unwrap_used, reason = "what stages the test is part of it")]

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use bedrock_access::aws::{self, Caller, Iam};
use bedrock_access::fence::Fence;
use bedrock_access::metrics::Metrics;
use bedrock_iam::{Class, Document, Fault, PolicyIdentity, PolicyState, RoleName};
use tokio::time::{Instant, advance};

/// After which the SDK gives one attempt up and sends the next.
const ATTEMPT: Duration = Duration::from_secs(5);

/// Never answers, and counts what it is sent.
#[derive(Clone, Debug, Default)]
struct Silence(Arc<AtomicUsize>);

impl HttpConnector for Silence {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        self.0.fetch_add(1, Ordering::Relaxed);
        HttpConnectorFuture::new(pending())
    }
}

struct World {
    iam: Iam,
    role: RoleName,
    identity: PolicyIdentity,
    silence: Silence,
}

impl World {
    async fn with(fence: &Fence) -> Self {
        // Another test of this process may have installed it already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let silence = Silence::default();
        let connector = SharedHttpConnector::new(silence.clone());
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .region(Region::from_static("us-east-1"))
            .test_credentials();
        let caller = Caller::new(1000.try_into().unwrap(), Metrics::default());
        Self {
            iam: Iam::new(&aws::sdk_config(loader).await, caller, fence.clone()),
            role: "assistant".parse().unwrap(),
            identity: PolicyIdentity::derive("cluster", "team-a", "assistant"),
            silence,
        }
    }

    async fn put(&self) -> Result<(), Fault> {
        self.iam.put(&self.role, &self.identity, &Document::new(Vec::new())).await
    }

    async fn delete(&self) -> Result<(), Fault> {
        self.iam.delete(&self.role, &self.identity).await
    }

    fn sent(&self) -> usize {
        self.silence.0.swap(0, Ordering::Relaxed)
    }
}

fn open_for(time: Duration) -> Fence {
    let fence = Fence::default();
    fence.open_until(Instant::now() + time);
    fence
}

#[tokio::test(start_paused = true)]
async fn attempts_after_the_deadline_are_not_sent() {
    let world = World::with(&open_for(Duration::from_hours(1))).await;
    world.put().await.unwrap_err();
    assert!(world.sent() > 1, "the SDK must try again for this test to mean anything");

    let world = World::with(&open_for(ATTEMPT)).await;
    let fault = world.put().await.unwrap_err();
    assert_eq!(world.sent(), 1);
    assert_eq!(fault.class, Class::Unavailable);
    let policy = world.identity.policy_name();
    assert_eq!(
        fault.message,
        format!(
            "iam:PutRolePolicy of policy {policy} on role assistant: given up, since this instance does not hold \
             the lease; it is tried again"
        )
    );

    let world = World::with(&open_for(ATTEMPT)).await;
    world.delete().await.unwrap_err();
    assert_eq!(world.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn from_the_deadline_on_no_write_is_sent_but_reads_are() {
    let world = World::with(&open_for(ATTEMPT)).await;
    advance(ATTEMPT).await;
    world.put().await.unwrap_err();
    world.delete().await.unwrap_err();
    assert_eq!(world.sent(), 0);
    assert!(matches!(world.iam.policy(&world.role, &world.identity).await, PolicyState::Fault(_)));
    assert!(world.sent() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_while_a_write_is_tried_again_lets_the_next_attempt_through() {
    let fence = open_for(ATTEMPT);
    let world = World::with(&fence).await;
    let renewal = async {
        tokio::time::sleep(ATTEMPT / 2).await;
        fence.open_until(Instant::now() + 10 * ATTEMPT);
    };
    let (result, ()) = tokio::join!(world.put(), renewal);
    result.unwrap_err();
    assert!(world.sent() > 1);
}
