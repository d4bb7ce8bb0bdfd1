//! `bedrock-access orphans`: what the operator wrote and no object looks after any more.

mod table;

use std::num::NonZeroU32;
use std::process::ExitCode;

use bedrock_iam::consent::Policy as ConsentPolicy;
use bedrock_iam::decide::Change;
use bedrock_iam::orphan::{Installation, Orphan, Standing};
use bedrock_iam::{Fault, Step};
use clap::{Args, ValueEnum};
use kube::Client;

use crate::aws::{self, Caller, Iam};
use crate::config::ConsentArg;
use crate::kubernetes;
use crate::metrics::Metrics;
use crate::orphans::{self, Look};
use crate::telemetry::chain;

/// A person waits; the rest of IAM's limit is for the operator.
const IAM_RATE: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// None is orphaned, or none any more.
const NONE_LEFT: u8 = 0;
/// Some are orphaned.
const SOME_LEFT: u8 = 1;
/// It cannot be told.
const FAILED: u8 = 2;

/// Looks at every role of the account, with the AWS credentials and the kubeconfig at hand.
///
/// Each policy of the operator that no BedrockAccess of this cluster looks after is listed: orphaned (the role consents, or does
/// so no more), retained (the role's tag has a retain: entry for it), or written by another installation, which is never touched.
///
/// Exit code: 0 where nothing is orphaned, or everything that was is removed; 1 where something is; 2 where it cannot be told.
#[derive(Args, Clone, Debug)]
pub(super) struct OrphansArgs {
    /// Remove what is listed as orphaned, after the API server said once more that its object is absent
    #[arg(long)]
    delete: bool,

    /// The cluster id that the policies were written under; default: the UID of the namespace kube-system
    #[arg(long, env = "BEDROCK_ACCESS_CLUSTER_ID", value_name = "ID")]
    cluster_id: Option<String>,

    /// As the operator is set
    #[arg(long, env = "BEDROCK_ACCESS_CONSENT", default_value = "tag")]
    consent: ConsentArg,

    /// How the list is printed
    #[arg(short, long, default_value = "table", value_name = "FORMAT")]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// A line for each policy
    Table,
    /// The same as JSON
    Json,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Kubernetes(#[from] kubernetes::Error),
    #[error(transparent)]
    Aws(#[from] Fault),
    #[error("starting the runtime")]
    Runtime(#[from] std::io::Error),
}

/// What became of a policy that was to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Done {
    Nothing,
    Removed,
    CutOut(String),
    LookedAfter,
    Retained,
    Gone,
    Failed(String),
}

pub(super) fn main(args: OrphansArgs) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.map_err(Error::from).and_then(|runtime| runtime.block_on(run(args)));
    ExitCode::from(ended.unwrap_or_else(|error| {
        eprintln!("bedrock-access: {}", chain(&error));
        FAILED
    }))
}

async fn run(args: OrphansArgs) -> Result<u8, Error> {
    let client = kubernetes::connect_once().await?;
    let cluster_id = match args.cluster_id {
        Some(id) => id,
        None => kubernetes::cluster_id(&client).await?,
    };
    let config = aws::sdk_config(aws::default_loader()).await;
    // Nobody else writes to a policy without an object, so no lease is asked for.
    let caller = Caller::new(IAM_RATE, Metrics::default());
    let aws::Identity { account, .. } = aws::identity(&config, &caller).await?;
    let iam = Iam::unfenced(&config, caller);

    let objects = orphans::list(&client).await.map_err(kubernetes::Error::from)?;
    let consent = ConsentPolicy::from(args.consent);
    let installation = Installation::new(&cluster_id, &account, consent, objects);
    let mut found: Vec<Orphan> = Vec::new();
    iam.scan(|role| found.extend(installation.orphans(&role))).await?;

    let mut listed = Vec::new();
    for orphan in found {
        let done = if args.delete && orphan.standing.is_orphaned() {
            remove(&client, &iam, &orphan).await
        } else {
            Done::Nothing
        };
        listed.push((orphan, done));
    }
    match args.output {
        Output::Table => print!("{}", table::text(&cluster_id, &listed)),
        Output::Json => println!("{}", table::json(&cluster_id, &listed)),
    }
    let is_left = |(orphan, done): &(Orphan, Done)| {
        orphan.standing.is_orphaned() && matches!(done, Done::Nothing | Done::Failed(_))
    };
    Ok(if listed.iter().any(is_left) { SOME_LEFT } else { NONE_LEFT })
}

async fn remove(client: &Client, iam: &Iam, orphan: &Orphan) -> Done {
    let (standing, policy) = match orphans::look(client, iam, &orphan.claim, &orphan.object).await {
        Ok(Look::Orphaned(standing, policy)) => (standing, policy),
        Ok(Look::LookedAfter) => return Done::LookedAfter,
        Ok(Look::Gone) => return Done::Gone,
        Ok(Look::Unknown(fault)) => return Done::Failed(fault.message),
        Err(error) => return Done::Failed(chain(&error)),
    };
    if standing == Standing::Retained {
        return Done::Retained;
    }
    match orphans::take_away(iam, &orphan.claim, &policy).await {
        Ok(Some(Step { change: Change::CutOut { foreign }, .. })) => Done::CutOut(foreign.names()),
        Ok(Some(_)) => Done::Removed,
        Ok(None) => Done::Gone,
        Err(fault) => Done::Failed(fault.message),
    }
}
