//! `make bench` and `make attacks`: what the operator takes, and what one tenant can cost another, measured from outside on a real
//! control plane and the AWS sandbox.

mod attacks;
mod calls;
mod convergence;
mod fleet;
mod floor;
mod process;
mod scale;
mod stage;
mod start_up;
mod table;

use std::process::ExitCode;

use convergence::{CONCURRENCY, RATE};
use fleet::{Fleet, OBJECTS};
use stage::Stage;
use table::{Row, Unit};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let rows = match arguments[..] {
        _ if cfg!(debug_assertions) => {
            Err("only a release build is worth measuring: run `make bench` or `make attacks`".into())
        }
        [] => measured(),
        ["scale"] => scale::measure(),
        ["attacks"] => attacks::measure(None),
        ["attacks", scene] => attacks::measure(Some(scene)),
        _ => Err("usage: bench [scale | attacks [SCENE]]".into()),
    };
    match rows {
        Ok(rows) => {
            println!("{}", table::markdown(&rows));
            let missed = rows.iter().filter(|row| row.is_missed()).count();
            if missed == 0 {
                ExitCode::SUCCESS
            } else {
                eprintln!("{missed} limits are missed");
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("The benchmark stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measured() -> Outcome<Vec<Row>> {
    let cores = std::thread::available_parallelism()?;
    progress(&format!(
        "{cores} cores; {OBJECTS} objects with --iam-rate={RATE} --bedrock-rate={RATE} --concurrency={CONCURRENCY}"
    ));
    let stage = Stage::set()?;
    let start = start_up::measure(&stage)?;
    let fleet = Fleet::gather(&stage)?;
    let fresh = convergence::of_new_objects(&stage, &fleet)?;
    let again = convergence::after_a_restart(&stage, &fleet)?;
    Fleet::burden(&stage)?;
    let burdened = convergence::after_a_restart(&stage, &fleet)?;
    let floor = floor::measure(&fleet, CONCURRENCY)?;

    let pairs = f64::from(u32::try_from(fleet::questions().len())?);
    Ok(vec![
        Row::of("binary size", process::binary_size()?, Unit::Megabytes).at_most(25.0),
        Row::of("start to first policy written, 1 new object", start.first_write, Unit::Seconds).at_most(0.5),
        Row::of("start to first object Ready, 1 new object", start.first_ready, Unit::Seconds).at_most(0.5),
        Row::of("start to first policy written, 1,000 new objects", fresh.first_call, Unit::Seconds),
        Row::of("peak memory, 1,000 new objects", fresh.peak_memory, Unit::Mebibytes).at_most(64.0),
        Row::of("peak memory, restart with 1,000 objects", again.peak_memory, Unit::Mebibytes).at_most(64.0),
        Row::of("the same beside 400 with 250 KiB of annotations", burdened.peak_memory, Unit::Mebibytes)
            .at_most(64.0),
        Row::of("IAM calls per new object, the most", fresh.calls.most_iam_calls, Unit::Count).at_most(4.0),
        Row::of("IAM calls per unchanged object, the most", again.calls.most_iam_calls, Unit::Count),
        Row::of("GetInferenceProfile calls, 1,000 new objects", fresh.calls.questions, Unit::Count)
            .exactly(pairs),
        Row::of("GetInferenceProfile calls, restart", again.calls.questions, Unit::Count).exactly(pairs),
        Row::of("writes to Kubernetes per new object", fresh.kubernetes_writes, Unit::Count).at_most(3.0),
        Row::of("writes to Kubernetes, restart", again.kubernetes_writes, Unit::Count).exactly(0.0),
        Row::of("start to 1,000 new objects Ready", fresh.took, Unit::Seconds),
        Row::of("of which the operator's processor time", fresh.processor_time, Unit::Seconds),
        Row::of("restart to 1,000 objects checked", again.took, Unit::Seconds),
        Row::of("floor: the same IAM requests, nothing else", floor, Unit::Seconds),
        Row::of("1,000 new objects Ready / floor", fresh.took / floor, Unit::Ratio),
    ])
}

/// On standard error: standard output holds the table alone.
fn progress(text: &str) {
    eprintln!("{text}");
}
