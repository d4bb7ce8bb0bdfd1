//! Two operators and one lease, as processes on a real control plane: who writes, and who takes over.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test")]

mod ending;
mod outside;
mod pair;
mod readiness;
mod releases;
mod shards;

use std::time::{Duration, Instant};

use local_cluster::wait_until;
use serde_json::{Value, json};

use pair::{FIRST, LIMIT, Pair, REGIONS, SECOND, is_write};

/// Short enough that a test can wait for the end of a lease, long enough for a machine under load to renew it.
const SHORT: [&str; 3] = ["--lease-duration=5s", "--lease-renew-deadline=4s", "--lease-retry-period=500ms"];

/// Longer than any test takes: whoever gets this lease was given it.
const LONG: [&str; 3] = ["--lease-duration=1h", "--lease-renew-deadline=50m", "--lease-retry-period=500ms"];

/// From SIGTERM to the end of the process.
const TIME_TO_END: Duration = Duration::from_secs(2);

#[test]
fn only_the_leader_writes_and_it_hands_over_at_once_when_it_is_told_to_end() {
    let mut pair = Pair::start(LONG);
    pair.create("before");
    pair.wait_until_ready("before");
    assert_eq!(pair.operator(SECOND).get("/readyz").unwrap(), "ok\n");
    assert_eq!(pair.operator(SECOND).get("/livez").unwrap(), "ok\n");
    let calls = pair.calls(SECOND);
    assert!(calls.iter().all(|call| call["operation"] == "GetCallerIdentity"), "{calls:?}");
    assert_eq!(pair.requests(SECOND), Vec::<String>::new());
    assert!(!pair.requests(FIRST).is_empty() && pair.calls(FIRST).iter().any(is_write));

    // It is told to end in the middle of a reconcile that would go on for a long time.
    pair.sandbox.fault(&json!({"kind": "Hang", "operation": "GetRole", "region": REGIONS[FIRST]})).unwrap();
    pair.create("after");
    pair.wait_for_hanging("GetRole");
    let told = Instant::now();
    let status = pair.take_operator(FIRST).terminate().unwrap();
    let took = told.elapsed();
    assert!(status.success() && took < TIME_TO_END, "{status} after {took:?}");

    pair.wait_until_ready("after");
    assert!(pair.calls(SECOND).iter().any(is_write));
}

#[test]
fn when_the_leader_is_killed_in_the_middle_of_a_write_the_other_one_finishes_it() {
    let mut pair = Pair::start(SHORT);
    pair.sandbox.fault(&json!({"kind": "Hang", "operation": "PutRolePolicy", "times": 1})).unwrap();
    pair.create("before");
    pair.wait_for_hanging("PutRolePolicy");
    pair.take_operator(FIRST).kill();
    pair.wait_until_ready("before");
    let writes: Vec<Value> = pair.calls(SECOND).into_iter().filter(is_write).collect();
    assert_eq!(writes.len(), 1, "{writes:?}");
}

#[test]
fn a_leader_that_stood_still_sends_no_write_after_another_one_took_over() {
    let pair = Pair::start(SHORT);
    pair.create("before");
    pair.wait_until_ready("before");
    pair.sandbox.fault(&json!({"kind": "Hang", "operation": "PutRolePolicy", "times": 1})).unwrap();
    pair.remove_policy_of("before");
    pair.ask_for_reconcile("before");
    // Its write was lost, so it will send it again as soon as it can.
    pair.wait_for_hanging("PutRolePolicy");
    pair.operator(FIRST).pause();
    let sent = pair.writes_of_stopped(FIRST);

    pair.wait_for_leader(SECOND);
    pair.wait_for_reconcile("before");
    assert_eq!(pair.policies_of("before").len(), 1, "the new leader repairs the drift");
    pair.remove_policy_of("before");
    pair.operator(FIRST).resume();
    wait_until("the old leader to know that it is none", LIMIT, || match pair.leads(FIRST).as_str() {
        "0" => Ok(()),
        leads => Err(leads.to_owned()),
    })
    .unwrap();
    pair.ask_for_reconcile("before");
    pair.wait_for_reconcile("before");
    assert_eq!(pair.policies_of("before").len(), 1, "the new leader repairs the drift");
    assert_eq!(pair.writes_of_stopped(FIRST), sent, "what the old leader had sent when it was stopped");
}
