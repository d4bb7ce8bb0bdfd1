//! The watch: which objects there are, and which may need work.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, TryStreamExt, future};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{self, Store};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, DefaultBackoff, Event};
use kube::runtime::{WatchStreamExt, watcher as watch_objects};
use kube::{Api, Client, Resource};
use tower::limit::RateLimitLayer;

use super::cached::CachedObject;
use crate::health::Health;
use crate::kubernetes::{PAGE, around, by_page};
use crate::orphans::Guarded;
use crate::reconcile::Context;
use crate::shard::Shard;
use crate::telemetry::chain;

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

/// Every object of the shard that is there, and what the watch shows of each, again and again.
pub(super) fn watch(
    client: Client,
    cx: &Context,
    health: Arc<Health>,
) -> (Store<CachedObject>, impl Stream<Item = CachedObject> + Send + 'static) {
    let api: Api<Guarded> = Api::all(paced(client));
    let (store, writer) = reflector::store();
    let mut cache = Cache { writer, is_filled: false };
    let (metrics, shard) = (cx.metrics.clone(), cx.shard.clone());
    let mut asked_for = watcher::Config::default().page_size(PAGE);
    if let Some(selector) = shard.selector() {
        asked_for = asked_for.labels(selector);
    }
    let objects = watch_objects(api, asked_for)
        .backoff(WatchBackoff::default())
        .inspect_err(move |error| {
            metrics.watch_failed();
            health.watch_failed();
            tracing::warn!(error = %chain(error), "the watch was interrupted; it is resumed");
        })
        // By namespace the API server cannot choose.
        .try_filter(move |event| future::ready(is_of(&shard, event)))
        .map_ok(cached)
        .inspect_ok(move |event| cache.apply(event))
        .touched_objects()
        // Backing off is the watch's own affair.
        .filter_map(|result| future::ready(result.ok()));
    (store, objects)
}

/// What the watch has shown.
struct Cache {
    writer: Writer<CachedObject>,
    is_filled: bool,
}

impl Cache {
    /// The writer would show nothing of the first list before its last page: whoever is in a hurry behind thousands of objects would
    /// wait for all of them to be read. What is gone again by the last page goes with that.
    fn apply(&mut self, event: &Event<CachedObject>) {
        self.writer.apply_watcher_event(event);
        match event {
            Event::InitApply(object) if !self.is_filled && object.sight.is_in_a_hurry() => {
                self.writer.apply_watcher_event(&Event::Apply(object.clone()));
            }
            Event::InitDone => self.is_filled = true,
            _ => {}
        }
    }
}

/// Whether an event is about an object of the shard, or about all of them.
fn is_of(shard: &Shard, event: &Event<Guarded>) -> bool {
    match event {
        Event::Apply(object) | Event::Delete(object) | Event::InitApply(object) => {
            shard.has_namespace(object.meta().namespace.as_deref().unwrap_or_default())
        }
        Event::Init | Event::InitDone => true,
    }
}

fn cached(event: Event<Guarded>) -> Event<CachedObject> {
    match event {
        Event::Apply(object) => Event::Apply(CachedObject::of(object)),
        Event::Delete(object) => Event::Delete(CachedObject::of(object)),
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(CachedObject::of(object)),
        Event::InitDone => Event::InitDone,
    }
}

fn paced(client: Client) -> Client {
    let pace = RateLimitLayer::new(WATCHES_PER_MINUTE, Duration::from_mins(1));
    by_page(client.clone(), around(client).with_layer(&pace).build())
}

#[cfg(test)]
mod tests {
    use kube::runtime::reflector::Lookup;
    use serde_json::json;

    use super::*;

    fn object(name: &str) -> CachedObject {
        let object = json!({"metadata": {"name": name, "namespace": "team-a"}, "spec": {}});
        CachedObject::of(serde_json::from_value(object).unwrap())
    }

    #[test]
    fn an_object_is_there_before_the_first_list_is_complete_and_goes_if_the_list_as_a_whole_does_not_have_it()
    {
        let (store, writer) = reflector::store();
        let mut cache = Cache { writer, is_filled: false };
        let shows = |name: &str| store.get(&object(name).to_object_ref(())).is_some();
        cache.apply(&Event::Init);
        cache.apply(&Event::InitApply(object("gone")));
        assert!(shows("gone"));
        // The list could not be continued, and begins anew.
        cache.apply(&Event::Init);
        cache.apply(&Event::InitApply(object("stays")));
        cache.apply(&Event::InitDone);
        assert!(shows("stays") && !shows("gone"));
        // Of a later list nothing shows before it is complete: until then what was there before is.
        cache.apply(&Event::Init);
        cache.apply(&Event::InitApply(object("late")));
        assert!(shows("stays") && !shows("late"));
    }
}
