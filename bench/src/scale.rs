//! 10,000 objects on as many roles: what the operator takes while they are new, after a restart, and when it rests.

use std::thread;
use std::time::{Duration, Instant};

use local_cluster::{OperatorProcess, OperatorSettings, SandboxProcess};

use crate::convergence::flags;
use crate::fleet::{manifests, role_names, seed};
use crate::stage::{Stage, wait_for_ready};
use crate::table::{Row, Unit};
use crate::{Outcome, calls, process, progress};

const OBJECTS: u16 = 10_000;

/// So many are sent to the API server at once.
const BATCH: usize = 1000;

const LIMIT: Duration = Duration::from_mins(10);

/// After the last object is Ready, until nothing is under way any more.
const REST: Duration = Duration::from_secs(20);

struct Run {
    took: f64,
    /// MiB.
    peak_memory: f64,
    /// MiB.
    resting_memory: f64,
    /// Seconds.
    processor_time: f64,
    iam_calls: f64,
}

pub(crate) fn measure() -> Outcome<Vec<Row>> {
    let stage = Stage::set()?;
    progress(&format!("creating {OBJECTS} objects"));
    let names: Vec<String> = role_names(OBJECTS).collect();
    for names in names.chunks(BATCH) {
        stage.create(&manifests(names.iter().cloned()))?;
    }
    let sandbox = SandboxProcess::start(&seed(names.into_iter()))?;
    let fresh = run(&stage, &sandbox)?;
    let again = run(&stage, &sandbox)?;
    Ok(vec![
        Row::of("start to 10,000 new objects Ready", fresh.took, Unit::Seconds),
        Row::of("peak memory, 10,000 new objects", fresh.peak_memory, Unit::Mebibytes).at_most(64.0),
        Row::of("resting memory, 10,000 objects", fresh.resting_memory, Unit::Mebibytes).at_most(48.0),
        Row::of("restart to 10,000 objects checked", again.took, Unit::Seconds),
        Row::of("peak memory, restart with 10,000 objects", again.peak_memory, Unit::Mebibytes).at_most(64.0),
        Row::of("resting memory after it", again.resting_memory, Unit::Mebibytes).at_most(48.0),
        Row::of("processor time of a restart with 10,000 objects", again.processor_time, Unit::Seconds)
            .at_most(5.0),
        Row::of("IAM calls of a restart with 10,000 objects", again.iam_calls, Unit::Count).at_most(60.0),
    ])
}

fn run(stage: &Stage, sandbox: &SandboxProcess) -> Outcome<Run> {
    progress(&format!("starting the operator with {OBJECTS} objects"));
    let called = calls::log(sandbox)?.len();
    let started = Instant::now();
    let operator = OperatorProcess::start(&OperatorSettings {
        kubeconfig: stage.kubeconfig.clone(),
        aws_endpoint: sandbox.endpoint().to_owned(),
        arguments: flags().map(Into::into).into(),
    })?;
    let ready = wait_for_ready(&operator, OBJECTS, LIMIT)?;
    let processor_time = process::processor_time(operator.id())?;
    thread::sleep(REST);
    let log = calls::log(sandbox)?;
    let iam_calls = log[called..].iter().filter(|call| call["service"] == "iam").count();
    let run = Run {
        took: ready.duration_since(started).as_secs_f64(),
        peak_memory: process::peak_memory(operator.id())?,
        resting_memory: process::memory(operator.id())?,
        processor_time,
        iam_calls: f64::from(u32::try_from(iam_calls)?),
    };
    operator.terminate()?;
    Ok(run)
}
