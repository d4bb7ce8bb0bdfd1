//! What 10,000 objects take, and how that grows from 100 on.

mod growth;
mod vandal;

use std::thread;
use std::time::Duration;

use local_cluster::SandboxProcess;
use serde_json::json;

use crate::comparison::Scene;
use crate::meter::Cost;
use crate::people::People;
use crate::report::{Phase, Report};
use crate::stage::NAMESPACE;
use crate::statistics::{number, percentile};
use crate::table::{Row, Unit};
use crate::thousand::waits;
use crate::work::{self, INTERVAL, Work, each_minute, unhindered, wait_for_ready};
use crate::{Outcome, process, progress};
use growth::Growth;

const OBJECTS: usize = 10_000;

/// From which it is seen how what they take grows.
const SIZES: [usize; 3] = [100, 1000, OBJECTS];

/// After the last object is Ready, until nothing is under way any more.
const REST: Duration = Duration::from_secs(20);

/// Of the people who come while 10,000 objects are looked at again at the default limits, which may take a quarter of an hour.
const RESYNC: Duration = Duration::from_mins(1);

const NETWORK_MILLISECONDS: u32 = 20;

/// Of the 10,000 objects.
struct Large {
    scene: Scene,
    fresh: Cost,
    fresh_memory: f64,
}

struct Settled {
    restart: Cost,
    restart_memory: f64,
    resting_memory: f64,
    pass: Cost,
    /// Seconds until every policy that someone deleted was back.
    repair: f64,
}

pub(crate) fn measure() -> Outcome<Report> {
    let mut growth = Growth::default();
    let mut large = None;
    for size in SIZES {
        progress(&format!("{size} new objects"));
        let scene = Scene::set(size, Duration::ZERO)?;
        let (work, fresh) = Work::start(&scene.stage, &scene.sandbox, &unhindered(), size)?;
        let fresh_memory = work.peak_memory()?;
        work.end()?;
        scene.stage.check_ready(size)?;
        growth.add(size, &fresh, fresh_memory);
        large = Some(Large { scene, fresh, fresh_memory });
    }
    let large = large.ok_or("there are no sizes")?;
    let settled = settled(&large.scene)?;
    let resync = people_in_a_resync(&large.scene)?;

    let mut rows = of_new_objects(&large);
    rows.extend(of_settled_objects(&settled));
    let [median, worst] = waits("in a resync at the default limits, 20 ms a call", &resync);
    rows.extend([median, worst.at_most(2.0)]);
    rows.extend(growth.rows());
    rows.push(Row::of("binary size", process::binary_size()?, Unit::Megabytes).at_most(25.0));
    let phases = [("new", &large.fresh), ("restart", &settled.restart), ("at rest", &settled.pass)];
    let phases = phases.map(|(name, cost)| Phase::of(name, cost)).into();
    Ok(Report { rows, phases, bars: Vec::new(), growth: growth.points() })
}

fn settled(scene: &Scene) -> Outcome<Settled> {
    progress("restart");
    let (work, restart) = Work::start(&scene.stage, &scene.sandbox, &each_minute(), OBJECTS)?;
    let restart_memory = work.peak_memory()?;
    thread::sleep(REST);
    progress("an interval at rest");
    let pass = work.pass(INTERVAL)?;
    let resting_memory = work.resting_memory()?;
    progress(&format!("{} policies deleted by someone", vandal::DELETED));
    let repair = vandal::delete(scene, OBJECTS)?;
    work.end()?;
    Ok(Settled { restart, restart_memory, resting_memory, pass, repair })
}

fn people_in_a_resync(scene: &Scene) -> Outcome<Vec<f64>> {
    progress("people with new objects during a resync");
    slow_down(&scene.sandbox)?;
    let operator = work::start(&scene.stage, &scene.sandbox, &[])?;
    // Four calls each: less than half of what the default limits let through.
    let people =
        People { namespace: NAMESPACE, when: "resync", pace: Duration::from_millis(500), at_least: 30 };
    let ((), waited) = people.come_while(scene, || {
        // They have come for long enough, whether or not all were looked at.
        drop(wait_for_ready(&operator, OBJECTS, RESYNC));
        Ok(())
    })?;
    progress(&format!("  {} of them; the longest waited {:.2} s", waited.len(), percentile(&waited, 100)));
    operator.terminate()?;
    Ok(waited)
}

fn slow_down(sandbox: &SandboxProcess) -> Outcome<()> {
    Ok(sandbox.set("latency", &json!({"milliseconds": NETWORK_MILLISECONDS}))?)
}

fn of_new_objects(large: &Large) -> Vec<Row> {
    let Large { fresh, fresh_memory, .. } = large;
    let record = fresh.requests.writes_of_the_record();
    let writes = number(fresh.requests.writes() - record) / number(OBJECTS);
    vec![
        Row::of("start to 10,000 new objects Ready", fresh.seconds, Unit::Seconds),
        Row::of("processor time, 10,000 new objects", fresh.processor_time, Unit::Seconds),
        Row::of("peak memory, 10,000 new objects", *fresh_memory, Unit::Mebibytes).at_most(64.0),
        Row::of("writes to a new object and its Events", writes, Unit::Ratio).at_most(3.0),
        Row::of("writes of the record per new object", number(record) / number(OBJECTS), Unit::Ratio),
    ]
}

fn of_settled_objects(settled: &Settled) -> [Row; 10] {
    let Settled { restart, restart_memory, resting_memory, pass, repair } = settled;
    [
        Row::of("restart to 10,000 objects checked", restart.seconds, Unit::Seconds),
        Row::of("processor time, restart", restart.processor_time, Unit::Seconds).at_most(5.0),
        Row::of("peak memory, restart", *restart_memory, Unit::Mebibytes).at_most(64.0),
        Row::of("IAM calls, restart", number(restart.calls.iam()), Unit::Count).at_most(60.0),
        Row::of("writes to Kubernetes, restart", number(restart.requests.writes()), Unit::Count).exactly(0.0),
        Row::of("resting memory", *resting_memory, Unit::Mebibytes).at_most(48.0),
        Row::of("IAM calls, an interval at rest", number(pass.calls.iam()), Unit::Count).at_most(60.0),
        Row::of("processor time, an interval at rest", pass.processor_time, Unit::Seconds).at_most(1.0),
        Row::of("writes to Kubernetes, an interval at rest", number(pass.requests.writes()), Unit::Count)
            .exactly(0.0),
        Row::of("50 of 10,000 policies deleted: all back", *repair, Unit::Seconds),
    ]
}
