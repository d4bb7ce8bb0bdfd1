use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::{Error, Result, repository, wait_until};

const LIMIT: Duration = Duration::from_mins(2);

/// kubectl or helm with the kubeconfig that it uses, run in the repository's root folder.
#[derive(Clone, Debug)]
pub struct Tool {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Tool {
    pub(crate) fn new(program: PathBuf, kubeconfig: &Path) -> Self {
        Self { program, kubeconfig: kubeconfig.to_owned() }
    }

    /// The standard output of the command; fails when it does not succeed within two minutes.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<String> {
        self.run_with_input(arguments, "")
    }

    /// Like [`Tool::run`], with text for the standard input: `apply -f -`.
    pub fn run_with_input<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        input: &str,
    ) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(repository()).env("KUBECONFIG", &self.kubeconfig);
        // What they remember about a server must not outlive it in the home folder: another may get its port.
        command.env("KUBECACHEDIR", self.kubeconfig.with_extension("cache"));
        run(command, input)
    }

    /// Like [`Tool::run`], for commands that answer with JSON: `get … -o json`.
    pub fn json<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<Value> {
        let text = self.run(arguments)?;
        serde_json::from_str(&text)
            .map_err(|_| Error::Unexpected { what: format!("the JSON of {}", self.program.display()), text })
    }
}

fn run(mut command: Command, input: &str) -> Result<String> {
    let typed = typed(&command);
    let cannot_run = || Error::io(format!("cannot run `{typed}`"));
    // Files instead of pipes: nothing has to be read while the command runs.
    let capture = || tempfile::NamedTempFile::new().map_err(cannot_run());
    let (output, errors) = (capture()?, capture()?);
    let reopen = |file: &tempfile::NamedTempFile| file.reopen().map_err(cannot_run());
    command.stdin(Stdio::piped()).stdout(reopen(&output)?).stderr(reopen(&errors)?);
    let mut child = command.spawn().map_err(cannot_run())?;
    if let Some(mut pipe) = child.stdin.take() {
        // A command that ends without reading its input says why in its own output.
        drop(pipe.write_all(input.as_bytes()));
    }
    let finished = wait_until(&typed, LIMIT, || child.try_wait().ok().flatten().ok_or("it still runs"));
    let read = |file: &tempfile::NamedTempFile| std::fs::read_to_string(file.path()).unwrap_or_default();
    match finished {
        Ok(status) if status.success() => Ok(read(&output)),
        Ok(status) => {
            Err(Error::CommandFailed { command: typed, status, output: read(&errors) + &read(&output) })
        }
        Err(_) => {
            drop(child.kill());
            drop(child.wait());
            Err(Error::CommandTimedOut {
                command: typed,
                limit: LIMIT,
                output: read(&errors) + &read(&output),
            })
        }
    }
}

fn typed(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_reported_as_typed_with_its_own_words() {
        let tool = Tool::new("/bin/sh".into(), Path::new("/nowhere"));
        let error = tool.run(["-c", "echo out; echo why >&2; exit 4"]).unwrap_err().to_string();
        assert_eq!(error, "`sh -c echo out; echo why >&2; exit 4` ended with exit status: 4:\nwhy\nout\n");
    }

    #[test]
    fn a_command_reads_its_input_and_knows_the_kubeconfig() {
        let tool = Tool::new("/bin/sh".into(), Path::new("/nowhere"));
        assert_eq!(tool.run_with_input(["-c", "cat; printf $KUBECONFIG"], "in ").unwrap(), "in /nowhere");
    }
}
