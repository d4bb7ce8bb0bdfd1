use std::time::Duration;

use crate::calls::{self, Calls};
use crate::fleet::{self, Fleet, OBJECTS};
use crate::stage::{Stage, wait_for_ready};
use crate::{Outcome, process, progress};

/// So high that the sandbox sets the pace, not the operator's own limits: calls in a second, to IAM and to Bedrock.
pub(crate) const RATE: u32 = 100_000;

/// Objects that are worked on at once: the operator's default.
pub(crate) const CONCURRENCY: usize = 8;

const LIMIT: Duration = Duration::from_mins(5);

/// One run of the operator over all objects. Times are seconds since the start of its process.
pub(crate) struct Convergence {
    pub(crate) took: f64,
    pub(crate) first_call: f64,
    /// MiB.
    pub(crate) peak_memory: f64,
    /// Seconds.
    pub(crate) processor_time: f64,
    pub(crate) calls: Calls,
    /// Per object.
    pub(crate) kubernetes_writes: f64,
}

/// From 1,000 new objects to 1,000 policies.
pub(crate) fn of_new_objects(stage: &Stage, fleet: &Fleet) -> Outcome<Convergence> {
    progress(&format!("starting the operator with {OBJECTS} new objects"));
    run(stage, fleet, "PutRolePolicy")
}

/// Over the same objects once more, which are Ready and unchanged.
pub(crate) fn after_a_restart(stage: &Stage, fleet: &Fleet) -> Outcome<Convergence> {
    progress(&format!("starting the operator with {OBJECTS} objects that are Ready"));
    run(stage, fleet, "GetRolePolicy")
}

/// With which the operator's own limits do not hide what the work costs.
pub(crate) fn flags() -> [String; 3] {
    [format!("--iam-rate={RATE}"), format!("--bedrock-rate={RATE}"), format!("--concurrency={CONCURRENCY}")]
}

fn run(stage: &Stage, fleet: &Fleet, first: &str) -> Outcome<Convergence> {
    let flags = flags();
    let flags = flags.each_ref().map(String::as_str);
    let called = calls::log(&fleet.sandbox)?.len();
    let written = stage.kubernetes_writes()?;
    let launched = stage.launch(&fleet.sandbox, &flags, first)?;
    let ready = wait_for_ready(&launched.operator, OBJECTS, LIMIT)?;
    stage.check_all_ready(OBJECTS)?;
    let peak_memory = process::peak_memory(launched.operator.id())?;
    let processor_time = process::processor_time(launched.operator.id())?;
    launched.operator.terminate()?;
    let written = stage.kubernetes_writes()? - written;
    Ok(Convergence {
        took: ready.duration_since(launched.started).as_secs_f64(),
        first_call: launched.first_call,
        peak_memory,
        processor_time,
        calls: Calls::of(&calls::log(&fleet.sandbox)?[called..], &fleet::questions())?,
        kubernetes_writes: f64::from(u32::try_from(written)?) / f64::from(OBJECTS),
    })
}
