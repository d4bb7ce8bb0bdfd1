use std::io::Write;
use std::process::{Child, Command, Stdio};

use std::os::unix::process::CommandExt;

use crate::{Error, Result};

/// A shell that outlives this process by a moment to clean up after it.
///
/// It reads from a pipe that only this process holds: the end of the pipe without a word before it means that this
/// process is gone without having cleaned up, however it died.
#[derive(Debug)]
pub(crate) struct Watchdog(Child);

impl Watchdog {
    pub(crate) fn ending_process(id: u32) -> Result<Self> {
        Self::start(r#"kill -KILL "$1" 2>/dev/null"#, &id.to_string())
    }

    pub(crate) fn removing_folder(path: &str) -> Result<Self> {
        // The processes that write into the folder are ended by watchdogs of their own, at the same moment.
        Self::start(r#"sleep 1; rm -rf -- "$1""#, path)
    }

    fn start(orphaned: &str, argument: &str) -> Result<Self> {
        let script = format!("trap '' HUP INT TERM; read -r _ || {{ {orphaned}; }}");
        Command::new("sh")
            .args(["-c", &script, "watchdog", argument])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map(Self)
            .map_err(Error::io("cannot start a watchdog"))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.0.stdin.take() {
            drop(pipe.write_all(b"done\n"));
        }
        drop(self.0.wait());
    }
}
