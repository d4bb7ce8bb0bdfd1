use std::fs;

use local_cluster::cargo_binary;

use crate::Outcome;

/// The unit of processor times in proc(5) on every architecture: 1/100 s.
const TICKS_PER_SECOND: f64 = 100.0;

/// The most memory that a process has held so far, in MiB: `VmHWM` of proc(5).
pub(crate) fn peak_memory(id: u32) -> Outcome<f64> {
    memory_line(id, "VmHWM:")
}

/// The memory that a process holds now, in MiB: `VmRSS` of proc(5).
pub(crate) fn memory(id: u32) -> Outcome<f64> {
    memory_line(id, "VmRSS:")
}

/// The seconds that a process has spent on processors so far: `utime` and `stime` of proc(5).
pub(crate) fn processor_time(id: u32) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name, which may hold blanks, is the second field and ends with a parenthesis.
    let (_, after_name) = stat.rsplit_once(')').ok_or("/proc has no process name")?;
    let times = after_name.split_whitespace().skip(11).take(2);
    let ticks = times.map(str::parse::<u32>).sum::<Result<u32, _>>()?;
    Ok(f64::from(ticks) / TICKS_PER_SECOND)
}

/// The operator's binary in MB, millions of bytes.
pub(crate) fn binary_size() -> Outcome<f64> {
    let bytes = fs::metadata(cargo_binary("bedrock-access")?)?.len();
    Ok(f64::from(u32::try_from(bytes)?) / 1e6)
}

fn memory_line(id: u32, name: &str) -> Outcome<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
    let kibibytes: u32 = kibibytes.ok_or("a line of /proc is missing")?.parse()?;
    Ok(f64::from(kibibytes) / 1024.0)
}
