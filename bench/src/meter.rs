//! What passes between two moments.

use std::time::Instant;

use local_cluster::SandboxProcess;

use crate::calls::{self, Calls};
use crate::requests::Requests;
use crate::stage::Stage;
use crate::{Outcome, process};

/// What was done from one moment to another.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    /// Seconds of the process that is measured.
    pub(crate) processor_time: f64,
    pub(crate) calls: Calls,
    pub(crate) requests: Requests,
}

/// Runs from the first moment on.
pub(crate) struct Meter<'a> {
    stage: &'a Stage,
    sandbox: &'a SandboxProcess,
    requests: Requests,
    processor_time: f64,
    pub(crate) started: Instant,
}

impl<'a> Meter<'a> {
    /// Of a process that runs already.
    pub(crate) fn start(stage: &'a Stage, sandbox: &'a SandboxProcess, process: u32) -> Outcome<Self> {
        let mut meter = Self::start_before(stage, sandbox)?;
        meter.processor_time = process::processor_time(process)?;
        meter.started = Instant::now();
        Ok(meter)
    }

    /// Of a process that is started next.
    pub(crate) fn start_before(stage: &'a Stage, sandbox: &'a SandboxProcess) -> Outcome<Self> {
        let requests = stage.requests()?;
        sandbox.clear("calls")?;
        Ok(Self { stage, sandbox, requests, processor_time: 0.0, started: Instant::now() })
    }

    /// `ended` is a moment ago at the most.
    pub(crate) fn stop(self, ended: Instant, process: u32) -> Outcome<Cost> {
        let processor_time = process::processor_time(process)? - self.processor_time;
        let calls = Calls::of(&calls::log(self.sandbox)?);
        let requests = self.stage.requests()?.since(&self.requests);
        Ok(Cost {
            seconds: ended.duration_since(self.started).as_secs_f64(),
            processor_time,
            calls,
            requests,
        })
    }
}
