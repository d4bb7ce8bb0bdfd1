use std::time::Duration;

use local_cluster::SandboxProcess;

use crate::fleet::{manifests, seed};
use crate::stage::{Stage, wait_for_ready};
use crate::{Outcome, progress};

const STARTS: usize = 7;

const READY_LIMIT: Duration = Duration::from_secs(30);

/// Medians in seconds from before the operator's process is made, with the operator's default settings.
pub(crate) struct StartUp {
    /// Until PutRolePolicy had reached AWS.
    pub(crate) first_write: f64,
    /// Until the object was Ready and its Events were written.
    pub(crate) first_ready: f64,
}

/// Starts the operator again and again, each time with one new object that waits for it.
pub(crate) fn measure(stage: &Stage) -> Outcome<StartUp> {
    progress(&format!("starting the operator {STARTS} times, each time with one object"));
    let names = (0..STARTS).map(|index| format!("start-{index}"));
    let sandbox = SandboxProcess::start(&seed(names.clone()))?;
    let mut writes = Vec::new();
    let mut readies = Vec::new();
    for name in names {
        stage.create(&manifests(std::iter::once(name.clone())))?;
        let launched = stage.launch(&sandbox, &[], "PutRolePolicy")?;
        let ready = wait_for_ready(&launched.operator, 1, READY_LIMIT)?;
        writes.push(launched.first_call);
        readies.push(ready.duration_since(launched.started).as_secs_f64());
        stage.delete(&name)?;
        launched.operator.terminate()?;
    }
    progress(&format!("  first policy written after {writes:.3?} s"));
    progress(&format!("  first object Ready after {readies:.3?} s"));
    Ok(StartUp { first_write: median(writes), first_ready: median(readies) })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
