//! Logs on standard error, as text or as one JSON object a line, and how an error is written there.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Starts logging. `filter` is a level, or a tracing filter such as `info,bedrock_access=debug`.
pub fn start(format: LogFormat, filter: EnvFilter) {
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Json => logs.json().flatten_event(true).init(),
        LogFormat::Text => logs.init(),
    }
}

/// An error with all its causes, each once: many libraries repeat a cause in the text of what it caused.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Error {
        #[error("the call failed")]
        Call(#[source] Box<Self>),
        #[error("cannot connect: {0}")]
        Repeats(#[source] Box<Self>),
        #[error("connection refused")]
        Refused,
    }

    #[test]
    fn every_cause_is_told_once() {
        let repeats = Error::Repeats(Box::new(Error::Refused));
        assert_eq!(
            chain(&Error::Call(Box::new(repeats))),
            "the call failed: cannot connect: connection refused"
        );
        let hidden = Error::Call(Box::new(Error::Call(Box::new(Error::Refused))));
        assert_eq!(chain(&hidden), "the call failed: connection refused");
    }
}
