//! The workers: they take from the queue what is due, and wake it again when it is to be looked at next.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, future};
use kube::runtime::reflector::Store;
use tokio::sync::mpsc::Receiver;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{Instrument, info_span};

use super::cached::CachedObject;
use super::isolation;
use super::queue::{Key, Queue, Task};
use super::scan::News;
use super::sightings::Sightings;
use crate::fairness::{Urgency, behalf};
use crate::health::Health;
use crate::reconcile::{Context, NextLook};

/// Changes that are taken from the watch before anybody is set to work.
const AT_ONCE: usize = 100;

/// Where a time lies beyond what the clock can tell.
const FAR_AWAY: Duration = Duration::from_hours(24 * 365);

pub(super) struct Workers {
    store: Store<CachedObject>,
    context: Arc<Context>,
    health: Arc<Health>,
    queue: Queue,
    sightings: Sightings,
    /// What the scans say.
    news: Receiver<News>,
    /// Until the first scan is over: what it may show at rest, so that it is not looked at before.
    unscanned: Option<HashSet<Key>>,
    running: JoinSet<NextLook>,
    /// What each of them works on.
    objects: HashMap<Id, (Key, Arc<CachedObject>)>,
}

impl Workers {
    /// So many workers as `concurrency` says, for the objects of the store.
    pub(super) fn new(
        store: Store<CachedObject>,
        context: Arc<Context>,
        health: Arc<Health>,
        concurrency: u16,
        news: Receiver<News>,
    ) -> Self {
        Self {
            store,
            context,
            health,
            queue: Queue::new(concurrency.into()),
            sightings: Sightings::default(),
            news,
            unscanned: Some(HashSet::new()),
            running: JoinSet::new(),
            objects: HashMap::new(),
        }
    }

    /// Works on what the watch shows and on what time asks for, until `shutdown`; then on nothing new, until what is under way has
    /// ended. What is under way ends with the returned future, too.
    pub(super) async fn run(
        mut self,
        objects: impl Stream<Item = CachedObject>,
        shutdown: impl Future<Output = ()>,
    ) {
        // What a watch repeats after it was cut comes all at once, and asks for one look.
        let (mut objects, mut shutdown) = (pin!(objects.ready_chunks(AT_ONCE)), pin!(shutdown));
        let (store, context) = (self.store.clone(), Arc::clone(&self.context));
        let owners = &context.owners;
        let mut ready = pin!(store.wait_until_ready());
        // A scan that takes longer than this does not keep objects from being looked at.
        let mut patience = pin!(sleep(self.context.interval / 4));
        // Before the first list is complete, nothing can be told to be gone, and nobody scans.
        let (mut is_ready, mut is_ending, mut is_scanning) = (false, false, true);
        while !is_ending || !self.running.is_empty() {
            if !is_ending {
                self.begin();
            }
            tokio::select! {
                biased;
                () = &mut shutdown, if !is_ending => is_ending = true,
                Some(ended) = self.running.join_next_with_id() => self.end(ended),
                seen = objects.next(), if !is_ending => match seen {
                    Some(objects) => objects.iter().for_each(|object| self.see(object, is_ready)),
                    None => is_ending = true,
                },
                _ = &mut ready, if !is_ready => is_ready = true,
                news = self.news.recv(), if is_ready && !is_ending && is_scanning => {
                    is_scanning = news.is_some();
                    self.learn(news.unwrap_or(News::Over));
                }
                () = &mut patience, if is_ready && !is_ending && self.unscanned.is_some() => self.learn(News::Over),
                woken = owners.woken(), if is_ready && !is_ending => {
                    let now = Instant::now();
                    for (object, urgency) in woken {
                        self.queue.wake(&Key::new(&object.namespace, &object.name), urgency, now);
                    }
                }
                () = due(self.queue.next_due()), if !is_ending => {}
            }
        }
    }

    /// The watch shows an object.
    fn see(&mut self, object: &CachedObject, is_ready: bool) {
        let now = Instant::now();
        if is_ready && self.store.get(&object.key.to_ref()).is_none() {
            self.sightings.forget(&object.key);
            self.context.memory.forget(object.sight.uid());
        } else if let Some(urgency) = self.sightings.urgency(&object.key, &object.sight, now) {
            self.doubt_record(object);
            match &mut self.unscanned {
                Some(unscanned) if urgency == Urgency::Routine => drop(unscanned.insert(object.key.clone())),
                _ => self.queue.wake(&object.key, urgency, now),
            }
        }
    }

    /// An object that a selector lets in may have been another shard's, whose operator writes the same record.
    fn doubt_record(&self, object: &CachedObject) {
        if self.context.shard.selector().is_some()
            && let Some((name, Some(role))) = object.keeper()
        {
            self.context.orphans.record.doubt(&name, &role);
        }
    }

    /// A scan says something.
    fn learn(&mut self, news: News) {
        let now = Instant::now();
        match news {
            News::AtRest(key, until) => {
                if self.unscanned.as_mut().is_some_and(|unscanned| unscanned.remove(&key)) {
                    self.queue.wake(&key, Urgency::Routine, until);
                } else {
                    self.queue.put_off(&key, until);
                }
            }
            News::Woken(key) => self.queue.wake(&key, Urgency::Routine, now),
            News::Over => {
                for key in self.unscanned.take().into_iter().flatten() {
                    self.queue.wake(&key, Urgency::Routine, now);
                }
            }
        }
    }

    /// Sets to work whoever may.
    fn begin(&mut self) {
        let now = Instant::now();
        while let Some(Task { key, urgency, since }) = self.queue.take(now) {
            let named = key.to_ref();
            let Some(object) = self.store.get(&named) else {
                self.sightings.forget(&key);
                self.queue.done(&key);
                continue;
            };
            self.context.metrics.waited(urgency, now.duration_since(since));
            let work = {
                let (object, cx, health) =
                    (Arc::clone(&object), Arc::clone(&self.context), Arc::clone(&self.health));
                async move { isolation::look(&object.object(), &cx, &health).await }
            };
            let span =
                info_span!("reconciling object", "object.ref" = %named, object.urgency = urgency.as_str());
            let work = behalf::of(Arc::clone(&key.namespace), urgency, work.instrument(span));
            let id = self.running.spawn(work).id();
            self.objects.insert(id, (key, object));
        }
        let oldest = self.queue.oldest_due(now);
        self.context.metrics.oldest_due(oldest);
        self.health.oldest_due(oldest);
    }

    fn end(&mut self, ended: Result<(Id, NextLook), JoinError>) {
        let (id, next) = match ended {
            Ok(ended) => ended,
            // A look catches its own panics: this one came while it was put away.
            Err(error) => (error.id(), NextLook::After(self.context.interval)),
        };
        let Some((key, object)) = self.objects.remove(&id) else { return };
        if let NextLook::After(delay) = next {
            let now = Instant::now();
            let at = now.checked_add(delay).unwrap_or(now + FAR_AWAY);
            self.queue.wake(&key, object.sight.in_time(), at);
        }
        if self.store.get(&key.to_ref()).is_none() {
            // What is written meanwhile, for one that went to another shard, is not known here.
            self.context.memory.forget(object.sight.uid());
        }
        self.queue.done(&key);
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => future::pending().await,
    }
}
