//! The command line.

mod orphans;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::RunArgs;
use crate::telemetry::chain;
use crate::{operator, telemetry};
use orphans::OrphansArgs;

/// Keeps IAM policies in step with Amazon Bedrock's inference profiles.
#[derive(Parser, Debug)]
#[command(name = "bedrock-access", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the operator
    Run(Box<RunArgs>),
    /// List the operator's policies whose BedrockAccess is gone
    Orphans(Box<OrphansArgs>),
    /// Print the CustomResourceDefinition
    Crd,
}

/// Does what was typed; errors go to standard error.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => {
            telemetry::start(args.log_format, args.log_level.clone());
            match operator::run(*args) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    tracing::error!(error = %chain(&error), "the operator cannot run");
                    ExitCode::FAILURE
                }
            }
        }
        Command::Orphans(args) => orphans::main(*args),
        Command::Crd => match bedrock_access_api::crd_yaml() {
            Ok(yaml) => {
                print!("{yaml}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("bedrock-access: {}", chain(&error));
                ExitCode::FAILURE
            }
        },
    }
}
