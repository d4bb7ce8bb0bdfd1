use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::Outcome;
use crate::stage::{Stage, is_operators};

/// As long as the operators' interval, so that every object is looked at.
pub(crate) const REST: Duration = Duration::from_mins(1);

/// The last Event of an object is written after its status.
const LAST_EVENTS: Duration = Duration::from_secs(3);

/// What the operators did while there was nothing to do.
pub(crate) struct Rest {
    pub(crate) aws_writes: Vec<Value>,
    pub(crate) aws_reads: usize,
    pub(crate) kubernetes_writes: Vec<Value>,
}

pub(crate) fn watch(stage: &Stage) -> Outcome<Rest> {
    thread::sleep(LAST_EVENTS);
    let (called, written) = (stage.calls()?.len(), stage.cluster.writes()?.len());
    thread::sleep(REST);
    let calls = stage.calls()?.into_iter().skip(called).filter(is_operators);
    let is_write = |call: &Value| {
        !["Get", "List"]
            .iter()
            .any(|verb| call["operation"].as_str().is_some_and(|name| name.starts_with(verb)))
    };
    let (aws_writes, reads): (Vec<Value>, Vec<Value>) = calls.partition(is_write);
    let written = stage.cluster.writes()?.into_iter().skip(written);
    let kubernetes_writes =
        written.filter(|write| is_by_operator(write) && write["objectRef"]["resource"] != "leases");
    Ok(Rest { aws_writes, aws_reads: reads.len(), kubernetes_writes: kubernetes_writes.collect() })
}

impl Rest {
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for call in &self.aws_writes {
            problems.push(format!("a write to AWS at rest: {call}"));
        }
        for write in &self.kubernetes_writes {
            problems.push(format!("a write to Kubernetes at rest: {} {}", write["verb"], write["objectRef"]));
        }
        if self.aws_reads == 0 {
            problems.push("nobody looked at anything at rest".to_owned());
        }
        problems
    }
}

fn is_by_operator(write: &Value) -> bool {
    let user = format!("system:serviceaccount:{0}:{0}", local_cluster::RELEASE);
    write["user"]["username"] == user.as_str()
}
