use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bedrock_iam::orphan::Installation;
use futures::future::join_all;
use http::{Method, Request, Response};
use kube::client::Body;
use testing::world::account;

use super::*;

/// A record whose ConfigMaps exist, and answer after a while. Of its writes, every one fails whose number is in `failing`.
fn record(failing: &'static [usize]) -> (Record, Arc<AtomicUsize>) {
    let writes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&writes);
    let server = tower::service_fn(move |request: Request<Body>| {
        let number = (*request.method() == Method::PATCH).then(|| counted.fetch_add(1, Ordering::Relaxed));
        async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let is_failing = number.is_some_and(|number| failing.contains(&number));
            let (status, body) = match (request.method(), is_failing) {
                (&Method::GET, _) => {
                    (404, json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}))
                }
                (_, true) => (
                    500,
                    json!({"kind": "Status", "status": "Failure", "reason": "InternalError", "code": 500}),
                ),
                (_, false) => (200, json!({"metadata": {"name": "bedrock-access-record-0"}})),
            };
            let body = Body::from(body.to_string().into_bytes());
            Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
        }
    });
    (Record::new(Client::new(server, "bedrock-access"), "bedrock-access", "cluster", None), writes)
}

fn claim(number: usize) -> (Claim, ObjectName) {
    let object = ObjectName { namespace: "team-a".to_owned(), name: format!("app-{number}") };
    let role = "assistant".parse().unwrap();
    let installation = Installation::new("cluster", &account(), ConsentPolicy::Tag, []);
    (installation.claim(&object, &role), object)
}

#[test]
fn entries_are_spread_over_all_parts() {
    let mut filled = [0; PARTS];
    for number in 0..6400 {
        let (claim, _) = claim(number);
        filled[part(&claim.identity.key_on(&claim.role))] += 1;
    }
    assert!(filled.iter().all(|count| (50..=200).contains(count)), "{filled:?}");
}

#[tokio::test(start_paused = true)]
async fn entries_that_wait_for_a_write_share_the_next() {
    let (record, writes) = record(&[]);
    let all = (0..50).map(claim).collect::<Vec<_>>();
    let noted = join_all(all.iter().map(|(claim, object)| record.remember(claim, object))).await;
    assert!(noted.iter().all(Result::is_ok));
    assert!(writes.load(Ordering::Relaxed) <= 4, "{writes:?} writes");
    assert_eq!(record.entries().len(), 50);
    let before = writes.load(Ordering::Relaxed);
    record.remember(&all[7].0, &all[7].1).await.unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), before, "what stands there is not written again");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_is_an_error_of_one_entry_and_the_others_are_written_by_the_next() {
    // The first write is that of the cluster id.
    let (record, writes) = record(&[1, 2]);
    let all = (0..50).map(claim).collect::<Vec<_>>();
    let noted = join_all(all.iter().map(|(claim, object)| record.remember(claim, object))).await;
    assert_eq!(noted.iter().filter(|noted| noted.is_err()).count(), 2);
    assert_eq!(record.entries().len(), 48, "{writes:?} writes: whoever got the error tries again");
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_while_it_writes_for_others_takes_nobody_with_it() {
    let (record, _) = record(&[]);
    let all = (0..20).map(claim).collect::<Vec<_>>();
    record.note_cluster_ids().await.unwrap();
    let impatient = async {
        let (claim, object) = &all[0];
        let _ = tokio::time::timeout(Duration::from_millis(5), record.remember(claim, object)).await;
    };
    let others = join_all(all[1..].iter().map(|(claim, object)| record.remember(claim, object)));
    let ((), noted) = futures::join!(impatient, others);
    assert!(noted.iter().all(Result::is_ok));
    assert!(record.entries().len() >= 19);
}
