//! `make soak`: everything at once, for minutes, and then quiet: what must be true again is checked object by object.

mod author;
mod consent;
mod expected;
mod faults;
mod fleet;
mod foreign;
mod iam;
mod judge;
mod lineage;
mod manifest;
mod memory;
mod operators;
mod owners;
mod replies;
mod rest;
mod routes;
mod stage;
mod storm;
mod strangers;
mod table;
mod targets;
mod told;
mod verdict;
mod windows;

use std::collections::BTreeMap;
use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fastrand::Rng;

use author::Authors;
use judge::Judge;
use stage::Stage;
use storm::Storm;
use table::Table;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What was done, and how often.
type Counts = BTreeMap<String, u64>;

/// An object's longest pause after failures is five minutes.
const CONVERGENCE: Duration = Duration::from_mins(7);

const LEAST_SECONDS: u64 = 30;

fn main() -> ExitCode {
    match soaked() {
        Ok((table, problems)) => {
            println!("{}", table.markdown());
            for problem in &problems {
                eprintln!("{problem}");
            }
            if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("The soak stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

fn soaked() -> Outcome<(Table, Vec<String>)> {
    let seconds = setting("SOAK_SECONDS")?.unwrap_or(600).max(LEAST_SECONDS);
    let seed = setting("SOAK_SEED")?.unwrap_or_else(|| fastrand::u64(..));
    progress(&format!("SOAK_SEED={seed} SOAK_SECONDS={seconds}: {} objects", fleet::OBJECTS));
    let mut rng = Rng::with_seed(seed);

    let stage = Stage::set()?;
    progress(&format!("logs of the operators: {}", stage.logs.display()));
    let mut storm = Storm::brew(&stage, &mut rng)?;
    progress("waiting until every object is as its manifest wants it");
    let judge = Judge::new(&stage)?;
    judge.wait_for_convergence(&mut storm, CONVERGENCE)?;

    progress("the storm begins");
    let began = Instant::now();
    storm.rage(Duration::from_secs(seconds))?;
    let raged = began.elapsed();

    progress("quiet: faults are cleared, everything runs");
    storm.calm()?;
    let judge = Judge::new(&stage)?;
    let quiet = Instant::now();
    let mut problems = match judge.wait_for_convergence(&mut storm, CONVERGENCE) {
        Ok(()) => Vec::new(),
        Err(error) => vec![error.to_string()],
    };
    let converged = quiet.elapsed();

    progress(&format!("at rest for {} s", rest::REST.as_secs()));
    let rest = rest::watch(&stage)?;
    // What has not converged has no rest.
    if problems.is_empty() {
        problems.extend(rest.problems());
        problems.extend(judge.problems(&storm)?);
    }
    let authors = Authors::read(&stage, &storm)?;
    problems.extend(authors.problems.iter().cloned());
    storm.operators.look();
    storm.operators.keep_logs()?;
    let memory = storm.operators.memory.judged();
    problems.extend(memory.problems.iter().cloned());
    problems.extend(storm.operators.problems.iter().cloned());

    let mut table = Table::new("soak");
    table.row("seed", &seed);
    table.row("storm", &format!("{} s", raged.as_secs()));
    table.rows("", &storm.counts);
    table.rows("", &storm.operators.counts);
    table.row("objects gone of which an Event says that the policy stays", &stage.orphans_told()?.len());
    table.rows("owners: ", &storm.owners.counts);
    table.rows("foreign writer: ", &storm.foreign.counts);
    table.rows("fault armed: ", &storm.faults.counts);
    let (operations, failures) = stage.operators_calls()?;
    table.rows("operators' calls: ", &operations);
    table.rows("operators' calls not Ok: ", &failures);
    table.rows("operators' policy writes: ", &authors.counts);
    table.row("slowest end after SIGTERM", &format!("{:.2} s", storm.operators.slowest_end.as_secs_f64()));
    table.row("quiet to converged", &format!("{:.1} s", converged.as_secs_f64()));
    table.row("AWS writes at rest", &rest.aws_writes.len());
    table.row("Kubernetes writes at rest, leases apart", &rest.kubernetes_writes.len());
    table.row("AWS reads at rest", &rest.aws_reads);
    memory.rows.iter().for_each(|(what, value)| table.row(what, value));
    table.row("problems", &problems.len());
    table.row("result", &if problems.is_empty() { "pass" } else { "FAIL" });
    Ok((table, problems))
}

fn setting(name: &str) -> Outcome<Option<u64>> {
    match env::var(name) {
        Ok(text) if !text.is_empty() => {
            Ok(Some(text.parse().map_err(|_| format!("{name} is no number: {text}"))?))
        }
        _ => Ok(None),
    }
}

/// On standard error: standard output holds the table alone.
fn progress(text: &str) {
    eprintln!("{text}");
}

fn count(counts: &mut Counts, what: &str, more: u64) {
    *counts.entry(what.to_owned()).or_default() += more;
}
