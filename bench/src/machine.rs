use std::fs;

use serde::{Deserialize, Serialize};

use crate::{Outcome, progress};

/// Above which something else is at work.
const IDLE: f64 = 0.5;

/// What was measured on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    cores: usize,
    processor: String,
    kernel: String,
    /// Before the run, over a minute; what else runs makes every time longer.
    load: f64,
}

impl Machine {
    pub(crate) fn look() -> Outcome<Self> {
        let processors = fs::read_to_string("/proc/cpuinfo")?;
        let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = fs::read_to_string("/proc/loadavg")?;
        let load = load.split_whitespace().next().ok_or("the load is unknown")?.parse()?;
        if load > IDLE {
            progress(&format!("this machine is not idle: its load is {load}, and times will be longer"));
        }
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            processor: model.map(|(_, name)| name.to_owned()).unwrap_or_default(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            load,
        })
    }
}
