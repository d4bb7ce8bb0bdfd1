//! `make bench`, `make scale` and `make attacks`: what the operator takes, and what one tenant can cost another, measured from outside
//! on a real control plane and the AWS sandbox.

mod attacks;
mod calls;
mod chart;
mod comparison;
mod fleet;
mod floor;
mod machine;
mod meter;
mod objects;
mod people;
mod process;
mod report;
mod requests;
mod scale;
mod stage;
mod start_up;
mod statistics;
mod table;
mod thousand;
mod work;
mod workers;

use std::process::ExitCode;

use local_cluster::repository;

use machine::Machine;
use report::Report;
use table::Row;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    // As in the operator: two libraries bring TLS. It can only fail when a provider is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(missed) => {
            eprintln!("{missed} limits are missed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("The benchmark stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How many limits are missed.
fn run(arguments: &[&str]) -> Outcome<usize> {
    if cfg!(debug_assertions) {
        return Err("only a release build is worth measuring: run `make bench` or `make attacks`".into());
    }
    match arguments {
        [] => saved("bench", thousand::measure),
        ["scale"] => saved("scale", scale::measure),
        ["attacks"] => attacks::measure(None).map(|rows| printed(&rows, &table::markdown(&rows))),
        ["attacks", scene] => {
            attacks::measure(Some(scene)).map(|rows| printed(&rows, &table::markdown(&rows)))
        }
        _ => Err("usage: bench [scale | attacks [SCENE]]".into()),
    }
}

fn saved(name: &str, measure: impl FnOnce() -> Outcome<Report>) -> Outcome<usize> {
    let machine = Machine::look()?;
    let report = measure()?;
    report.save(&repository().join("docs"), name, machine)?;
    Ok(printed(&report.rows, &report.markdown()))
}

fn printed(rows: &[Row], text: &str) -> usize {
    println!("{text}");
    rows.iter().filter(|row| row.is_missed()).count()
}

/// On standard error: standard output holds the table alone.
fn progress(text: &str) {
    eprintln!("{text}");
}
