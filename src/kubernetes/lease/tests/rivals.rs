//! Operators of one cluster with leases in different namespaces.

use std::cell::Cell;

use super::*;
use crate::kubernetes::{Error, find_lease};

const ELSEWHERE: &str = "elsewhere";

/// When the candidate began to lead, in seconds, until `shutdown`; each of its terms once.
async fn terms(candidate: &mut Candidate, shutdown: Duration) -> Vec<u64> {
    let (started, terms) = (Instant::now(), Cell::new(Vec::new()));
    let end = sleep(shutdown).boxed().shared();
    let lead = async || {
        let mut known = terms.take();
        known.push(started.elapsed().as_secs());
        terms.set(known);
        end.clone().await;
    };
    candidate.run(end.clone(), || {}, lead).await;
    terms.into_inner()
}

/// `them` renews its lease elsewhere between two instants.
async fn renew_elsewhere(stored: &Stored, from: Duration, to: Duration) {
    let started = Instant::now();
    sleep(from).await;
    while started.elapsed() <= to {
        stored.give(ELSEWHERE, "them");
        sleep(2 * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_finds_another_leader_stands_by_until_that_one_is_silent_for_the_duration_of_its_lease() {
    let (stored, fence) = (Stored::default(), Fence::default());
    stored.give(ELSEWHERE, "them");
    let mut candidate = stored.candidate(&fence);
    let meanwhile = async {
        renew_elsewhere(&stored, Duration::ZERO, 20 * SECOND).await;
        assert!(!stored.exists(HOME), "who stands by writes nothing, not even a lease");
    };
    let (terms, ()) = tokio::join!(terms(&mut candidate, 60 * SECOND), meanwhile);
    assert_eq!(terms, [36]);
    assert_eq!(stored.holder(HOME), None);
}

#[tokio::test(start_paused = true)]
async fn who_stands_by_ends_at_once() {
    let (stored, fence) = (Stored::default(), Fence::default());
    stored.give(ELSEWHERE, "them");
    let started = Instant::now();
    assert_eq!(terms(&mut stored.candidate(&fence), SECOND).await, Vec::<u64>::new());
    assert_eq!(started.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_lease_elsewhere_that_was_released_is_nobodys() {
    let (stored, fence) = (Stored::default(), Fence::default());
    stored.give(ELSEWHERE, "");
    assert_eq!(terms(&mut stored.candidate(&fence), 10 * SECOND).await, [0]);
}

#[tokio::test(start_paused = true)]
async fn of_two_that_start_at_the_same_instant_one_leads_and_never_both() {
    for delay in [0, 1, 10, 700] {
        let stored = Stored::slow(delay * MOMENT);
        let (leaders, terms) = (Cell::new(0), Cell::new(0));
        let end = sleep(120 * SECOND).boxed().shared();
        let run = async |namespace: &'static str| {
            let fence = Fence::default();
            let lead = async || {
                leaders.set(leaders.get() + 1);
                assert_eq!(leaders.get(), 1, "both lead after {delay} ms for each write");
                terms.set(terms.get() + 1);
                end.clone().await;
                leaders.set(leaders.get() - 1);
            };
            stored.candidate_in(namespace, &fence).run(end.clone(), || {}, lead).await;
        };
        tokio::join!(run("a"), run("b"));
        assert_eq!(terms.get(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_gives_way_to_an_older_lease_and_leads_again_once_that_is_silent() {
    let (stored, fence) = (Stored::default(), Fence::default());
    stored.give(ELSEWHERE, "");
    let mut candidate = stored.candidate(&fence);
    let meanwhile = async {
        tokio::join!(renew_elsewhere(&stored, 20 * SECOND, 50 * SECOND), async {
            sleep(40 * SECOND).await;
            assert_eq!(stored.holder(HOME), None, "it gives its lease back");
            assert!(fence.check().is_err());
        })
    };
    let (terms, _) = tokio::join!(terms(&mut candidate, 120 * SECOND), meanwhile);
    assert_eq!(terms, [0, 66]);
}

#[tokio::test(start_paused = true)]
async fn a_leader_goes_on_beside_a_younger_lease() {
    let (stored, fence) = (Stored::default(), Fence::default());
    let mut candidate = stored.candidate(&fence);
    let meanwhile = renew_elsewhere(&stored, 20 * SECOND, 50 * SECOND);
    let (terms, ()) = tokio::join!(terms(&mut candidate, 60 * SECOND), meanwhile);
    assert_eq!(terms, [0]);
    assert_eq!(stored.holder(ELSEWHERE).as_deref(), Some("them"));
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_look_elsewhere_it_leads_as_if_nobody_were_there() {
    let (stored, fence) = (Stored::default(), Fence::default());
    stored.give(ELSEWHERE, "them");
    stored.refuse_to_list(Some(StatusCode::FORBIDDEN));
    assert_eq!(terms(&mut stored.candidate(&fence), 10 * SECOND).await, [0]);
}

#[tokio::test(start_paused = true)]
async fn while_a_look_elsewhere_fails_nobody_begins_to_lead() {
    let (stored, fence) = (Stored::default(), Fence::default());
    stored.refuse_to_list(Some(StatusCode::INTERNAL_SERVER_ERROR));
    let mut candidate = stored.candidate(&fence);
    let mended = async {
        sleep(5 * SECOND).await;
        stored.refuse_to_list(None);
    };
    let (terms, ()) = tokio::join!(terms(&mut candidate, 10 * SECOND), mended);
    assert_eq!(terms, [6]);
}

#[tokio::test]
async fn an_operator_outside_of_the_cluster_finds_the_one_lease_and_refuses_to_guess_among_several() {
    let stored = Stored::default();
    let leases = stored.leases(&Fence::default());
    assert_eq!(find_lease(&leases).await.unwrap(), HOME);
    stored.give("platform", "them");
    assert_eq!(find_lease(&leases).await.unwrap(), "platform");
    stored.give(ELSEWHERE, "");
    let several = find_lease(&leases).await.unwrap_err();
    assert!(!several.may_pass());
    assert_eq!(
        several.to_string(),
        "there is a Lease bedrock-access in each of the namespaces elsewhere, platform; choose one with --lease-namespace"
    );
    stored.refuse_to_list(Some(StatusCode::FORBIDDEN));
    let unknown = find_lease(&leases).await.unwrap_err();
    assert!(matches!(unknown, Error::WhichLease(_)) && !unknown.may_pass());
    stored.refuse_to_list(Some(StatusCode::INTERNAL_SERVER_ERROR));
    assert!(find_lease(&leases).await.unwrap_err().may_pass());
}
