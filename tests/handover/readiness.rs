//! Who cannot read the lease says so, whoever led before.

use local_cluster::{OperatorProcess, RELEASE, wait_until};

use crate::SHORT;
use crate::pair::{FIRST, LIMIT, Pair, SECOND};

impl Pair {
    fn wait_for_readiness(&self, ready: bool) {
        for operator in [FIRST, SECOND].map(|index| self.operator(index)) {
            wait_until(&format!("/readyz to answer {ready}"), LIMIT, || {
                if operator.get("/readyz").is_ok() == ready { Ok(()) } else { Err(operator.log_tail()) }
            })
            .unwrap();
        }
    }
}

fn lease_errors(operator: &OperatorProcess) -> u32 {
    let metrics = operator.get("/metrics").unwrap();
    let mut lines = metrics.lines();
    lines.find_map(|line| line.strip_prefix("bedrock_access_lease_errors_total ")).unwrap().parse().unwrap()
}

#[test]
fn neither_leader_nor_follower_is_ready_while_the_lease_cannot_be_read_and_both_are_again() {
    let pair = Pair::start(SHORT);
    pair.wait_for_readiness(true);
    let role = ["role", RELEASE, "--namespace", RELEASE];
    let allowed = pair.kubectl.run(["get"].iter().chain(&role).chain(&["--output=json"])).unwrap();
    let nothing = r#"--patch={"rules": []}"#;
    pair.kubectl.run(["patch"].iter().chain(&role).chain(&["--type=merge", nothing])).unwrap();
    pair.wait_for_readiness(false);
    assert!([FIRST, SECOND].into_iter().all(|index| lease_errors(pair.operator(index)) > 0));
    pair.kubectl.run_with_input(["replace", "--force", "-f", "-"], &allowed).unwrap();
    pair.wait_for_readiness(true);
}
