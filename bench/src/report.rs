//! What a run found: as a table for people, and as JSON beside what the other run found.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Outcome;
use crate::chart::{self, Bars, Point};
use crate::machine::Machine;
use crate::meter::Cost;
use crate::statistics::rounded;
use crate::table::{self, Row};

/// What the operator, or the floor, did in one part of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Phase {
    name: String,
    seconds: f64,
    processor_seconds: f64,
    aws: BTreeMap<String, u64>,
    kubernetes: BTreeMap<String, u64>,
}

/// What one run found.
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) phases: Vec<Phase>,
    pub(crate) bars: Vec<Bars>,
    pub(crate) growth: Vec<Point>,
}

/// Of one run in the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Section {
    machine: Option<Machine>,
    rows: Vec<Value>,
    phases: Vec<Phase>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bars: Vec<Bars>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    growth: Vec<Point>,
}

impl Phase {
    pub(crate) fn of(name: &str, cost: &Cost) -> Self {
        Self {
            name: name.to_owned(),
            seconds: rounded(cost.seconds),
            processor_seconds: rounded(cost.processor_time),
            aws: cost.calls.by_operation().clone(),
            kubernetes: cost.requests.counts().clone(),
        }
    }
}

impl Report {
    pub(crate) fn markdown(&self) -> String {
        format!("{}\n\n{}", table::markdown(&self.rows), counts(&self.phases))
    }

    /// Replaces what an earlier run of the name found in `benchmarks.json`, and draws `benchmarks.svg` anew.
    pub(crate) fn save(&self, folder: &Path, name: &str, machine: Machine) -> Outcome<()> {
        let file = folder.join("benchmarks.json");
        let mut sections: BTreeMap<String, Section> = match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error.into()),
        };
        let section = Section {
            machine: Some(machine),
            rows: self.rows.iter().map(Row::json).collect(),
            phases: self.phases.clone(),
            bars: self.bars.clone(),
            growth: self.growth.clone(),
        };
        sections.insert(name.to_owned(), section);
        fs::write(&file, serde_json::to_string_pretty(&sections)? + "\n")?;
        let bars: Vec<Bars> = sections.values().flat_map(|section| section.bars.clone()).collect();
        let growth: Vec<Point> = sections.values().flat_map(|section| section.growth.clone()).collect();
        fs::write(folder.join("benchmarks.svg"), chart::svg(&bars, &growth))?;
        Ok(())
    }
}

/// A table of calls and requests: a line for each kind, a column for each part of the run.
fn counts(phases: &[Phase]) -> String {
    let mut lines = vec![line("", phases, |phase| phase.name.clone())];
    for (service, of) in [("AWS", aws as fn(&Phase) -> &BTreeMap<String, u64>), ("Kubernetes", kubernetes)] {
        let keys: BTreeSet<&String> = phases.iter().flat_map(|phase| of(phase).keys()).collect();
        lines.extend(keys.into_iter().map(|key| {
            line(&format!("{service}: {key}"), phases, |phase| {
                of(phase).get(key).map(u64::to_string).unwrap_or_default()
            })
        }));
    }
    table::grid(&lines)
}

fn line(head: &str, phases: &[Phase], cell: impl Fn(&Phase) -> String) -> Vec<String> {
    std::iter::once(head.to_owned()).chain(phases.iter().map(cell)).collect()
}

fn aws(phase: &Phase) -> &BTreeMap<String, u64> {
    &phase.aws
}

fn kubernetes(phase: &Phase) -> &BTreeMap<String, u64> {
    &phase.kubernetes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(name: &str, aws: &[(&str, u64)], kubernetes: &[(&str, u64)]) -> Phase {
        let owned = |counts: &[(&str, u64)]| {
            counts.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect::<BTreeMap<_, _>>()
        };
        let (aws, kubernetes) = (owned(aws), owned(kubernetes));
        Phase { name: name.to_owned(), seconds: 1.0, processor_seconds: 1.0, aws, kubernetes }
    }

    #[test]
    fn the_table_of_counts_has_a_line_for_each_kind_and_a_column_for_each_part() {
        let phases = [phase("new", &[("GetRole", 9)], &[("POST events", 3)]), phase("rest", &[], &[])];
        let expected = "\
|                         | new | rest |
|-------------------------|----:|-----:|
| AWS: GetRole            |   9 |      |
| Kubernetes: POST events |   3 |      |";
        assert_eq!(counts(&phases), expected);
    }

    #[test]
    fn a_run_replaces_what_it_found_before_and_nothing_of_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine::look().unwrap();
        let report = |name: &str, growth: Vec<Point>| Report {
            rows: Vec::new(),
            phases: vec![phase(name, &[], &[])],
            bars: Vec::new(),
            growth,
        };
        let point = Point { objects: 100, seconds: 1.0, calls: 400, mebibytes: 20.0 };
        report("old", Vec::new()).save(folder.path(), "bench", machine.clone()).unwrap();
        report("large", vec![point]).save(folder.path(), "scale", machine.clone()).unwrap();
        report("new", Vec::new()).save(folder.path(), "bench", machine).unwrap();
        let text = fs::read_to_string(folder.path().join("benchmarks.json")).unwrap();
        let saved: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(saved["bench"]["phases"][0]["name"], "new");
        assert_eq!(saved["scale"]["growth"][0]["calls"], 400);
        assert!(folder.path().join("benchmarks.svg").exists());
    }
}
