//! `make demo`: the whole story of a `BedrockAccess` on a real control plane and the AWS sandbox.

mod aws;
mod keep;
mod narration;
mod stage;
mod story;

use std::env;
use std::process::ExitCode;

use narration::say;
use stage::Stage;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demonstration stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let stage = Stage::set()?;
    story::tell(&stage).await?;
    if env::var_os("KEEP").is_some_and(|keep| !keep.is_empty()) {
        keep::until_interrupted(&stage).await?;
    } else {
        say("\nEverything that was started ends now. `make demo KEEP=1` leaves it running.");
        keep::say_how_to_use_a_real_account();
    }
    Ok(())
}
