//! Which objects are reconciled when, and by how many at once.
//!
//! `watch` tells of objects that changed, `sightings` how urgent that is, `scan` which of those at rest need no look, `owners` that one takes back what it allowed, `queue` whose turn it is, `workers` do the work and wake
//! the object again, `isolation` keeps one look from hindering the others.

mod cached;
mod isolation;
mod owners;
mod queue;
mod scan;
mod sightings;
mod slots;
mod watch;
mod workers;

use std::collections::HashSet;
use std::sync::Arc;

use futures::future;
use kube::Client;
use kube::runtime::reflector::Store;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::health::Health;
use crate::orphans;
use crate::reconcile::{Context, Uid};
use cached::CachedObject;
use workers::Workers;

/// What a scan may say before anybody listens.
const NEWS: usize = 256;

/// Reconciles every object until `shutdown`, then lets what is under way finish.
pub async fn run(
    watches: Client,
    context: Arc<Context>,
    health: Arc<Health>,
    concurrency: u16,
    shutdown: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let (store, objects) = watch::watch(watches, &context, Arc::clone(&health));
    let (teller, news) = mpsc::channel(NEWS);
    let beside = {
        let (store, cx, health) = (store.clone(), Arc::clone(&context), Arc::clone(&health));
        async move {
            if store.wait_until_ready().await.is_ok() {
                health.synced();
                // A task of its own, since what it computes must not keep the workers. Not earlier: whoever waits for the store
                // in another task may not be told.
                let mut scanning = JoinSet::new();
                scanning.spawn(scan::run(store.clone(), Arc::clone(&cx), teller));
                scanning.spawn(owners::run(Arc::clone(&cx)));
                let objects = || store.state().iter().filter_map(|object| object.keeper()).collect();
                let sweep = Box::pin(orphans::sweep(&cx, objects));
                futures::join!(sweep, forget_the_vanished(&store, &cx));
            }
            future::pending::<()>().await;
        }
    };
    let workers = Workers::new(store, context, health, concurrency, news);
    tokio::select! {
        () = workers.run(objects, shutdown) => {}
        () = beside => {}
    }
}

/// Forgets objects that went without our being asked: whoever takes the finalizer off must not fill the memory.
async fn forget_the_vanished(store: &Store<CachedObject>, cx: &Context) {
    loop {
        tokio::time::sleep(cx.interval).await;
        // What is remembered first: an object that comes meanwhile is in no danger of being taken for one that is gone.
        let remembered = [cx.memory.uids(), cx.failures.uids(), cx.owners.uids()].concat();
        cx.memory.expire(cx.interval);
        let stored: HashSet<Uid> = store.state().iter().map(|object| object.sight.uid()).collect();
        for uid in remembered.into_iter().filter(|uid| !stored.contains(uid)) {
            cx.memory.forget(uid);
            cx.failures.forget(uid);
            cx.owners.forget(uid);
        }
    }
}
