//! One look at all roles of the account for all objects, once in an interval: an object that it shows at rest needs no look of its own,
//! and one that was at rest and is no more is woken. The same goes for an object without a role, until the role is there.
//!
//! A scan decides no write, since it may show less than a look does, and later: it says where to look. Each object is looked at by
//! its own reads now and then all the same, however often a scan has shown it at rest.

mod choice;
mod patience;
mod resting;
mod waiting;

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bedrock_iam::scan::ScannedRole;
use bedrock_iam::{Class, Fault, Questions};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use kube::runtime::reflector::Store;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::cached::CachedObject;
use super::queue::Key;
use crate::fairness::{Urgency, behalf};
use crate::reconcile::{self, Context};
use choice::{Choice, Cost};
use patience::Patience;
use resting::{Resting, Sketch};
use waiting::Waiting;

/// Questions of objects at rest, all of one object counted once, that are under way together.
const ASKED_AT_ONCE: usize = 32;

/// What a scan says of an object to those who look at objects.
#[derive(Debug)]
pub(super) enum News {
    /// It needs no look of its own until then.
    AtRest(Key, Instant),
    /// It was at rest and is no more, or its role is another than the one that it waits with.
    Woken(Key),
    /// The scan is over, or there is none: whoever waited for it waits no longer.
    Over,
}

/// Scans for as long as it is polled, beginning at once.
pub(super) async fn run(store: Store<CachedObject>, cx: Arc<Context>, news: Sender<News>) {
    let mut scanner = Scanner {
        store,
        cx: Arc::clone(&cx),
        news,
        choice: Choice::default(),
        resting: Resting::default(),
        waiting: Waiting::default(),
        patience: Patience::default(),
        is_told_of_denial: false,
    };
    loop {
        let next = Instant::now() + cx.interval;
        let round = AssertUnwindSafe(scanner.round()).catch_unwind();
        match timeout_at(next, round).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::error!(
                "the code panicked while it looked at all roles; it goes on at the next interval"
            ),
            Err(_) => {
                cx.metrics.at_rest(0);
                tracing::warn!(
                    "the look at all roles took longer than an interval and was given up; each is looked at by itself until one ends in time"
                );
            }
        }
        if scanner.news.send(News::Over).await.is_err() {
            return;
        }
        scanner.ask_again(next).await;
        sleep_until(next).await;
    }
}

struct Scanner {
    store: Store<CachedObject>,
    cx: Arc<Context>,
    news: Sender<News>,
    choice: Choice,
    resting: Resting,
    waiting: Waiting,
    patience: Patience,
    is_told_of_denial: bool,
}

/// Objects by the name of the role that they name, in lower case: IAM tells no roles apart by case.
type ByRole = HashMap<String, Vec<Arc<CachedObject>>>;

impl Scanner {
    async fn round(&mut self) {
        let mut objects = by_role(&self.store);
        self.resting.retain(&self.store);
        self.waiting.retain(&self.store);
        let namespaces: HashSet<_> = objects.values().flatten().map(|object| &object.key.namespace).collect();
        self.patience = Patience::of(self.cx.interval, namespaces.len());
        let count = objects.values().map(Vec::len).sum();
        let scanned = match self.choose(count).await {
            Ok(false) => return self.give_up(),
            Ok(true) => self.scan(&mut objects).await,
            Err(fault) => Err(fault),
        };
        match scanned {
            Ok(()) => {
                self.is_told_of_denial = false;
                self.cx.metrics.at_rest(self.resting.len());
                // Their roles are gone.
                for object in objects.into_values().flatten() {
                    self.wake(&object).await;
                    self.miss(&object).await;
                }
            }
            Err(fault) if fault.class == Class::Denied => {
                self.give_up();
                if !std::mem::replace(&mut self.is_told_of_denial, true) {
                    tracing::warn!(
                        error = %fault,
                        "each role is looked at by itself, since all of them together may not be looked at"
                    );
                }
            }
            Err(fault) => {
                tracing::warn!(error = %fault, "the account's roles could not be looked at together; each is looked at by itself until they can");
            }
        }
    }

    /// Each object is looked at by itself from now on.
    fn give_up(&mut self) {
        self.resting.clear();
        self.waiting.clear();
        self.cx.orphans.look.offer(false);
        self.cx.metrics.at_rest(0);
    }

    /// Whether one look at all roles costs less than one at each that is needed.
    async fn choose(&mut self, objects: usize) -> Result<bool, Fault> {
        let now = Instant::now();
        if self.choice.wants_to_know_roles(objects, now) {
            self.choice.roles_are(self.cx.iam.count_roles().await?, now);
        }
        Ok(self.choice.is_for_scan(&Cost::of(objects)))
    }

