//! SIGTERM, again and again: the end is quick, and the lease never waits to run out, which would take an hour here.

use std::time::{Duration, Instant};

use local_cluster::wait_until;
use serde_json::json;

use crate::pair::{FIRST, LIMIT, Pair, REGIONS, SECOND};
use crate::{LONG, TIME_TO_END};

/// The retry period and a second.
pub(crate) const TIME_TO_TAKE_OVER: Duration = Duration::from_millis(1500);

impl Pair {
    /// Tells the operator to end, and waits until it has.
    fn end(&mut self, index: usize) {
        let told = Instant::now();
        let status = self.take_operator(index).terminate().unwrap();
        let took = told.elapsed();
        assert!(status.success() && took < TIME_TO_END, "{status} after {took:?}");
    }

    /// Tells the leader to end, sees the other one lead, and starts the first as its follower.
    fn hand_over(&mut self, from: usize) {
        let to = FIRST + SECOND - from;
        self.end(from);
        let ended = Instant::now();
        self.wait_for_leader(to);
        let took = ended.elapsed();
        assert!(took < TIME_TO_TAKE_OVER, "the other one leads only after {took:?}");
        self.start_operator(from);
    }
}

#[test]
fn a_leader_hands_over_every_time_at_rest_and_at_work_and_a_follower_just_ends() {
    let mut pair = Pair::start(LONG);
    for from in [FIRST, SECOND].repeat(10) {
        pair.hand_over(from);
    }

    pair.create("before");
    pair.wait_until_ready("before");
    for from in [FIRST, SECOND].repeat(3) {
        let known = pair.hanging(from, "GetRole");
        let hang = json!({"kind": "Hang", "operation": "GetRole", "region": REGIONS[from], "times": 1});
        pair.sandbox.fault(&hang).unwrap();
        pair.ask_for_reconcile("before");
        wait_until("GetRole to hang", LIMIT, || match pair.hanging(from, "GetRole") {
            hanging if hanging > known => Ok(()),
            _ => Err("every call was answered"),
        })
        .unwrap();
        pair.hand_over(from);
    }

    for _ in 0..10 {
        pair.end(SECOND);
        assert_eq!(pair.leads(FIRST), "1");
        pair.start_operator(SECOND);
    }
}
