//! The operator's life: connect, learn who we are, reconcile until told to stop.

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::meta::region::RegionProviderChain;
use backon::{ExponentialBuilder, Retryable};
use bedrock_iam::Fault;
use futures::FutureExt;
use kube::Client;
use kube::runtime::events::Reporter;
use tokio::signal::unix::{SignalKind, signal};

use crate::api::parse::Realm;
use crate::aws::{self, Bedrock, Caller, Iam};
use crate::config::RunArgs;
use crate::health::Health;
use crate::kubernetes::Clients;
use crate::metrics::Metrics;
use crate::reconcile::{Context, Failures, Memory};
use crate::{controller, kubernetes, server};

/// The controller's name in Events.
const CONTROLLER: &str = "bedrock-access";

/// Until the cluster and AWS answer, for as long as it takes: a restart would not help.
const PATIENCE: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(200))
    .with_max_delay(Duration::from_secs(30))
    .without_max_times()
    .with_jitter();

/// Why the operator cannot run at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No asynchronous runtime, signal handler or address.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// No cluster.
    #[error("{0}")]
    Kubernetes(#[from] kubernetes::Error),
    /// No account.
    #[error("{0}")]
    Aws(#[from] Fault),
}

/// Runs until SIGTERM or SIGINT.
pub fn run(args: RunArgs) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(io("starting the runtime"))?.block_on(operate(args))
}

async fn operate(args: RunArgs) -> Result<(), Error> {
    let shutdown = terminated()?.boxed().shared();
    let metrics = Metrics::default();
    let health = Arc::new(Health::default());
    let address = args.http_address;
    let listener = server::bind(address).await.map_err(io(&format!("listening on {address}")))?;
    let served = server::Served { health: Arc::clone(&health), metrics: metrics.clone() };
    let serving = tokio::spawn(server::serve(listener, served));

    let concurrency = args.concurrency.get();
    let (watches, context) = tokio::select! {
        prepared = prepare(args, metrics) => prepared?,
        () = shutdown.clone() => return Ok(()),
    };
    controller::run(watches, Arc::new(context), health, concurrency, shutdown).await;
    serving.abort();
    tracing::info!("stopped");
    Ok(())
}

/// Connects, and asks until it is known: which cluster, which account?
async fn prepare(args: RunArgs, metrics: Metrics) -> Result<(Client, Context), Error> {
    let Clients { calls, watches } = kubernetes::connect().await?;
    // IAM and STS answer in every Region; Bedrock's clients name theirs.
    let region = RegionProviderChain::default_provider().or_else("us-east-1");
    let config = aws::sdk_config(aws_config::defaults(BehaviorVersion::latest()).region(region)).await;
    let iam = Caller::new(args.iam_rate, metrics.clone());
    let (cluster_id, account) = tokio::try_join!(
        async {
            match args.cluster_id {
                Some(id) => Ok::<_, Error>(id),
                None => Ok((|| kubernetes::cluster_id(&calls)).retry(PATIENCE).notify(waits).await?),
            }
        },
        async { Ok((|| aws::account(&config, &iam)).retry(PATIENCE).notify(waits).await?) }
    )?;
    tracing::info!(cluster_id, account = %account.id, partition = %account.partition, "started");

    let bedrock = Bedrock::new(config.clone(), args.bedrock_rate, metrics.clone(), account.clone());
    let context = Context {
        reporter: Reporter { controller: CONTROLLER.to_owned(), instance: None },
        client: calls,
        iam: Iam::new(&config, iam),
        bedrock,
        realm: Realm {
            account,
            cluster_id,
            regions: args.regions.into_iter().collect(),
            consent: args.consent.into(),
        },
        interval: args.interval,
        failures: Failures::default(),
        memory: Memory::new(args.iam_lag),
        metrics,
    };
    Ok((watches, context))
}

fn waits(error: &impl std::fmt::Display, delay: Duration) {
    tracing::warn!(%error, ?delay, "not started yet; trying again");
}

fn terminated() -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(io("handling SIGTERM"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(io("handling SIGINT"))?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: what is under way is finished");
    })
}

fn io(what: &str) -> impl FnOnce(std::io::Error) -> Error {
    let what = what.to_owned();
    move |source| Error::Io { what, source }
}
