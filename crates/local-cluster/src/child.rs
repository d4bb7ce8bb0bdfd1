use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::watchdog::Watchdog;
use crate::{Error, Result, wait_until};

const TAIL_LINES: usize = 20;
const LIMIT_TO_STOP: Duration = Duration::from_secs(10);

/// A running server with its output in a log file. It is killed when this value is dropped or this process ends.
#[derive(Debug)]
pub(crate) struct ChildProcess {
    name: String,
    log: PathBuf,
    child: Child,
    _watchdog: Watchdog,
}

impl ChildProcess {
    /// Output is appended to `log`, so that a restarted server keeps one log.
    pub(crate) fn start(name: &str, mut command: Command, log: PathBuf) -> Result<Self> {
        let cannot_log = || Error::io(format!("cannot write {}", log.display()));
        let output = File::options().create(true).append(true).open(&log).map_err(cannot_log())?;
        let errors = output.try_clone().map_err(cannot_log())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            // An interrupt from the terminal is for the owner, which then ends its children in order.
            .process_group(0)
            .spawn()
            .map_err(Error::io(format!("cannot start {name}")))?;
        let watchdog = Watchdog::ending_process(child.id())?;
        Ok(Self { name: name.to_owned(), log, child, _watchdog: watchdog })
    }

    /// Waits until `probe` succeeds; fails at once when the process ends before that.
    pub(crate) fn wait_ready<T>(
        &mut self,
        limit: Duration,
        mut probe: impl FnMut() -> std::result::Result<T, String>,
    ) -> Result<T> {
        let name = self.name.clone();
        let outcome = wait_until(&name, limit, || match (self.exit_status(), probe()) {
            (Some(status), _) => Ok(Err(status)),
            (None, Ok(value)) => Ok(Ok(value)),
            (None, Err(seen)) => Err(seen),
        });
        let (log, tail) = (self.log.clone(), self.log_tail());
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(status)) => Err(Error::Ended { name, status, log, tail }),
            Err(_) => Err(Error::NotReady { name, limit, log, tail }),
        }
    }

    pub(crate) fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    pub(crate) fn log_tail(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    /// SIGKILL: the process has no chance to finish anything.
    pub(crate) fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// SIGSTOP: the process stands still as if its machine did, and knows nothing of it.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGTERM, as Kubernetes ends a pod; gives the exit status.
    pub(crate) fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM);
        let name = format!("{} to end after SIGTERM", self.name);
        wait_until(&name, LIMIT_TO_STOP, || self.exit_status().ok_or("it still runs"))
    }

    fn signal(&self, signal: Signal) {
        if let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, signal);
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workdir::Workdir;

    const OWNED_FOLDER: &str = "LOCAL_CLUSTER_TEST_OWNED_FOLDER";

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_process_that_ends_before_it_is_ready_is_reported_with_the_end_of_its_log() {
        let dir = Workdir::new("child-test").unwrap();
        let mut child =
            ChildProcess::start("a server", shell("echo no such flag; exit 3"), dir.join("log")).unwrap();
        let error = child
            .wait_ready(Duration::from_secs(20), || Err::<(), _>(String::new()))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("a server ended with exit status: 3"), "{error}");
        assert!(error.ends_with("no such flag"), "{error}");
    }

    #[test]
    fn a_dropped_process_is_gone_and_so_is_its_folder() {
        let dir = Workdir::new("child-test").unwrap();
        let child = ChildProcess::start("a server", shell("exec sleep 600"), dir.join("log")).unwrap();
        let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let folder = dir.path().to_owned();
        drop((child, dir));
        assert!(rustix::process::test_kill_process(id).is_err());
        assert!(!folder.exists());
    }

    #[test]
    fn a_killed_owner_leaves_no_process_behind() {
        if let Some(folder) = std::env::var_os(OWNED_FOLDER) {
            let folder = PathBuf::from(folder);
            let child = ChildProcess::start("a server", shell("exec sleep 600"), folder.join("log")).unwrap();
            fs::write(folder.join("id"), child.id().to_string()).unwrap();
            std::thread::park();
        }
        let dir = Workdir::new("child-test").unwrap();
        let mut owner = Command::new(std::env::current_exe().unwrap());
        owner.args(["a_killed_owner_leaves_no_process_behind"]).env(OWNED_FOLDER, dir.path());
        let mut owner = ChildProcess::start("the owner", owner, dir.join("owner.log")).unwrap();
        let id = owner
            .wait_ready(Duration::from_secs(30), || {
                let id = fs::read_to_string(dir.join("id")).map_err(|error| error.to_string())?;
                id.parse().ok().and_then(Pid::from_raw).ok_or(id)
            })
            .unwrap();
        assert!(rustix::process::test_kill_process(id).is_ok());
        owner.kill();
        wait_until("the server to end", Duration::from_secs(30), || {
            rustix::process::test_kill_process(id).err().ok_or("it still runs")
        })
        .unwrap();
    }
}
