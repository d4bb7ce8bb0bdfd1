//! `make attacks`: what a namespace that floods the operator costs another one, measured from outside with the operator's default limits.

mod scenes;
mod victim;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use local_cluster::{OperatorProcess, OperatorSettings, SandboxProcess};

use crate::stage::Stage;
use crate::statistics::percentile;
use crate::table::{Row, Unit};
use crate::{Outcome, progress};
use scenes::Scene;
use victim::Victim;

/// In which consent is looked at again, at the latest.
const INTERVAL: f64 = 60.0;

/// What another tenant's new object may take to Ready, and a withdrawal beyond the interval.
const GRACE: f64 = 5.0;

/// The namespace that floods.
const ATTACKER: &str = "attacker";

/// Each attack, or only one, on a cluster, a sandbox and an operator of its own.
pub(crate) fn measure(only: Option<&str>) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for scene in scenes::all() {
        if only.is_none_or(|only| only == scene.name) {
            rows.extend(endure(&scene)?);
        }
    }
    Ok(rows)
}

fn endure(scene: &Scene) -> Outcome<Vec<Row>> {
    progress(&format!("{}: {}", scene.name, scene.what));
    let stage = &Stage::set()?;
    let victim = Victim { stage };
    stage.kubectl.run(["create", "namespace", ATTACKER])?;
    victim.settle()?;
    let sandbox = SandboxProcess::start(&scene.seed(victim::roles()))?;
    let operator = OperatorProcess::start(&OperatorSettings {
        kubeconfig: stage.kubeconfig.clone(),
        aws_endpoint: sandbox.endpoint().to_owned(),
        // A withdrawal moments after a write is not believed for as long as IAM may lag: that would be measured instead.
        arguments: vec!["--interval=1m".into(), "--iam-lag=10s".into()],
    })?;
    victim.wait_until_the_first_is_ready()?;
    for fault in scene.faults() {
        sandbox.fault(&fault)?;
    }
    stage.create(&scene.manifests(ATTACKER))?;
    let is_over = AtomicBool::new(false);
    let measured = thread::scope(|scope| {
        let storm = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                scene.again(stage, ATTACKER).map_err(|error| error.to_string())?;
            }
            Ok::<(), String>(())
        });
        let measured = victim.measure(&sandbox);
        is_over.store(true, Ordering::Relaxed);
        storm.join().map_err(|_| "the storm broke off")??;
        measured
    })?;
    progress(&format!("  new objects {:.2?} s, withdrawal {:.1} s", measured.to_ready, measured.withdrawal));
    operator.terminate()?;
    let row = |what: &str, value| Row::of(format!("{}: {what}", scene.name), value, Unit::Seconds);
    Ok(vec![
        row("a new object of another namespace Ready, p50", percentile(&measured.to_ready, 50)),
        row("the same, p99", percentile(&measured.to_ready, 99)).at_most(GRACE),
        row("a withdrawal carried out, at an interval of 60 s", measured.withdrawal)
            .at_most(INTERVAL + GRACE),
    ])
}
