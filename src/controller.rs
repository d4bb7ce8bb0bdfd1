//! Which objects are reconciled when: the watch, the queue, and what happens after an error or a panic.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt, TryStreamExt, future};
use kube::client::ClientBuilder;
use kube::runtime::controller::{Action, Config};
use kube::runtime::reflector::{self, Store};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::DefaultBackoff;
use kube::runtime::{Controller, Predicate, PredicateConfig, WatchStreamExt, predicates, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;
use tower::limit::RateLimitLayer;

use crate::health::Health;
use crate::kubernetes::{PAGE, by_page};
use crate::metrics::{Ending, ErrorClass};
use crate::orphans::{self, Guarded};
use crate::reconcile::{self, Context};
use crate::telemetry::chain;

/// A reconcile that takes longer is given up; every step is safe to repeat.
const DEADLINE: Duration = Duration::from_mins(2);

/// Failures of our own are looked at again at the latest after this.
const LONGEST_DELAY: Duration = Duration::from_mins(5);

/// The most lists and watches in a minute: one that ends as soon as it begins is no error to the watcher, which begins the
/// next at once.
const WATCHES_PER_MINUTE: u64 = 30;

/// Delays of the watch. The watcher announces each new list before it asks for it, which must not count as success:
/// only two minutes without a failure do.
#[derive(Default)]
struct WatchBackoff(DefaultBackoff);

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next()
    }
}

impl Backoff for WatchBackoff {
    fn reset(&mut self) {}
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Reconcile(#[from] reconcile::Error),
    #[error("the reconcile took longer than {} minutes", DEADLINE.as_secs() / 60)]
    Deadline,
    #[error("the code panicked")]
    Panic,
}

impl Error {
    /// How it is counted; a failed call to AWS was counted when it failed.
    fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Reconcile(reconcile::Error::DeletionWaits(_) | reconcile::Error::Outdated) => None,
            Self::Reconcile(_) => Some(ErrorClass::Kubernetes),
            Self::Deadline => Some(ErrorClass::Deadline),
            Self::Panic => Some(ErrorClass::Panic),
        }
    }
}

/// Reconciles every object until `shutdown`, then lets what is under way finish.
pub async fn run(
    watches: Client,
    context: Arc<Context>,
    health: Arc<Health>,
    concurrency: u16,
    shutdown: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let (store, objects) = watch(watches, &context, Arc::clone(&health));
    let synced = Arc::clone(&health);
    let readiness = {
        let (store, cx) = (store.clone(), Arc::clone(&context));
        async move {
            if store.wait_until_ready().await.is_ok() {
                synced.synced();
                let objects = || store.state().iter().filter_map(|object| orphans::keeper(object)).collect();
                let sweep = Box::pin(orphans::sweep(&cx, objects));
                futures::join!(sweep, forget_the_vanished(&store, &cx));
            }
            future::pending::<()>().await;
        }
    };
    let controller = Controller::for_stream(objects, store)
        .with_config(Config::default().concurrency(concurrency))
        .graceful_shutdown_on(shutdown)
        .run(
            move |object, cx| {
                let health = Arc::clone(&health);
                async move { isolated(object, cx, &health).await }
            },
            |object, error, cx| {
                if let Some(class) = error.class() {
                    cx.metrics.failed(class);
                }
                cx.metrics.reconciled(Ending::Failed);
                Action::requeue(cx.failures.delay(&object.uid().unwrap_or_default(), LONGEST_DELAY))
            },
            context,
        )
        .for_each(|result| {
            // An object that was deleted while it waited in the queue is not an error.
            if let Err(kube::runtime::controller::Error::ReconcilerFailed(error, object)) = result {
                tracing::warn!(%object, error = %chain(&error), "reconcile failed");
            }
            future::ready(())
        });
    tokio::select! {
        () = controller => {}
        () = readiness => {}
    }
}

/// Forgets objects that went without our being asked: whoever takes the finalizer off must not fill the memory.
async fn forget_the_vanished(store: &Store<Guarded>, cx: &Context) {
    loop {
        tokio::time::sleep(cx.interval).await;
        // What is remembered first: an object that comes meanwhile is in no danger of being taken for one that is gone.
        let remembered = [cx.memory.uids(), cx.failures.uids()].concat();
        let stored: HashSet<String> = store.state().iter().filter_map(|object| object.uid()).collect();
        for uid in remembered.iter().filter(|uid| !stored.contains(*uid)) {
            cx.memory.forget(uid);
            cx.failures.forget(uid);
        }
    }
}

/// The objects that may need work: new ones, and those whose spec, annotations or finalizers changed. Our own status
/// writes are not among them.
fn watch(
    client: Client,
    cx: &Context,
    health: Arc<Health>,
) -> (Store<Guarded>, impl futures::Stream<Item = Result<Guarded, watcher::Error>> + Send + 'static) {
    let api: Api<Guarded> = Api::all(paced(client));
    let (store, writer) = reflector::store();
    let metrics = cx.metrics.clone();
    let changes = predicates::generation.combine(predicates::annotations).combine(predicates::finalizers);
    let objects = watcher(api, watcher::Config::default().page_size(PAGE))
        .backoff(WatchBackoff::default())
        .inspect_err(move |error| {
            metrics.watch_failed();
            health.watch_failed();
            tracing::warn!(error = %chain(error), "the watch was interrupted; it is resumed");
        })
        .reflect(writer)
        .touched_objects()
        .predicate_filter(changes, PredicateConfig::default())
        // Backing off is the watch's own affair: an error that went on would delay every object in the queue.
        .filter(|result| future::ready(result.is_ok()));
    (store, objects)
}

fn paced(client: Client) -> Client {
    let (at_once, namespace) = (client.clone(), client.default_namespace().to_owned());
    let pace = RateLimitLayer::new(WATCHES_PER_MINUTE, Duration::from_mins(1));
    let send = move |request| {
        let client = client.clone();
        async move { client.send(request).await }
    };
    by_page(at_once, ClientBuilder::new(tower::service_fn(send), namespace).with_layer(&pace).build())
}

/// One reconcile that can neither hang nor take the others down.
async fn isolated(object: Arc<Guarded>, cx: Arc<Context>, health: &Arc<Health>) -> Result<Action, Error> {
    let started = Instant::now();
    let _running = health.reconciling();
    let work = AssertUnwindSafe(guarded(&object, &cx)).catch_unwind();
    let result = match tokio::time::timeout(DEADLINE, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            set_aside(&object, &cx).await;
            Err(Error::Panic)
        }
        Err(_) => Err(Error::Deadline),
    };
    cx.metrics.took(started.elapsed());
    result
}

async fn guarded(object: &Guarded, cx: &Arc<Context>) -> Result<Action, Error> {
    match &object.0 {
        Ok(object) => Ok(reconcile::reconcile(Arc::new(object.clone()), Arc::clone(cx)).await?),
        Err(invalid) => {
            reconcile::report_unreadable(&invalid.metadata, &invalid.error, cx).await?;
            Ok(Action::await_change())
        }
    }
}

/// Tells of a panic on the object, unless that fails too.
async fn set_aside(object: &Guarded, cx: &Context) {
    let Ok(object) = &object.0 else { return };
    let report = AssertUnwindSafe(reconcile::report_panic(object, cx)).catch_unwind();
    match tokio::time::timeout(DEADLINE, report).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::warn!(error = %chain(&error), "a panic could not be reported"),
        Ok(Err(_)) | Err(_) => tracing::warn!("a panic could not be reported"),
    }
}
