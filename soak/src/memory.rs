use std::fs;

use local_cluster::OperatorProcess;

/// In MiB, of one operator at any time.
const MOST: f64 = 64.0;
const GROWTH: f64 = 1.25;
/// What an allocator keeps for itself is no leak.
const SLACK: f64 = 8.0;

/// Resident memory of the operators, in MiB, by their seats.
#[derive(Default)]
pub(crate) struct Memory {
    last: [Option<(u32, f64)>; 2],
    begun: [Option<(u32, f64)>; 2],
    peak: f64,
}

/// Lines for the table, and what is too much.
pub(crate) struct Judged {
    pub(crate) rows: Vec<(String, String)>,
    pub(crate) problems: Vec<String>,
}

impl Memory {
    pub(crate) fn sample(&mut self, seat: usize, operator: &OperatorProcess) {
        let id = operator.id();
        if let Some(resident) = of_process(id, "VmRSS:") {
            self.last[seat] = Some((id, resident));
        }
        self.peak = self.peak.max(of_process(id, "VmHWM:").unwrap_or_default());
    }

    /// What was sampled last is what later samples are held against.
    pub(crate) fn begin(&mut self) {
        self.begun = self.last;
    }

    pub(crate) fn judged(&self) -> Judged {
        let mut rows = vec![("peak memory of any operator".to_owned(), format!("{:.1} MiB", self.peak))];
        let mut problems = Vec::new();
        if self.peak > MOST {
            problems.push(format!("an operator took {:.1} MiB, more than {MOST}", self.peak));
        }
        let mut largest = [0.0_f64; 2];
        for (seat, samples) in self.begun.iter().zip(&self.last).enumerate() {
            let (Some((first, begun)), Some((second, last))) = samples else {
                problems.push(format!("the memory of operator {seat} is not known"));
                continue;
            };
            largest = [largest[0].max(*begun), largest[1].max(*last)];
            let what = format!("memory of operator {seat}, late in the storm and at the end");
            let same = if first == second { "" } else { " (another process)" };
            rows.push((what, format!("{begun:.1} → {last:.1} MiB{same}")));
        }
        // Who only follows has not warmed up, so the one is held against the other.
        let [begun, last] = largest;
        if last > (begun * GROWTH).max(begun + SLACK) {
            problems.push(format!("the memory of the operators grew from {begun:.1} to {last:.1} MiB"));
        }
        Judged { rows, problems }
    }
}

/// A field of `/proc/PID/status` in kB (proc(5)), as MiB.
fn of_process(id: u32, field: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"))?;
    Some(f64::from(kibibytes.parse::<u32>().ok()?) / 1024.0)
}
