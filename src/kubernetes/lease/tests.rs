mod rivals;
mod shards;
mod stored;

use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use http::{Method, Request, Response, StatusCode};
use tokio::time::{Instant, advance, timeout};
use tower::{Layer, ServiceExt};

use super::*;
use stored::{HOME, Stored};

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(1);

fn timings() -> Timings {
    Timings::new(15 * SECOND, 10 * SECOND, 2 * SECOND).unwrap()
}

/// One request through the layer to a server that answers with `status` after `delay`.
async fn send(learned: &Learned, method: Method, status: StatusCode, delay: Duration) {
    let server = tower::service_fn(|_: Request<()>| async move {
        sleep(delay).await;
        Ok::<_, Infallible>(Response::builder().status(status).body(()).unwrap())
    });
    let request = Request::builder().method(method).body(()).unwrap();
    timings().renewals(learned).layer(server).oneshot(request).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_renewal_counts_from_before_it_was_sent() {
    let learned = Learned::default();
    let fence = learned.fence.clone();
    send(&learned, Method::PUT, StatusCode::OK, 3 * SECOND).await;
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
        let learned = Learned::default();
        send(&learned, method.clone(), status, Duration::ZERO).await;
        assert_eq!(learned.fence.check().is_ok(), renews, "{method} {status}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_counted_and_only_a_read_that_succeeds_proves_that_the_lease_can_be_read() {
    for (method, status, reads, failures) in [
        (Method::GET, StatusCode::OK, true, 0),
        (Method::GET, StatusCode::NOT_FOUND, true, 0),
        (Method::GET, StatusCode::UNAUTHORIZED, false, 1),
        (Method::GET, StatusCode::INTERNAL_SERVER_ERROR, false, 1),
        (Method::PUT, StatusCode::OK, false, 0),
        (Method::PUT, StatusCode::CONFLICT, false, 0),
        (Method::PUT, StatusCode::FORBIDDEN, false, 1),
    ] {
        let learned = Learned::default();
        learned.health.follows();
        learned.health.lease_read(Duration::ZERO);
        send(&learned, method.clone(), status, Duration::ZERO).await;
        assert_eq!(learned.health.not_ready().is_none(), reads, "{method} {status}");
        let counted = format!("bedrock_access_lease_errors_total {failures}\n");
        assert!(learned.metrics.to_text().unwrap().contains(&counted), "{method} {status}");
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

#[tokio::test(start_paused = true)]
async fn a_leader_that_loses_the_lease_drops_its_work_at_once_and_leads_again_when_it_can() {
    let (stored, fence) = (Stored::default(), Fence::default());
    let mut candidate = stored.candidate(&fence);
    let (terms, follows) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let follow = || {
        assert!(fence.check().is_err(), "a follower's fence is closed, though its deadline may be far away");
        follows.fetch_add(1, Ordering::Relaxed);
    };
    let lead = async || {
        if terms.fetch_add(1, Ordering::Relaxed) == 0 {
            stored.give(HOME, "them");
            pending::<()>().await;
        }
        assert!(fence.check().is_ok());
    };
    let free_again = async {
        sleep(5 * SECOND).await;
        assert_eq!(terms.load(Ordering::Relaxed), 1);
        stored.remove(HOME);
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
        assert_eq!(stored.holder(HOME).as_deref(), Some("us"));
        shutdown.clone().await;
        sleep(SECOND).await;
        assert!(fence.check().is_ok(), "what is under way may still write");
    };
    stored.candidate(&fence).run(shutdown.clone(), || {}, lead).await;
    assert_eq!(stored.holder(HOME), None);
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
        assert_eq!(stored.holder(HOME), None, "attempt {attempt}");
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
    assert_eq!(stored.holder(HOME), None);
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_told_to_end_while_it_takes_the_lease_gives_it_back() {
    let (stored, fence) = (Stored::slow(500 * MOMENT), Fence::default());
    let shutdown = sleep(200 * MOMENT).boxed().shared();
    let lead = async || shutdown.clone().await;
    stored.candidate(&fence).run(shutdown.clone(), || {}, lead).await;
    sleep(SECOND).await;
    assert_eq!(stored.holder(HOME), None);
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_work_does_not_end_leaves_nevertheless() {
    let (stored, fence) = (Stored::default(), Fence::default());
    let shutdown = sleep(SECOND).boxed().shared();
    let started = Instant::now();
    let mut candidate = stored.candidate(&fence);
    timeout(60 * SECOND, candidate.run(shutdown, || {}, async || pending().await)).await.unwrap();
    assert_eq!(started.elapsed(), SECOND + grace::FOR_BOTH);
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_work_takes_all_its_time_still_hands_over() {
    let (stored, fence) = (Stored::slow(grace::FOR_THE_LEASE * 9 / 10), Fence::default());
    // Led since 0.54 s, and renews next at 2.54 s.
    let shutdown = sleep(SECOND).boxed().shared();
    let lead = async || {
        shutdown.clone().await;
        sleep(grace::FOR_RECONCILES).await;
    };
    stored.candidate(&fence).run(shutdown.clone(), || {}, lead).await;
    assert_eq!(stored.holder(HOME), None);
}

#[tokio::test(start_paused = true)]
async fn a_follower_leaves_at_once_and_the_lease_alone() {
    let (stored, fence) = (Stored::default(), Fence::default());
    stored.give(HOME, "them");
    let started = Instant::now();
    let lead = async || unreachable!("the lease is held");
    stored.candidate(&fence).run(ready(()), || {}, lead).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(stored.holder(HOME).as_deref(), Some("them"));
}
