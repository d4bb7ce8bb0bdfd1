//! What 1,000 objects take.

use std::thread;
use std::time::Duration;

use crate::chart::Bars;
use crate::comparison::{self, Comparison, OBJECTS, Scene};
use crate::meter::Cost;
use crate::people::People;
use crate::report::{Phase, Report};
use crate::stage::NAMESPACE;
use crate::statistics::{number, percentile, rounded};
use crate::table::{Row, Unit};
use crate::work::{INTERVAL, Work, each_minute, unhindered};
use crate::{Outcome, fleet, process, progress, start_up};

/// The most that the operator may take, as a multiple of the floor.
const RATIO: f64 = 1.25;

/// Objects that a tenant makes as large as it can: 256 KiB of annotations is what Kubernetes takes.
const HEAVY: usize = 400;

/// A namespace without a part in the 1,000.
const NEIGHBOURS: &str = "neighbours";

const NETWORK: Duration = Duration::from_millis(20);

/// After the last object is Ready, until nothing is under way any more.
const REST: Duration = Duration::from_secs(10);

pub(crate) fn measure() -> Outcome<Report> {
    let start = start_up::measure()?;
    let at_once = comparison::measure(Duration::ZERO, 2)?;
    let in_time = comparison::measure(NETWORK, 1)?;
    let settled = settled(&at_once.scene)?;
    let burdened = burdened(&at_once.scene)?;
    let people = people()?;
    let fresh = at_once.operator.last().ok_or("the operator did not run")?;
    let floor = at_once.floor.last().ok_or("the floor did not run")?;

    let mut rows = vec![
        Row::of("binary size", process::binary_size()?, Unit::Megabytes).at_most(25.0),
        Row::of("start to first policy written, 1 new object", start.first_write, Unit::Seconds).at_most(0.5),
        Row::of("start to first object Ready, 1 new object", start.first_ready, Unit::Seconds).at_most(0.5),
    ];
    rows.extend(compared(&at_once));
    rows.extend(compared(&in_time));
    rows.extend(of_new_objects(fresh)?);
    rows.extend([
        Row::of("peak memory, 1,000 new objects", at_once.peak_memory, Unit::Mebibytes).at_most(64.0),
        Row::of("peak memory, restart", settled.restart_memory, Unit::Mebibytes).at_most(64.0),
        Row::of("the same beside 400 with 250 KiB of annotations", burdened, Unit::Mebibytes).at_most(64.0),
        Row::of("resting memory", settled.resting_memory, Unit::Mebibytes).at_most(48.0),
    ]);
    rows.extend(of_settled_objects(&settled)?);
    rows.extend(people.into_iter().flat_map(|(when, waited)| waits(when, &waited)));
    let phases = [
        ("new", fresh),
        ("floor", floor),
        ("restart", &settled.restart),
        ("change", &settled.change),
        ("at rest", &settled.pass),
    ];
    let phases = phases.map(|(name, cost)| Phase::of(name, cost)).into();
    let bars = vec![bars(&at_once)?, bars(&in_time)?];
    Ok(Report { rows, phases, bars, growth: Vec::new() })
}

fn bars(comparison: &Comparison) -> Outcome<Bars> {
    Ok(Bars {
        latency_milliseconds: comparison.latency.as_millis().try_into()?,
        operator: rounded(comparison::mean(&comparison.operator)),
        floor: rounded(comparison::mean(&comparison.floor)),
        limit: RATIO,
    })
}

fn compared(comparison: &Comparison) -> [Row; 3] {
    let each = format!("{} ms a call", comparison.latency.as_millis());
    let (operator, floor) = (comparison::mean(&comparison.operator), comparison::mean(&comparison.floor));
    [
        Row::of(format!("1,000 new objects Ready, {each}"), operator, Unit::Seconds),
        Row::of(format!("floor: the same requests alone, {each}"), floor, Unit::Seconds),
        Row::of(format!("operator / floor, {each}"), operator / floor, Unit::Ratio).at_most(RATIO),
    ]
}

fn of_new_objects(fresh: &Cost) -> Outcome<[Row; 5]> {
    let pairs = fleet::questions();
    let record = fresh.requests.writes_of_the_record();
    Ok([
        Row::of("processor time, 1,000 new objects", fresh.processor_time, Unit::Seconds),
        Row::of("IAM calls per new object, the most", number(fresh.calls.most_about_a_role()), Unit::Count)
            .at_most(4.0),
        Row::of(
            "GetInferenceProfile calls, 1,000 new objects",
            number(fresh.calls.questions(&pairs)?),
            Unit::Count,
        )
        .exactly(number(pairs.len())),
        Row::of(
            "writes to a new object and its Events",
            number(fresh.requests.writes() - record) / number(OBJECTS),
            Unit::Ratio,
        )
        .at_most(3.0),
        Row::of("writes of the record per new object", number(record) / number(OBJECTS), Unit::Ratio),
    ])
}

