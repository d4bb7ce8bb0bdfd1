//! The operator's life: connect, learn who we are, reconcile until told to stop.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bedrock_access_api::parse::OperatorSettings;
use bedrock_iam::Fault;
use bedrock_iam::consent::ConsentPolicy;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use kube::Client;
use kube::runtime::events::Reporter;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::aws::{self, Bedrock, Caller, Iam};
use crate::config::RunArgs;
use crate::fence::Fence;
use crate::health::Health;
use crate::kubernetes::{Candidate, Clients, Learned, Place, TimingsError};
use crate::metrics::Metrics;
use crate::orphans::{IsConfirmed, Orphans, Record, SharedLook};
use crate::reconcile::{Adoption, Context, Failures, Memory, Owners};
use crate::shard::ShardError;
use crate::telemetry::chain;
use crate::{cluster_id, controller, grace, kubernetes, server};

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
    #[error("{what}")]
    Io {
        /// What was attempted.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// No cluster.
    #[error(transparent)]
    Kubernetes(#[from] kubernetes::Error),
    /// No account.
    #[error(transparent)]
    Aws(#[from] Fault),
    /// The cluster id is not the one that policies were written under.
    #[error(transparent)]
    ClusterId(#[from] cluster_id::Error),
    /// The lease's settings contradict each other.
    #[error(transparent)]
    Lease(#[from] TimingsError),
    /// There is no such shard.
    #[error(transparent)]
    Shard(#[from] ShardError),
}

/// The one signal that everything ends by.
type Shutdown = Shared<BoxFuture<'static, ()>>;

/// What the operator is made of once cluster and account are known.
struct Parts {
    watches: Client,
    context: Arc<Context>,
    candidate: Candidate,
    health: Arc<Health>,
    concurrency: u16,
}

/// Runs until SIGTERM or SIGINT.
pub fn run(args: RunArgs) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(io("starting the runtime"))?;
    let result = runtime.block_on(operate(args));
    // A name that is being looked up cannot be interrupted, and must not keep the process.
    runtime.shutdown_background();
    result
}

async fn operate(args: RunArgs) -> Result<(), Error> {
    let shutdown = terminated()?.boxed().shared();
    let metrics = Metrics::default();
    let health = Arc::new(Health::default());
    let address = args.http_address;
    let listener = server::bind(address).await.map_err(io(&format!("listening on {address}")))?;
    let served = server::Served { health: Arc::clone(&health), metrics: metrics.clone() };
    let serving = tokio::spawn(server::serve(listener, served));

    let parts = tokio::select! {
        prepared = prepare(args, health, metrics) => prepared?,
        () = shutdown.clone() => return Ok(()),
    };
    take_turns(parts, shutdown).await;
    serving.abort();
    tracing::info!("stopped");
    Ok(())
}

/// Reconciles whenever this operator leads, and waits for its turn whenever it does not.
async fn take_turns(parts: Parts, shutdown: Shutdown) {
    let Parts { watches, context, mut candidate, health, concurrency } = parts;
    let follow = || {
        health.follows();
        context.metrics.follows();
    };
    let lead = async || {
        health.leads();
        context.metrics.leads();
        // Another one may have written since.
        context.memory.forget_all();
        context.owners.forget_all();
        context.bedrock.forget_tags();
        context.orphans.record.forget_copy();
        let (context, health) = (Arc::clone(&context), Arc::clone(&health));
        let work = Box::pin(controller::run(watches.clone(), context, health, concurrency, shutdown.clone()));
        tokio::select! {
            () = work => {}
            () = shutdown.clone().then(|()| sleep(grace::FOR_RECONCILES)) => {}
        }
    };
    candidate.run(shutdown.clone(), follow, lead).await;
}

/// Connects, and asks until it is known: which cluster, which account, may the lease be seen?
async fn prepare(args: RunArgs, health: Arc<Health>, metrics: Metrics) -> Result<Parts, Error> {
    let (fence, timings, shard) = (Fence::default(), args.lease.timings()?, args.shard.shard()?);
    let learned = Learned { fence: fence.clone(), health: Arc::clone(&health), metrics: metrics.clone() };
    let Clients { calls, leases, watches, place } = kubernetes::connect(&learned, &timings).await?;
    let namespace = match (args.lease.lease_namespace, place) {
        (Some(namespace), _) => namespace,
        (None, Place::Inside) => leases.default_namespace().to_owned(),
        (None, Place::Outside) => {
            let find = || kubernetes::find_lease(&leases);
            find.retry(PATIENCE).when(kubernetes::Error::may_pass).notify(waits).await?
        }
    };
    let config = aws::sdk_config(aws::default_loader()).await;
    let iam = Caller::new(args.iam_rate, metrics.clone());
    let (cluster_id, aws::Identity { account, role }, ()) = tokio::try_join!(
        async {
            match args.cluster_id {
                Some(id) => Ok::<_, Error>(id),
                None => Ok((|| kubernetes::cluster_id(&calls)).retry(PATIENCE).notify(waits).await?),
            }
        },
        async { Ok((|| aws::identity(&config, &iam)).retry(PATIENCE).notify(waits).await?) },
        async {
            let see = || kubernetes::see_leases(&leases, &namespace, &shard);
            see.retry(PATIENCE).notify(waits).await?;
            let check = || kubernetes::check_selector(&calls, &shard);
            Ok(check.retry(PATIENCE).when(kubernetes::Error::may_pass).notify(waits).await?)
        }
    )?;
    let identity = identity();
    tracing::info!(cluster_id, account = %account.id, partition = %account.partition, identity, lease_namespace = namespace, shard = %shard, "started");

    let bedrock = Bedrock::new(config.clone(), args.bedrock_rate, metrics.clone(), account.clone());
    let candidate = Candidate::new(leases, &namespace, &identity, &timings, &shard, fence.clone());
    let mut record = Record::new(calls.clone(), &namespace, &cluster_id, args.adopt_from.as_deref());
    let check = || cluster_id::check(&calls, &record, &cluster_id, args.adopt_from.as_deref());
    check.retry(PATIENCE).when(cluster_id::Error::is_passing).notify(waits).await?;
    let is_confirmed = if args.confirm_consent { IsConfirmed::Yes } else { IsConfirmed::No };
    let decided = record.decide_consent(args.consent.into(), is_confirmed).await;
    let consent = decided.map_err(cluster_id::Error::from)?;
    if consent == ConsentPolicy::Unconfirmed {
        tracing::warn!(
            "consent was none before and is tag now: roles without the tag keep what they were granted until --confirm-consent is given"
        );
    }
    let scan_every = Some(args.sweep_interval).filter(|interval| !interval.is_zero());
    let context = Context {
        reporter: Reporter { controller: CONTROLLER.to_owned(), instance: Some(identity) },
        client: calls,
        iam: Iam::new(&config, iam, fence),
        bedrock,
        settings: OperatorSettings {
            account,
            own_role: role,
            cluster_id,
            adopt_from: args.adopt_from,
            regions: args.regions.into_iter().collect(),
            consent,
        },
        shard,
        interval: args.interval,
        full_look_interval: args.full_look_interval,
        stale_after: args.stale_after,
        failures: Failures::default(),
        memory: Memory::new(args.iam_lag),
        owners: Owners::default(),
        adoption: Adoption::new(args.iam_lag),
        orphans: Orphans { record, look: SharedLook::default(), scan_every, iam_lag: args.iam_lag },
        metrics,
    };
    Ok(Parts { watches, context: Arc::new(context), candidate, health, concurrency: args.concurrency.get() })
}

/// The pod's name, and what no other process has: two that shared an identity would both lead.
fn identity() -> String {
    let mut host = std::env::var("HOSTNAME").unwrap_or_else(|_| CONTROLLER.to_owned());
    // A reporting instance of an Event has at most 128 bytes.
    host.truncate(host.floor_char_boundary(100));
    format!("{host}_{:016x}", RandomState::new().hash_one(std::process::id()))
}

fn waits(error: &impl std::error::Error, delay: Duration) {
    tracing::warn!(error = %chain(error), ?delay, "not started yet; trying again");
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
