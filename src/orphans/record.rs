//! What was written to AWS, kept in ConfigMaps apart from the objects, so that a policy can be found whose object vanished.
//!
//! Whoever can edit these ConfigMaps gains no grant by it: entries and former cluster ids only say where to look, and what is
//! removed there no owner consents to. Taking an entry out hides a policy until the next look at the whole account.

mod ids;
mod known;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bedrock_iam::consent::ConsentPolicy;
use bedrock_iam::orphan::ObjectName;
use bedrock_iam::{Claim, PolicyIdentity, RoleName};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use ids::Notes;
pub(crate) use ids::{ClusterIds, MOST_FORMER};
use known::{Entry, Known};

/// A ConfigMap holds one MiB, and each write of it is stored whole: in so many, ten thousand policies take some 20 kB each.
const PARTS: usize = 64;

/// Before the number of a part.
const NAME: &str = "bedrock-access-record";

/// What is noted where no role is asked.
const BY_NOBODY: &str = "none";

/// What is noted where roles consent by their tag.
const BY_TAG: &str = "tag";

/// What changes in a ConfigMap's data, by key; `None` takes the key out.
type Changes = BTreeMap<String, Option<String>>;

/// Whether a person confirmed that roles without the tag may lose what they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsConfirmed {
    /// A person did.
    Yes,
    /// Nobody did.
    No,
}

/// Entries of one write: a few workers wait at a time, and one that was dropped takes nobody with it.
const MOST_AT_ONCE: usize = 100;

/// Parts that are read at once.
const READ_AT_ONCE: usize = 4;

/// Between the beginnings of two writes of entries: while objects come one after the other, those of this time share a write.
const PAUSE: Duration = Duration::from_millis(8);

/// The record of one installation, with a copy in memory of what is known to stand in it.
pub struct Record {
    maps: Api<ConfigMap>,
    ids: ClusterIds,
    /// `None` while a change waits for a person, so that what was noted stays.
    consent: Option<&'static str>,
    known: Mutex<Known>,
    /// Entries that wait for the write that is under way, by their keys: the next write takes all of them.
    waiting: Mutex<BTreeMap<String, String>>,
    /// Held by who writes them: when the last write began.
    writing: tokio::sync::Mutex<Option<Instant>>,
}

