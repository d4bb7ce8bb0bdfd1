use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::{Body, ClientBuilder};
use serde_json::{Value, json};
use tokio::time::{Instant, advance, timeout};
use tower::{Layer, ServiceExt};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(1);

fn timings() -> Timings {
    Timings::new(15 * SECOND, 10 * SECOND, 2 * SECOND).unwrap()
}

/// One request through the layer to a server that answers with `status` after `delay`.
async fn send(fence: &Fence, method: Method, status: StatusCode, delay: Duration) {
    let server = tower::service_fn(|_: Request<()>| async move {
        sleep(delay).await;
        Ok::<_, Infallible>(Response::builder().status(status).body(()).unwrap())
    });
    let request = Request::builder().method(method).body(()).unwrap();
    timings().renewals(fence).layer(server).oneshot(request).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_renewal_counts_from_before_it_was_sent() {
    let fence = Fence::default();
    send(&fence, Method::PUT, StatusCode::OK, 3 * SECOND).await;
    advance(6999 * MOMENT).await;
    assert!(fence.check().is_ok());
    advance(MOMENT).await;
    assert!(fence.check().is_err());
}

#[tokio::test(start_paused = true)]
async fn only_a_write_that_succeeds_is_a_renewal() {
    for (method, status, renews) in [
        (Method::GET, StatusCode::OK, false),
        (Method::PUT, StatusCode::CONFLICT, false),
        (Method::POST, StatusCode::INTERNAL_SERVER_ERROR, false),
        (Method::POST, StatusCode::CREATED, true),
        (Method::PUT, StatusCode::OK, true),
    ] {
        let fence = Fence::default();
        send(&fence, method.clone(), status, Duration::ZERO).await;
        assert_eq!(fence.check().is_ok(), renews, "{method} {status}");
    }
}

#[test]
fn timings_that_would_let_two_lead_are_refused() {
    let refused = |duration, renew, retry| Timings::new(duration, renew, retry).unwrap_err();
    assert_eq!(refused(10 * SECOND, 10 * SECOND, 2 * SECOND), TimingsError::RenewDeadline);
    assert_eq!(refused(15 * SECOND, 2 * SECOND, 2 * SECOND), TimingsError::RetryPeriod);
    assert_eq!(refused(15 * SECOND, 2 * SECOND, Duration::ZERO), TimingsError::RetryPeriod);
    assert_eq!(refused(SECOND / 2, SECOND / 4, SECOND / 8), TimingsError::Duration);
}

/// The Lease object as the API server has it.
#[derive(Clone, Default)]
struct Stored {
    lease: Arc<Mutex<Option<Value>>>,
    /// How long a write takes until it is carried out.
    delay: Duration,
}

impl Stored {
    fn held_by(holder: &str) -> Self {
        let stored = Self::default();
        stored.give_to(holder);
        stored
    }

    /// Nobody's lease, on a server that takes `delay` for each write.
    fn slow(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    fn give_to(&self, holder: &str) {
        let spec = json!({"holderIdentity": holder, "leaseDurationSeconds": 15});
        *self.lease.lock().unwrap() = Some(json!({"metadata": {"name": NAME}, "spec": spec}));
    }

    fn holder(&self) -> Option<String> {
        let lease = self.lease.lock().unwrap();
        lease.as_ref()?["spec"]["holderIdentity"].as_str().map(str::to_owned)
    }

    fn candidate(&self, fence: &Fence) -> Candidate {
        let (stored, observed) = (self.clone(), fence.clone());
        let server = tower::service_fn(move |request: Request<Body>| {
            let (stored, observed) = (stored.clone(), observed.clone());
            // A request that was sent is carried out, though nobody may wait for its answer any more.
            let answer = tokio::spawn(async move { stored.answer(request, &observed).await });
            async move { Ok::<_, Infallible>(answer.await.unwrap()) }
        });
        let renewals = timings().renewals(fence);
        let client = ClientBuilder::new(server, "default").with_layer(&renewals).build();
        let leases = Leases { client, writes: renewals.writes };
        Candidate::new(leases, "default", "us", &timings(), fence.clone())
    }

    async fn answer(&self, request: Request<Body>, fence: &Fence) -> Response<Body> {
        let is_read = *request.method() == Method::GET;
        let body = request.into_body().collect().await.unwrap().to_bytes();
        if !is_read {
            sleep(self.delay).await;
            let mut written: Value = serde_json::from_slice(&body).unwrap();
            let is_release = written["spec"]["holderIdentity"].is_null();
            assert!(!is_release || fence.check().is_err(), "released while writes may still be sent");
            if !self.replace(&mut written) {
                let conflict =
                    json!({"kind": "Status", "status": "Failure", "code": 409, "reason": "Conflict"});
                return respond(StatusCode::CONFLICT, &conflict);
            }
        }
        let missing = json!({"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound"});
        match self.lease.lock().unwrap().as_ref() {
            Some(lease) => respond(StatusCode::OK, lease),
            None => respond(StatusCode::NOT_FOUND, &missing),
        }
    }

    /// Whether nobody else wrote since this was read.
    fn replace(&self, written: &mut Value) -> bool {
        let mut lease = self.lease.lock().unwrap();
        let known = lease.as_ref().map_or(&Value::Null, |lease| &lease["metadata"]["resourceVersion"]);
        let is_current = written["metadata"]["resourceVersion"] == *known;
        if is_current {
            let next = known.as_str().and_then(|known| known.parse().ok()).unwrap_or(0) + 1;
            written["metadata"]["resourceVersion"] = json!(u32::to_string(&next));
            *lease = Some(written.clone());
        }
        is_current
    }
}

fn respond(status: StatusCode, body: &Value) -> Response<Body> {
    Response::builder().status(status).body(Body::from(body.to_string().into_bytes())).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_loses_the_lease_drops_its_work_at_once_and_leads_again_when_it_can() {
    let (stored, fence) = (Stored::default(), Fence::default());
    let candidate = stored.candidate(&fence);
    let (terms, follows) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let follow = || {
        assert!(fence.check().is_err(), "a follower's fence is closed, though its deadline may be far away");
        follows.fetch_add(1, Ordering::Relaxed);
    };
    let lead = async || {
        if terms.fetch_add(1, Ordering::Relaxed) == 0 {
            stored.give_to("them");
            pending::<()>().await;
        }
        assert!(fence.check().is_ok());
    };
    let free_again = async {
        sleep(5 * SECOND).await;
        assert_eq!(terms.load(Ordering::Relaxed), 1);
        *stored.lease.lock().unwrap() = None;
    };
    tokio::join!(candidate.run(pending(), follow, lead), free_again);
    assert_eq!((terms.into_inner(), follows.into_inner()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_told_to_end_finishes_seals_its_fence_and_hands_over() {
    let (stored, fence) = (Stored::default(), Fence::default());
    let shutdown = sleep(SECOND).boxed().shared();
    let started = Instant::now();
    let lead = async || {
        assert_eq!(stored.holder().as_deref(), Some("us"));
        shutdown.clone().await;
        sleep(SECOND).await;
        assert!(fence.check().is_ok(), "what is under way may still write");
    };
    stored.candidate(&fence).run(shutdown.clone(), || {}, lead).await;
    assert_eq!(stored.holder(), None);
    assert_eq!(started.elapsed(), 2 * SECOND);
    fence.open_until(Instant::now() + SECOND);
    assert!(fence.check().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_leader_at_rest_hands_over_though_its_work_ends_with_the_signal_itself() {
    for attempt in 0..20 {
        let (stored, fence) = (Stored::slow(50 * MOMENT), Fence::default());
        let shutdown = sleep(SECOND).boxed().shared();
        let lead = async || shutdown.clone().await;
        let started = Instant::now();
        stored.candidate(&fence).run(shutdown.clone(), || {}, lead).await;
        assert_eq!(stored.holder(), None, "attempt {attempt}");
        assert_eq!(started.elapsed(), SECOND + 50 * MOMENT);
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_told_to_end_while_it_renews_hands_over() {
    let (stored, fence) = (Stored::slow(300 * MOMENT), Fence::default());
    // Led since 0.3 s, renews from 2.3 s to 2.6 s: the release is overtaken by that renewal.
    let shutdown = sleep(2400 * MOMENT).boxed().shared();
    let lead = async || shutdown.clone().await;
    stored.candidate(&fence).run(shutdown.clone(), || {}, lead).await;
    assert_eq!(stored.holder(), None);
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_told_to_end_while_it_takes_the_lease_gives_it_back() {
    let (stored, fence) = (Stored::slow(500 * MOMENT), Fence::default());
    let shutdown = sleep(200 * MOMENT).boxed().shared();
    let lead = async || shutdown.clone().await;
    stored.candidate(&fence).run(shutdown.clone(), || {}, lead).await;
    sleep(SECOND).await;
    assert_eq!(stored.holder(), None);
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_work_does_not_end_leaves_nevertheless() {
    let (stored, fence) = (Stored::default(), Fence::default());
    let shutdown = sleep(SECOND).boxed().shared();
    let started = Instant::now();
    let candidate = stored.candidate(&fence);
    timeout(60 * SECOND, candidate.run(shutdown, || {}, async || pending().await)).await.unwrap();
    assert_eq!(started.elapsed(), SECOND + TIME_TO_LEAVE);
}

#[tokio::test(start_paused = true)]
async fn a_follower_leaves_at_once_and_the_lease_alone() {
    let (stored, fence) = (Stored::held_by("them"), Fence::default());
    let started = Instant::now();
    let lead = async || unreachable!("the lease is held");
    stored.candidate(&fence).run(ready(()), || {}, lead).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(stored.holder().as_deref(), Some("them"));
}
