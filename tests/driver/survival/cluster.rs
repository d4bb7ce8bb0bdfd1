//! An API server in process, for one custom resource: what it stores, and what a user does to it with kubectl.

mod patch;
mod record;
mod selection;
mod service;
mod watch;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use tokio::sync::watch as signal;

/// The stored objects; clones share them.
#[derive(Clone)]
pub(crate) struct Cluster(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Rises with every line of the watches, and when they are cut.
    changed: signal::Sender<u64>,
}

/// Namespace and name.
type Key = (String, String);

#[derive(Default)]
struct State {
    objects: BTreeMap<Key, Value>,
    version: u64,
    /// What the watches tell, in order.
    told: Vec<Told>,
    /// Watches from before this version are too old.
    compacted: u64,
    /// Watches that began before end.
    cuts: u64,
    stale_list: Option<List>,
    uids: u64,
    events: Vec<Value>,
    /// By name: the data of the record's ConfigMaps.
    record: BTreeMap<String, BTreeMap<String, String>>,
}

/// One line of the watches.
#[derive(Clone)]
struct Told {
    /// The version that it stands for.
    version: u64,
    event: Value,
    /// The object before.
    before: Option<Value>,
    /// A repetition is for the watches of its time: one that begins later hears everything once and in order.
    is_repetition: bool,
}

