//! `bedrock-access orphans`: what the operator wrote and no object looks after any more.

mod cluster;
mod table;

use std::num::NonZeroU32;
use std::pin::pin;
use std::process::ExitCode;

use bedrock_iam::consent::ConsentPolicy;
use bedrock_iam::decide::Change;
use bedrock_iam::orphan::{Orphan, Standing, orphans as orphans_on};
use bedrock_iam::{Fault, Step};
use clap::{Args, ValueEnum};
use futures::TryStreamExt;
use kube::Client;

use crate::aws::{self, Caller, Iam};
use crate::config::ConsentArg;
use crate::kubernetes;
use crate::metrics::Metrics;
use crate::orphans::{self, Look};
use crate::telemetry::chain;
use cluster::Cluster;

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
/// What was written under a former cluster id, which the operator's record lists, is removed only where --cluster-id names that one.
///
/// Exit code: 0 where nothing is orphaned, or everything that was is removed; 1 where something is; 2 where it cannot be told.
#[derive(Args, Clone, Debug)]
pub(super) struct OrphansArgs {
    /// Remove what is listed as orphaned, after the API server said once more that its object is absent
    #[arg(long)]
    delete: bool,

    /// The cluster id that the policies were written under; default: that of the operator's record, else the UID of the namespace kube-system
    #[arg(long, env = "BEDROCK_ACCESS_CLUSTER_ID", value_name = "ID")]
    cluster_id: Option<String>,

    /// Where the operator's Lease and record are; default: the pod's namespace; outside of the cluster where the one Lease bedrock-access is
    #[arg(long, env = "BEDROCK_ACCESS_LEASE_NAMESPACE", value_name = "NAMESPACE")]
    lease_namespace: Option<String>,

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
    let cluster = Cluster::of(&client, args.cluster_id, args.lease_namespace).await?;
    let config = aws::sdk_config(aws::default_loader()).await;
    // Nobody else writes to a policy without an object, so no lease is asked for.
    let caller = Caller::new(IAM_RATE, Metrics::default());
    let aws::Identity { account, .. } = aws::identity(&config, &caller).await?;
    let iam = Iam::unfenced(&config, caller);

    let objects = orphans::list(&client).await.map_err(kubernetes::Error::from)?;
    let consent = ConsentPolicy::from(args.consent);
    let installations = cluster.installations(&account, consent, &objects);
    let mut found: Vec<Orphan> = Vec::new();
    let mut roles = pin!(iam.roles());
    while let Some(role) = roles.try_next().await? {
        found.extend(orphans_on(&installations, &role));
    }
    let elsewhere = found.iter().filter(|orphan| orphan.standing == Standing::Elsewhere).count();
    if elsewhere > 0 {
        eprintln!(
            "bedrock-access: policies that other cluster ids wrote: {elsewhere}, listed as Elsewhere; --cluster-id ID looks as another one"
        );
    }

    let mut listed = Vec::new();
    for orphan in found {
        let is_named = orphan.claim.tenant.cluster_id == cluster.id;
        let done = if args.delete && is_named && orphan.standing.is_orphaned() {
            remove(&client, &iam, &cluster, &orphan).await
        } else {
            Done::Nothing
        };
        listed.push((orphan, done));
    }
    match args.output {
        Output::Table => print!("{}", table::text(&cluster, &listed)),
        Output::Json => println!("{}", table::json(&cluster, &listed)),
    }
    let is_left = |(orphan, done): &(Orphan, Done)| {
        orphan.standing.is_orphaned() && matches!(done, Done::Nothing | Done::Failed(_))
    };
    Ok(if listed.iter().any(is_left) { SOME_LEFT } else { NONE_LEFT })
}

async fn remove(client: &Client, iam: &Iam, cluster: &Cluster, orphan: &Orphan) -> Done {
    let (standing, policy) = match cluster.look(client, iam, orphan).await {
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
