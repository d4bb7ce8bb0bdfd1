use std::time::{Duration, Instant};

use local_cluster::SandboxProcess;

use crate::fleet::{manifests, seed};
use crate::stage::Stage;
use crate::statistics::percentile;
use crate::work::wait_for_ready;
use crate::{Outcome, calls, progress, work};

const STARTS: usize = 7;

const FIRST_CALL_LIMIT: Duration = Duration::from_secs(30);

const READY_LIMIT: Duration = Duration::from_secs(30);

/// Medians in seconds from before the operator's process is made, with the operator's default settings.
pub(crate) struct StartUp {
    /// Until PutRolePolicy had reached AWS.
    pub(crate) first_write: f64,
    /// Until the object was Ready and its Events were written.
    pub(crate) first_ready: f64,
}

/// Starts the operator again and again, each time with one new object that waits for it.
pub(crate) fn measure() -> Outcome<StartUp> {
    progress(&format!("starting the operator {STARTS} times, each time with one new object"));
    let stage = Stage::set()?;
    let names = (0..STARTS).map(|index| format!("start-{index}"));
    let sandbox = SandboxProcess::start(&seed(names.clone()))?;
    let mut writes = Vec::new();
    let mut readies = Vec::new();
    for name in names {
        stage.create_all(manifests(std::iter::once(name.clone()))?)?;
        sandbox.clear("calls")?;
        let started = Instant::now();
        let (operator, first_call) = std::thread::scope(|scope| {
            let watching = scope.spawn(|| calls::wait_for(&sandbox, "PutRolePolicy", FIRST_CALL_LIMIT));
            let operator = work::start(&stage, &sandbox, &[]);
            (operator, watching.join())
        });
        let operator = operator?;
        let first_call = first_call.map_err(|_| "the sandbox's call log could not be watched")??;
        let ready = wait_for_ready(&operator, 1, READY_LIMIT)?;
        writes.push(first_call.duration_since(started).as_secs_f64());
        readies.push(ready.duration_since(started).as_secs_f64());
        stage.delete(&name)?;
        operator.terminate()?;
    }
    progress(&format!("  first policy written after {writes:.3?} s"));
    progress(&format!("  first object Ready after {readies:.3?} s"));
    Ok(StartUp { first_write: percentile(&writes, 50), first_ready: percentile(&readies, 50) })
}
