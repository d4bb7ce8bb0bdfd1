use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

pub type Result<T> = std::result::Result<T, Error>;

/// What kept a process from starting or a command from succeeding; the text holds the end of the process's own output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("`{command}` ended with {status}:\n{output}")]
    CommandFailed { command: String, status: ExitStatus, output: String },
    #[error("`{command}` was ended after {} s without a result:\n{output}", limit.as_secs())]
    CommandTimedOut { command: String, limit: Duration, output: String },
    #[error("{name} ended with {status}; the end of its log {}:\n{tail}", log.display())]
    Ended { name: String, status: ExitStatus, log: PathBuf, tail: String },
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("{} does not exist: run `{remedy}` first", path.display())]
    NotBuilt { path: PathBuf, remedy: String },
    #[error("{name} was not ready after {} s; the end of its log {}:\n{tail}", limit.as_secs(), log.display())]
    NotReady { name: String, limit: Duration, log: PathBuf, tail: String },
    #[error("waited {} s for {what}; last seen: {seen}", limit.as_secs())]
    TimedOut { what: String, limit: Duration, seen: String },
    #[error("{what} is not what was expected: {text}")]
    Unexpected { what: String, text: String },
}

impl Error {
    /// For `map_err`: names what was being done when the system refused.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source }
    }
}
