//! The operator beside the floor: each run has a control plane, objects and a sandbox of its own, which no one used before.

use std::time::Duration;

use local_cluster::SandboxProcess;
use serde_json::json;

use crate::fleet;
use crate::floor::Script;
use crate::meter::Cost;
use crate::stage::Stage;
use crate::statistics::number;
use crate::work::{Work, unhindered};
use crate::{Outcome, progress};

pub(crate) const OBJECTS: usize = 1000;

/// A control plane with new objects, and AWS with their roles.
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) sandbox: SandboxProcess,
}

/// In the order in which they ran.
pub(crate) struct Comparison {
    pub(crate) latency: Duration,
    pub(crate) operator: Vec<Cost>,
    pub(crate) floor: Vec<Cost>,
    /// MiB, of the operator's last run.
    pub(crate) peak_memory: f64,
    /// The operator's last one, at rest.
    pub(crate) scene: Scene,
}

impl Scene {
    pub(crate) fn set(objects: usize, latency: Duration) -> Outcome<Self> {
        let stage = Stage::set()?;
        progress(&format!("  creating {objects} objects"));
        stage.create_all(fleet::manifests(fleet::role_names(objects))?)?;
        let sandbox = SandboxProcess::start(&fleet::seed(fleet::role_names(objects)))?;
        sandbox.set("latency", &json!({"milliseconds": u64::try_from(latency.as_millis())?}))?;
        Ok(Self { stage, sandbox })
    }
}

/// The operator first, since the floor writes what it wrote, then the floor; in a second round the other way about, so that neither
/// gains by a machine that grows slower or faster.
pub(crate) fn measure(latency: Duration, rounds: usize) -> Outcome<Comparison> {
    progress(&format!("operator beside floor, {} ms a call", latency.as_millis()));
    let (scene, cost, peak_memory) = operator(latency)?;
    let script = Script::of(&scene.stage, &scene.sandbox)?;
    let floor = vec![script.measured(latency)?];
    let mut compared = Comparison { latency, operator: vec![cost], floor, peak_memory, scene };
    for round in 1..rounds {
        if round % 2 == 1 {
            compared.floor.push(script.measured(latency)?);
        }
        let (scene, cost, peak_memory) = operator(latency)?;
        compared.operator.push(cost);
        (compared.scene, compared.peak_memory) = (scene, peak_memory);
        if round % 2 == 0 {
            compared.floor.push(script.measured(latency)?);
        }
    }
    Ok(compared)
}

fn operator(latency: Duration) -> Outcome<(Scene, Cost, f64)> {
    let scene = Scene::set(OBJECTS, latency)?;
    progress("  operator");
    let (work, cost) = Work::start(&scene.stage, &scene.sandbox, &unhindered(), OBJECTS)?;
    let peak_memory = work.peak_memory()?;
    work.end()?;
    scene.stage.check_ready(OBJECTS)?;
    progress(&format!("    {:.2} s", cost.seconds));
    Ok((scene, cost, peak_memory))
}

impl Script {
    fn measured(&self, latency: Duration) -> Outcome<Cost> {
        let scene = Scene::set(OBJECTS, latency)?;
        let cost = self.run(&scene.stage, &scene.sandbox)?;
        scene.stage.check_ready(OBJECTS)?;
        progress(&format!("    {:.2} s", cost.seconds));
        Ok(cost)
    }
}

/// Seconds.
pub(crate) fn mean(costs: &[Cost]) -> f64 {
    costs.iter().map(|cost| cost.seconds).sum::<f64>() / number(costs.len())
}