impl Record {
    /// The record in a namespace, of which nothing is known yet; the cluster id that policies are written under, and that which
    /// they are moved from.
    pub fn new(client: Client, namespace: &str, cluster_id: &str, moved_from: Option<&str>) -> Self {
        let (now, moved_from) = (Some(cluster_id.to_owned()), moved_from.map(str::to_owned));
        let ids = ClusterIds { now, moved_from, former: Vec::new() };
        Self {
            maps: Api::namespaced(client, namespace),
            ids,
            consent: None,
            known: Mutex::default(),
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// How roles are to consent: what was granted while none was asked may not go before a person confirms the change.
    pub async fn decide_consent(
        &mut self,
        wanted: ConsentPolicy,
        is_confirmed: IsConfirmed,
    ) -> Result<ConsentPolicy, kube::Error> {
        let was_off = self.notes().await?.consent.as_deref() == Some(BY_NOBODY);
        let decided = match (wanted, is_confirmed) {
            (ConsentPolicy::Tag, IsConfirmed::No) if was_off => ConsentPolicy::Unconfirmed,
            (wanted, _) => wanted,
        };
        self.consent = match decided {
            ConsentPolicy::Tag => Some(BY_TAG),
            ConsentPolicy::None => Some(BY_NOBODY),
            ConsentPolicy::Unconfirmed => None,
        };
        Ok(decided)
    }

    /// Notes the policy before it is first written, so that no crash leaves one without its entry.
    pub(crate) async fn remember(&self, claim: &Claim, object: &ObjectName) -> Result<(), kube::Error> {
        let entry = Entry {
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            role: claim.role.to_string(),
        };
        let keys = claim.identity.keys_on(&claim.role);
        if self.known().has(keys.iter(), &entry) {
            return Ok(());
        }
        let text = serde_json::to_string(&entry).map_err(kube::Error::SerdeError)?;
        let key = claim.identity.key_on(&claim.role);
        lock(&self.waiting).insert(key.clone(), text.clone());
        let mut begun = self.writing.lock().await;
        // Whoever had the turn before may have written it too.
        if self.known().has(keys.iter(), &entry) {
            return Ok(());
        }
        self.note_cluster_ids().await?;
        if let Some(begun) = *begun {
            sleep_until(begun + PAUSE).await;
        }
        *begun = Some(Instant::now());
        self.write_entries(key, text).await
    }

    /// Writes an entry, and those that wait, to one part. A ConfigMap is stored and read whole for each write.
    async fn write_entries(&self, key: String, text: String) -> Result<(), kube::Error> {
        let number = part(&key);
        let mut entries = {
            let mut waiting = lock(&self.waiting);
            let last = waiting.keys().nth(MOST_AT_ONCE).cloned();
            let later = last.map(|last| waiting.split_off(&last)).unwrap_or_default();
            std::mem::replace(&mut *waiting, later)
        };
        lock(&self.waiting).remove(&key);
        entries.insert(key.clone(), text);
        for key in entries.keys() {
            self.known().may_stand(key, number);
        }
        let changes = entries.iter().map(|(key, text)| (key.clone(), Some(text.clone()))).collect();
        if let Err(error) = self.write(number, &changes).await {
            // The others wait for their turn and try for themselves.
            entries.remove(&key);
            lock(&self.waiting).append(&mut entries);
            return Err(error);
        }
        for (key, text) in &entries {
            self.known().stands(key, text, number);
        }
        Ok(())
    }

    /// Takes the entry out, once the policy is gone.
    pub(crate) async fn forget(&self, claim: &Claim) -> Result<(), kube::Error> {
        // Only the record tells in which parts it stands.
        self.load().await?;
        for key in claim.identity.keys_on(&claim.role) {
            let parts = self.known().parts(&key);
            for number in parts {
                match self.patch(number, &[(key.clone(), None)].into()).await {
                    Ok(()) => {}
                    Err(error) if is_missing(&error) => {}
                    Err(error) => return Err(error),
                }
            }
            self.known().remove(&key);
        }
        Ok(())
    }

    /// Reads the record, unless that was done before.
    pub async fn load(&self) -> Result<(), kube::Error> {
        if self.known().is_whole {
            return Ok(());
        }
        let part = async |number| Ok::<_, kube::Error>((number, read(&self.maps, number).await?));
        let mut parts = stream::iter((0..PARTS).map(part)).buffer_unordered(READ_AT_ONCE);
        while let Some((number, mut data)) = parts.try_next().await? {
            let mut known = self.known();
            if number == 0 {
                known.notes = Some(Notes::take_from(&mut data));
            }
            for (key, text) in &data {
                known.was_read(key, text, number);
            }
        }
        self.known().complete();
        Ok(())
    }

    /// The cluster ids that policies were written under.
    pub(crate) async fn cluster_ids(&self) -> Result<ClusterIds, kube::Error> {
        Ok(self.notes().await?.ids)
    }

    /// Those of before, as far as they were read.
    pub(super) fn former_ids(&self) -> Vec<String> {
        self.known().notes.iter().flat_map(|notes| notes.ids.former.clone()).collect()
    }

    /// The former cluster ids that there will be once this operator has noted its own.
    pub(crate) async fn former_ids_to_be(&self) -> Result<Vec<String>, kube::Error> {
        Ok(self.ids.following(&self.cluster_ids().await?).former)
    }

    /// Whether it holds a policy of the object under a cluster id.
    pub(crate) fn holds(&self, cluster_id: &str, object: &ObjectName) -> bool {
        let identity = PolicyIdentity::derive(cluster_id, &object.namespace, &object.name);
        let entries = self.entries();
        entries.iter().any(|(key, of, role)| of == object && identity.is_known_as(key, role))
    }

    /// How many policies it holds that were written under a cluster id, as far as it was read.
    pub(super) fn count(&self, cluster_id: &str) -> usize {
        let entries = self.entries().into_iter();
        let is_under = |(key, object, role): &(String, ObjectName, RoleName)| {
            let ObjectName { namespace, name } = object;
            PolicyIdentity::derive(cluster_id, namespace, name).is_known_as(key, role)
        };
        entries.filter(is_under).count()
    }

    /// Notes the cluster ids, all at once, and how roles consent, before anything is written under them.
    pub(super) async fn note_cluster_ids(&self) -> Result<(), kube::Error> {
        let noted = self.notes().await?;
        let consent = self.consent.map(str::to_owned).or_else(|| noted.consent.clone());
        self.note(&noted, Notes { ids: self.ids.following(&noted.ids), consent }).await
    }

    /// Takes a former cluster id off the list, under which no policy is left.
    pub(super) async fn retire(&self, cluster_id: &str) -> Result<(), kube::Error> {
        let before = self.notes().await?;
        let mut after = before.clone();
        after.ids.former.retain(|id| id != cluster_id);
        self.note(&before, after).await
    }

    /// An object has come from another shard, where its entry may have been taken out: before a write it is noted anew.
    pub(crate) fn doubt(&self, object: &ObjectName, role: &RoleName) {
        for id in self.ids.now.iter().chain(&self.ids.moved_from) {
            let identity = PolicyIdentity::derive(id, &object.namespace, &object.name);
            for key in identity.keys_on(role) {
                self.known().doubt(&key);
            }
        }
    }

    /// Whether all of it was read.
    pub(super) fn is_whole(&self) -> bool {
        self.known().is_whole
    }

    /// Forgets the copy: another operator may have written since.
    pub fn forget_copy(&self) {
        *self.known() = Known::default();
    }

    /// What stands in the record, as far as it is known: the key, and of what.
    pub(super) fn entries(&self) -> Vec<(String, ObjectName, RoleName)> {
        self.known().entries().collect()
    }

    /// What is noted beside the entries. Who wrote anew without having read it would lose it.
    async fn notes(&self) -> Result<Notes, kube::Error> {
        if let Some(notes) = self.known().notes.clone() {
            return Ok(notes);
        }
        let notes = Notes::take_from(&mut read(&self.maps, 0).await?);
        self.known().notes = Some(notes.clone());
        Ok(notes)
    }

    async fn note(&self, before: &Notes, after: Notes) -> Result<(), kube::Error> {
        let changes = after.changes_from(before);
        if !changes.is_empty() {
            self.write(0, &changes).await?;
        }
        self.known().notes = Some(after);
        Ok(())
    }

    async fn write(&self, number: usize, changes: &Changes) -> Result<(), kube::Error> {
        match self.patch(number, changes).await {
            Err(error) if is_missing(&error) => {}
            result => return result,
        }
        let data = changes.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?)));
        let map = ConfigMap {
            metadata: ObjectMeta { name: Some(name(number)), ..ObjectMeta::default() },
            data: Some(data.collect()),
            ..ConfigMap::default()
        };
        match self.maps.create(&PostParams::default(), &map).await {
            // Another object's entry came first.
            Err(kube::Error::Api(status)) if status.code == 409 => self.patch(number, changes).await,
            result => result.map(drop),
        }
    }

    async fn patch(&self, number: usize, changes: &Changes) -> Result<(), kube::Error> {
        let patch = Patch::Merge(json!({"data": changes}));
        self.maps.patch_metadata(&name(number), &PatchParams::default(), &patch).await.map(drop)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half-written, so a poisoned lock holds a good value.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The cluster ids in the record of a namespace, for who does not run under one.
pub(crate) async fn noted_ids(client: Client, namespace: &str) -> Result<ClusterIds, kube::Error> {
    let maps = Api::namespaced(client, namespace);
    Ok(Notes::take_from(&mut read(&maps, 0).await?).ids)
}

async fn read(maps: &Api<ConfigMap>, number: usize) -> Result<BTreeMap<String, String>, kube::Error> {
    let map = maps.get_opt(&name(number)).await?;
    Ok(map.and_then(|map| map.data).unwrap_or_default())
}

fn name(number: usize) -> String {
    format!("{NAME}-{number}")
}

fn part(key: &str) -> usize {
    key.bytes().map(usize::from).sum::<usize>() % PARTS
}

fn is_missing(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

#[cfg(test)]
mod tests;