fn of_settled_objects(settled: &Settled) -> Outcome<[Row; 10]> {
    let Settled { restart, change, pass, .. } = settled;
    let pairs = fleet::questions();
    Ok([
        Row::of("restart to 1,000 objects checked", restart.seconds, Unit::Seconds),
        Row::of("processor time, restart", restart.processor_time, Unit::Seconds),
        Row::of("IAM calls, restart", number(restart.calls.iam()), Unit::Count),
        Row::of("GetInferenceProfile calls, restart", number(restart.calls.questions(&pairs)?), Unit::Count)
            .exactly(number(pairs.len())),
        Row::of("writes to Kubernetes, restart", number(restart.requests.writes()), Unit::Count).exactly(0.0),
        Row::of("all 1,000 objects changed and Ready again", change.seconds, Unit::Seconds),
        Row::of("processor time, change", change.processor_time, Unit::Seconds),
        Row::of("IAM calls, an interval at rest", number(pass.calls.iam()), Unit::Count),
        Row::of("writes to Kubernetes, an interval at rest", number(pass.requests.writes()), Unit::Count)
            .exactly(0.0),
        Row::of("processor time, an interval at rest", pass.processor_time, Unit::Seconds),
    ])
}

/// How long people wait for a new object of theirs.
pub(crate) fn waits(when: &str, waited: &[f64]) -> [Row; 2] {
    let row = |hundredths| {
        let what = format!("someone's new object Ready, {when}, p{hundredths}");
        Row::of(what, percentile(waited, hundredths), Unit::Seconds)
    };
    [row(50), row(99)]
}

/// 1,000 objects that are Ready.
struct Settled {
    restart: Cost,
    restart_memory: f64,
    change: Cost,
    pass: Cost,
    resting_memory: f64,
}

fn settled(scene: &Scene) -> Outcome<Settled> {
    progress("restart, then a change of every object");
    let Scene { stage, sandbox } = scene;
    let (work, restart) = Work::start(stage, sandbox, &unhindered(), OBJECTS)?;
    let restart_memory = work.peak_memory()?;
    let change = work.change_all(OBJECTS)?;
    work.end()?;
    progress("an interval at rest");
    let (work, _) = Work::start(stage, sandbox, &each_minute(), OBJECTS)?;
    thread::sleep(REST);
    let pass = work.pass(INTERVAL)?;
    let resting_memory = work.resting_memory()?;
    work.end()?;
    Ok(Settled { restart, restart_memory, change, pass, resting_memory })
}

/// The peak memory of a restart beside objects that are as large as Kubernetes takes them, for roles that do not exist.
fn burdened(scene: &Scene) -> Outcome<f64> {
    progress(&format!("restart beside {HEAVY} objects with 250 KiB of annotations each"));
    let Scene { stage, sandbox } = scene;
    let mut heavy = fleet::manifests((0..HEAVY).map(|index| format!("heavy-{index:04}")))?;
    for object in &mut heavy {
        object.metadata.annotations = Some([("example.com/text".to_owned(), "x".repeat(250 * 1024))].into());
    }
    stage.create_all(heavy)?;
    let (work, _) = Work::start(stage, sandbox, &unhindered(), OBJECTS)?;
    let peak_memory = work.peak_memory()?;
    work.end()?;
    Ok(peak_memory)
}

/// How long people wait while the operator is busy, with answers of AWS that take their time.
fn people() -> Outcome<[(&'static str, Vec<f64>); 4]> {
    progress("people with new objects beside 1,000 others");
    let scene = Scene::set(OBJECTS, NETWORK)?;
    let people =
        |when, pace| People { namespace: NAMESPACE, when, pace: Duration::from_millis(pace), at_least: 30 };
    let start = |flags: &[String]| Work::start(&scene.stage, &scene.sandbox, flags, OBJECTS);
    scene.stage.kubectl.run(["create", "namespace", NEIGHBOURS])?;
    let neighbours = People { namespace: NEIGHBOURS, ..people("neighbour", 500) };
    let (((work, _), beside_new), among_new) =
        people("new", 500).come_while(&scene, || neighbours.come_while(&scene, || start(&unhindered())))?;
    work.end()?;
    let ((work, _), in_restart) = people("restart", 100).come_while(&scene, || start(&each_minute()))?;
    let (_, at_rest) = people("rest", 500).come_while(&scene, || work.pass(INTERVAL))?;
    work.end()?;
    Ok([
        ("behind 1,000 new of the same namespace", among_new),
        ("beside 1,000 new of another one", beside_new),
        ("in a restart", in_restart),
        ("at rest", at_rest),
    ])
}