/// All objects at one version.
#[derive(Clone)]
pub(crate) struct List {
    version: u64,
    items: Vec<Value>,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        let state = Mutex::new(State { version: 100, ..State::default() });
        Self(Arc::new(Shared { state, changed: signal::channel(0).0 }))
    }

    /// kubectl create: the server fills in what is its own.
    pub(crate) fn create(&self, manifest: &Value) {
        let mut state = self.state();
        let mut object = manifest.clone();
        state.uids += 1;
        object["metadata"]["uid"] = json!(format!("uid-{}", state.uids));
        object["metadata"]["generation"] = json!(1);
        object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        object["status"] = json!({"observedGeneration": -1});
        state.store("ADDED", object);
        self.tell(&state);
    }

    /// kubectl edit: a changed spec is a new generation.
    pub(crate) fn edit(&self, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let mut state = self.state();
        let old = state.objects[&key(namespace, name)].clone();
        let mut new = old.clone();
        change(&mut new);
        if new["spec"] != old["spec"] {
            bump_generation(&mut new);
        }
        state.replace(&old, new);
        self.tell(&state);
    }

    pub(crate) fn annotate(&self, namespace: &str, name: &str, annotation: &str, value: &str) {
        self.edit(namespace, name, |object| object["metadata"]["annotations"][annotation] = json!(value));
    }

    /// kubectl delete: an object with finalizers stays until the last is gone.
    pub(crate) fn delete(&self, namespace: &str, name: &str) {
        let mut state = self.state();
        let old = state.objects[&key(namespace, name)].clone();
        let mut new = old.clone();
        new["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
        new["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        bump_generation(&mut new);
        state.replace(&old, new);
        self.tell(&state);
    }

    /// Someone takes every finalizer off and deletes the object; another of the same name takes its place.
    pub(crate) fn supplant(&self, manifest: &Value) {
        let (namespace, name) = key_of(manifest);
        self.vanish(&namespace, &name);
        self.create(manifest);
    }

    /// Someone takes every finalizer off and deletes the object.
    pub(crate) fn vanish(&self, namespace: &str, name: &str) {
        self.edit(namespace, name, |object| object["metadata"]["finalizers"] = json!([]));
        self.delete(namespace, name);
    }

    /// kubectl label; `None` takes the label off.
    pub(crate) fn label(&self, namespace: &str, name: &str, label: &str, value: Option<&str>) {
        self.edit(namespace, name, |object| {
            object["metadata"]["labels"] = match value {
                Some(value) => json!({label: value}),
                None => json!({}),
            }
        });
    }

    /// The object, if it is there.
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<Value> {
        self.state().objects.get(&key(namespace, name)).cloned()
    }

    pub(crate) fn objects(&self) -> Vec<Value> {
        self.state().objects.values().cloned().collect()
    }

    /// The keys of the record of written policies.
    pub(crate) fn record(&self) -> Vec<String> {
        let state = self.state();
        let keys = state.record.values().flat_map(BTreeMap::keys);
        keys.filter(|key| key.contains('.')).cloned().collect()
    }

    /// The former cluster ids in the record.
    pub(crate) fn former_ids(&self) -> Vec<String> {
        let state = self.state();
        let list = state.record.get("bedrock-access-record-0").and_then(|data| data.get("former-ids"));
        list.map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default()
    }

    /// Someone takes every entry out of the record, and leaves what stands beside them.
    pub(crate) fn lose_entries(&self) {
        for data in self.state().record.values_mut() {
            data.retain(|key, _| !key.contains('.'));
        }
    }

    /// Someone deletes the record's ConfigMaps.
    pub(crate) fn lose_record(&self) {
        self.state().record.clear();
    }

    /// The Events so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.state().events.clone()
    }

    /// Everything as it is now.
    pub(crate) fn list(&self) -> List {
        self.state().list()
    }

    /// The next list is answered by an older one; the watch from there tells the rest.
    pub(crate) fn answer_stale(&self, list: List) {
        self.state().stale_list = Some(list);
    }

    /// Forgets what happened before now: a watch from then is too old.
    pub(crate) fn compact(&self) {
        let mut state = self.state();
        state.compacted = state.version;
    }

    /// Ends every watch.
    pub(crate) fn cut_watches(&self) {
        let mut state = self.state();
        state.cuts += 1;
        self.tell(&state);
    }

    /// Delivers the last `number` lines of the watch once more, in a random order.
    pub(crate) fn tell_again(&self, number: usize, rng: &mut fastrand::Rng) {
        let mut state = self.state();
        let mut again = state.told[state.told.len().saturating_sub(number)..].to_vec();
        rng.shuffle(&mut again);
        for told in &mut again {
            told.is_repetition = true;
        }
        state.told.extend(again);
        self.tell(&state);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    fn tell(&self, state: &State) {
        self.0.changed.send_replace(state.told.len() as u64 + state.cuts);
    }
}

impl State {
    /// Stores a new version, and tells of it.
    fn store(&mut self, kind: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let metadata = object["metadata"].as_object_mut().unwrap();
        if metadata.get("finalizers") == Some(&json!([])) {
            metadata.remove("finalizers");
        }
        let key = key_of(&object);
        let before = self.objects.get(&key).cloned();
        if kind == "DELETED" {
            self.objects.remove(&key);
        } else {
            self.objects.insert(key, object.clone());
        }
        let event = json!({"type": kind, "object": object});
        self.told.push(Told { version: self.version, event, before, is_repetition: false });
        object
    }

    /// What changes nothing is no new version; what is being deleted goes with its last finalizer.
    fn replace(&mut self, old: &Value, new: Value) -> Value {
        if *old == new {
            return new;
        }
        let metadata = &new["metadata"];
        let is_kept = metadata["finalizers"].as_array().is_some_and(|kept| !kept.is_empty());
        let is_gone = metadata["deletionTimestamp"].is_string() && !is_kept;
        self.store(if is_gone { "DELETED" } else { "MODIFIED" }, new)
    }

    fn list(&self) -> List {
        List { version: self.version, items: self.objects.values().cloned().collect() }
    }
}

fn key(namespace: &str, name: &str) -> Key {
    (namespace.to_owned(), name.to_owned())
}

fn key_of(object: &Value) -> Key {
    let metadata = &object["metadata"];
    key(metadata["namespace"].as_str().unwrap(), metadata["name"].as_str().unwrap())
}

fn bump_generation(object: &mut Value) {
    let generation = object["metadata"]["generation"].as_u64().unwrap();
    object["metadata"]["generation"] = json!(generation + 1);
}