    /// Looks at all roles, and takes off `objects` those of which it sees the role.
    async fn scan(&mut self, objects: &mut ByRole) -> Result<(), Fault> {
        let cx = Arc::clone(&self.cx);
        let mut for_the_sweep = cx.orphans.look.begin();
        let mut roles = pin!(cx.iam.roles());
        let mut count = 0;
        while let Some(role) = roles.try_next().await? {
            count += 1;
            if let Some(looking) = &mut for_the_sweep {
                looking.see(&role);
            }
            let name = role.role.arn.name.as_str().to_ascii_lowercase();
            for object in objects.remove(&name).into_iter().flatten() {
                self.see(&object, &role).await;
            }
        }
        self.choice.roles_are(count, Instant::now());
        cx.orphans.look.end(for_the_sweep);
        cx.orphans.look.offer(true);
        Ok(())
    }

    /// The scan shows no role of an object.
    async fn miss(&mut self, object: &CachedObject) {
        let mut full_look = self.waiting.full_look(object);
        if full_look.is_none() {
            self.waiting.remove(&object.key);
            let Ok(readable) = object.object().0 else { return };
            if reconcile::waits_for_its_role(&readable, &self.cx) {
                let at = self.full_look();
                self.waiting.insert(object, None, at);
                full_look = Some(at);
            }
            tokio::task::yield_now().await;
        }
        self.put_off(object, full_look).await;
    }

    /// The scan shows an object's role.
    async fn see(&mut self, object: &Arc<CachedObject>, role: &ScannedRole) {
        if self.waiting.ends(&object.key, role) {
            return self.tell(News::Woken(object.key.clone())).await;
        }
        let sketch = Sketch::of(object, role);
        if !self.resting.knows(&object.key, sketch, lease(self.cx.interval)) {
            let Ok(readable) = object.object().0 else { return };
            let namespace = &object.key.namespace;
            let judged = reconcile::at_rest(&readable, &self.cx, role);
            let judged = behalf::of(Arc::clone(namespace), Urgency::Background, judged);
            let Some(answers) = self.patience.wait(namespace, judged).await.flatten() else {
                if self.cx.failures.waited(object.sight.uid()).is_some() {
                    let at = self.full_look();
                    self.waiting.insert(object, Some(role), at);
                }
                return self.wake(object).await;
            };
            self.resting.insert(&object.key, sketch, &answers, self.full_look());
            // One thread does all of this, and others wait for it.
            tokio::task::yield_now().await;
        }
        self.put_off(object, self.resting.full_look(&object.key)).await;
    }

    /// No look is needed until the full one, if the scans go on; but of an object that has changed since the scan began.
    async fn put_off(&self, object: &CachedObject, full_look: Option<Instant>) {
        let now = Instant::now();
        if self.store.get(&object.key.to_ref()).is_none_or(|current| current.sight != object.sight) {
            return;
        }
        let until = full_look.map(|full| full.min(now + lease(self.cx.interval)));
        if let Some(until) = until.filter(|until| *until > now) {
            self.tell(News::AtRest(object.key.clone(), until)).await;
        }
    }

    /// Asks Bedrock again, until then, what objects at rest go by, and wakes those to whom it says something else. Whose answers are not
    /// had in time are not at rest.
    async fn ask_again(&mut self, until: Instant) {
        let cx = Arc::clone(&self.cx);
        let ask = async |questions: Arc<Questions>| {
            let answers = reconcile::ask_again(&cx, &questions).await;
            (questions, answers)
        };
        let asked = stream::iter(self.resting.questions().into_iter().map(ask));
        let mut asked = pin!(asked.buffer_unordered(ASKED_AT_ONCE).take_until(sleep_until(until)));
        while let Some((questions, answers)) = asked.next().await {
            for key in self.resting.learn(&questions, &answers, Instant::now()) {
                self.tell(News::Woken(key)).await;
            }
        }
    }

    /// The object is not at rest; one that was not before is looked at in its own time.
    async fn wake(&mut self, object: &CachedObject) {
        if self.resting.remove(&object.key) {
            self.tell(News::Woken(object.key.clone())).await;
        }
    }

    /// Objects that come to rest together are not looked at together.
    fn full_look(&self) -> Instant {
        let whole = self.cx.full_look_interval.max(self.cx.interval);
        Instant::now() + whole.mul_f64(0.25 + 0.75 * fastrand::f64())
    }

    async fn tell(&self, news: News) {
        // Who does not listen any more ends this, too.
        let _ = self.news.send(news).await;
    }
}

/// For how long a scan's word holds: until the next, and a little longer. Where none comes, objects are looked at by themselves.
fn lease(interval: Duration) -> Duration {
    interval + interval / 4
}

fn by_role(store: &Store<CachedObject>) -> ByRole {
    let mut objects = ByRole::new();
    for object in store.state() {
        if let Some(role) = object.role_to_keep() {
            objects.entry(role.as_str().to_ascii_lowercase()).or_default().push(object);
        }
    }
    objects
}
