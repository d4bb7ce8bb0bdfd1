//! `aws-sandbox`: serves an in-memory AWS until it is told to end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aws_sandbox::{Config, Sandbox, Seed, SeedError, serve};
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// An in-memory AWS (IAM, STS, Bedrock's control plane) for tests and demonstrations.
#[derive(Parser)]
#[command(name = "aws-sandbox")]
struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Roles, profiles and models to begin with (JSON)
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// The account of everything in the sandbox
    #[arg(long, default_value = "111122223333", value_name = "ID", value_parser = account)]
    account: String,
    /// The partition of every ARN
    #[arg(long, default_value = "aws", value_name = "NAME")]
    partition: String,
    /// The Region of requests that are not signed
    #[arg(long, default_value = "us-east-1", value_name = "NAME")]
    default_region: String,
    /// Where to write the port, once it listens
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
}

/// Why the sandbox could not be served.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Seed(#[from] SeedError),
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error("cannot write the port to {path}: {1}", path = .0.display())]
    PortFile(PathBuf, std::io::Error),
    #[error("cannot accept connections: {0}")]
    Serve(std::io::Error),
    #[error("cannot wait for signals: {0}")]
    Signals(std::io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("aws-sandbox: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let seed = arguments.seed.as_deref().map(Seed::read).transpose()?.unwrap_or_default();
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::Signals)?;
    let cannot_listen = |error| Failure::Listen(arguments.listen, error);
    let listener = TcpListener::bind(arguments.listen).await.map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    let sandbox = Sandbox::new(Config {
        account: arguments.account,
        partition: arguments.partition,
        default_region: arguments.default_region,
        seed,
    });
    if let Some(file) = arguments.port_file {
        write_port(&file, address).map_err(|error| Failure::PortFile(file, error))?;
    }
    println!("aws-sandbox: listening on http://{address}");
    tokio::select! {
        served = serve(sandbox, listener) => served.map_err(Failure::Serve),
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

/// Whoever waits for the file must not read half of it.
fn write_port(file: &Path, address: SocketAddr) -> std::io::Result<()> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".unfinished");
    std::fs::write(&unfinished, format!("{}\n", address.port()))?;
    std::fs::rename(&unfinished, file)
}

fn account(text: &str) -> Result<String, &'static str> {
    let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { Ok(text.to_owned()) } else { Err("an account id has twelve digits") }
}
