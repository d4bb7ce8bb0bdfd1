//! An operator at work.

use std::time::{Duration, Instant};

use local_cluster::{OperatorProcess, OperatorSettings, SandboxProcess};

use crate::meter::{Cost, Meter};
use crate::stage::Stage;
use crate::{Outcome, fleet, process, progress};

/// So high that the sandbox sets the pace, not the operator's own limits: calls in a second, to IAM and to Bedrock.
pub(crate) const RATE: u32 = 100_000;

/// Objects that are worked on at once: the operator's default.
pub(crate) const CONCURRENCY: usize = 8;

const LIMIT: Duration = Duration::from_mins(10);

/// Between two looks at the operator's count: seldom enough to cost it nothing that matters.
const PAUSE: Duration = Duration::from_millis(50);

/// With which the operator's own limits do not hide what the work costs.
pub(crate) fn unhindered() -> Vec<String> {
    vec![
        format!("--iam-rate={RATE}"),
        format!("--bedrock-rate={RATE}"),
        format!("--concurrency={CONCURRENCY}"),
    ]
}

/// The shortest that the operator takes.
pub(crate) const INTERVAL: Duration = Duration::from_mins(1);

/// The same, and each object is looked at again within a minute.
pub(crate) fn each_minute() -> Vec<String> {
    [unhindered(), looking_each_minute()].concat()
}

/// A write of moments ago is not what delays the look at what someone else did.
pub(crate) fn looking_each_minute() -> Vec<String> {
    vec![format!("--interval={}s", INTERVAL.as_secs()), "--iam-lag=10s".to_owned()]
}

pub(crate) struct Work<'a> {
    stage: &'a Stage,
    sandbox: &'a SandboxProcess,
    pub(crate) operator: OperatorProcess,
}

impl<'a> Work<'a> {
    /// Gives the operator and what it took from the start of its process until so many objects were Ready.
    pub(crate) fn start(
        stage: &'a Stage,
        sandbox: &'a SandboxProcess,
        flags: &[String],
        objects: usize,
    ) -> Outcome<(Self, Cost)> {
        let meter = Meter::start_before(stage, sandbox)?;
        let operator = start(stage, sandbox, flags)?;
        let work = Self { stage, sandbox, operator };
        let ready = wait_for_ready(&work.operator, objects, LIMIT)?;
        let cost = meter.stop(ready, work.operator.id())?;
        Ok((work, cost))
    }

    /// What a change of every object takes, from the first one's to the last one Ready again.
    pub(crate) fn change_all(&self, objects: usize) -> Outcome<Cost> {
        let changes = fleet::changes(fleet::role_names(objects));
        let before = ready_reconciles(&self.operator.get("/metrics")?);
        let meter = Meter::start(self.stage, self.sandbox, self.operator.id())?;
        self.stage.patch_all(changes)?;
        let ready = wait_for_ready(&self.operator, before + objects, LIMIT)?;
        let cost = meter.stop(ready, self.operator.id())?;
        self.stage.check_ready(objects)?;
        Ok(cost)
    }

    /// What is done within so long, while nothing happens that the operator has not seen.
    pub(crate) fn pass(&self, span: Duration) -> Outcome<Cost> {
        let meter = Meter::start(self.stage, self.sandbox, self.operator.id())?;
        std::thread::sleep(span.saturating_sub(meter.started.elapsed()));
        meter.stop(Instant::now(), self.operator.id())
    }

    pub(crate) fn resting_memory(&self) -> Outcome<f64> {
        process::memory(self.operator.id())
    }

    pub(crate) fn peak_memory(&self) -> Outcome<f64> {
        process::peak_memory(self.operator.id())
    }

    pub(crate) fn end(self) -> Outcome<()> {
        self.operator.terminate()?;
        Ok(())
    }
}

pub(crate) fn start(stage: &Stage, sandbox: &SandboxProcess, flags: &[String]) -> Outcome<OperatorProcess> {
    Ok(OperatorProcess::start(&OperatorSettings {
        kubeconfig: stage.kubeconfig.clone(),
        aws_endpoint: sandbox.endpoint().to_owned(),
        arguments: flags.iter().map(Into::into).collect(),
    })?)
}

/// Waits until so many reconciles have ended with an object Ready, by the operator's own count.
pub(crate) fn wait_for_ready(
    operator: &OperatorProcess,
    objects: usize,
    limit: Duration,
) -> Outcome<Instant> {
    let deadline = Instant::now() + limit;
    let mut told = Instant::now();
    loop {
        let ready = ready_reconciles(&operator.get("/metrics")?);
        let now = Instant::now();
        if ready >= objects {
            return Ok(now);
        }
        if now >= deadline {
            let tail = operator.log_tail();
            return Err(format!(
                "only {ready} of {objects} objects became Ready; the log ends with:\n{tail}"
            )
            .into());
        }
        if now.duration_since(told) > Duration::from_secs(10) {
            progress(&format!("    {ready} of {objects} are Ready"));
            told = now;
        }
        std::thread::sleep(PAUSE);
    }
}

fn ready_reconciles(metrics: &str) -> usize {
    metrics
        .lines()
        .find_map(|line| line.strip_prefix(r#"bedrock_access_reconciles_total{ending="Ready"} "#))
        .and_then(|count| count.parse().ok())
        .unwrap_or_default()
}
