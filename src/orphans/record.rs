//! What was written to AWS, kept in ConfigMaps apart from the objects, so that a policy can be found whose object vanished.
//!
//! Whoever can edit these ConfigMaps gains nothing by it: an entry only says where to look. Taking one out hides a policy until
//! the next look at the whole account.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bedrock_iam::consent::Policy as ConsentPolicy;
use bedrock_iam::orphan::ObjectName;
use bedrock_iam::{Claim, PolicyIdentity, RoleName};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A ConfigMap holds one MiB, and each write of it is stored whole: sixteen hold some hundred thousand policies.
const SHARDS: usize = 16;

/// Before the number of a shard.
const NAME: &str = "bedrock-access-record";

/// The key, in the first shard, of the cluster id; no entry's key holds a hyphen.
const CLUSTER_ID: &str = "cluster-id";

/// The key beside it of the cluster id whose policies are being moved.
const MOVED_FROM: &str = "moved-from";

/// The key beside them of how roles consented when the operator last ran.
const CONSENT: &str = "consent-by";

/// What is noted where no role is asked.
const BY_NOBODY: &str = "none";

/// What is noted where roles consent by their tag.
const BY_TAG: &str = "tag";

/// The cluster ids that policies were written under.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClusterIds {
    /// The last one.
    pub(crate) now: Option<String>,
    /// One whose policies may not all have been moved.
    pub(crate) moved_from: Option<String>,
}

/// Whether a person confirmed that roles without the tag may lose what they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsConfirmed {
    /// A person did.
    Yes,
    /// Nobody did.
    No,
}

/// Which policy was written for whom; clones of an entry are as good as any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    namespace: String,
    name: String,
    role: String,
}

/// The record of one installation, with a copy in memory of what is known to stand in it.
pub struct Record {
    maps: Api<ConfigMap>,
    ids: ClusterIds,
    /// `None` while a change waits for a person, so that what was noted stays.
    consent: Option<&'static str>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    ids: ClusterIds,
    consent: Option<String>,
    entries: BTreeMap<String, Entry>,
    is_whole: bool,
}

impl Record {
    /// The record in a namespace, of which nothing is known yet; the cluster id that policies are written under, and that which
    /// they are moved from.
    pub fn new(client: Client, namespace: &str, cluster_id: &str, moved_from: Option<&str>) -> Self {
        let ids = ClusterIds { now: Some(cluster_id.to_owned()), moved_from: moved_from.map(str::to_owned) };
        Self { maps: Api::namespaced(client, namespace), ids, consent: None, known: Mutex::default() }
    }

    /// How roles are to consent: what was granted while none was asked may not go before a person confirms the change.
    pub async fn decide_consent(
        &mut self,
        wanted: ConsentPolicy,
        is_confirmed: IsConfirmed,
    ) -> Result<ConsentPolicy, kube::Error> {
        self.load().await?;
        let was_off = self.known().consent.as_deref() == Some(BY_NOBODY);
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
        let key = claim.identity.key_on(&claim.role);
        let entry = Entry {
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            role: claim.role.to_string(),
        };
        if self.known().entries.get(&key) == Some(&entry) {
            return Ok(());
        }
        self.note_cluster_ids().await?;
        let text = serde_json::to_string(&entry).map_err(kube::Error::SerdeError)?;
        self.write(shard(&key), &key, text).await?;
        self.known().entries.insert(key, entry);
        Ok(())
    }

    /// Takes the entry out, once the policy is gone.
    pub(crate) async fn forget(&self, claim: &Claim) -> Result<(), kube::Error> {
        let key = claim.identity.key_on(&claim.role);
        let is_known_absent = {
            let known = self.known();
            known.is_whole && !known.entries.contains_key(&key)
        };
        if is_known_absent {
            return Ok(());
        }
        match self.patch(shard(&key), &key, Value::Null).await {
            Ok(()) => {}
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error),
        }
        self.known().entries.remove(&key);
        Ok(())
    }

    /// Reads the record, unless that was done before.
    pub(crate) async fn load(&self) -> Result<(), kube::Error> {
        if self.known().is_whole {
            return Ok(());
        }
        for number in 0..SHARDS {
            let Some(map) = self.maps.get_opt(&name(number)).await? else { continue };
            let mut data = map.data.unwrap_or_default();
            let mut known = self.known();
            if number == 0 {
                known.ids = ClusterIds { now: data.remove(CLUSTER_ID), moved_from: data.remove(MOVED_FROM) };
                known.consent = data.remove(CONSENT);
            }
            let entries = data.into_iter();
            known
                .entries
                .extend(entries.filter_map(|(key, text)| Some((key, serde_json::from_str(&text).ok()?))));
        }
        self.known().is_whole = true;
        Ok(())
    }

    /// The cluster ids that policies were written under, as far as they are known.
    pub(crate) fn cluster_ids(&self) -> ClusterIds {
        self.known().ids.clone()
    }

    /// Whether it holds a policy of the object under a cluster id.
    pub(crate) fn holds(&self, cluster_id: &str, object: &ObjectName) -> bool {
        let identity = PolicyIdentity::derive(cluster_id, &object.namespace, &object.name);
        let entries = self.entries();
        entries.iter().any(|(key, of, role)| of == object && *key == identity.key_on(role))
    }

    /// Notes the cluster ids and how roles consent, before anything is written under them. That which policies are moved from comes first: a crash in
    /// between must not hide it.
    pub(super) async fn note_cluster_ids(&self) -> Result<(), kube::Error> {
        let (noted, ids) = (self.known().ids.clone(), &self.ids);
        if noted.moved_from != ids.moved_from {
            match &ids.moved_from {
                Some(id) => self.write(0, MOVED_FROM, id.clone()).await?,
                None => self.patch(0, MOVED_FROM, Value::Null).await?,
            }
        }
        if let Some(id) = ids.now.as_ref().filter(|_| noted.now != ids.now) {
            self.write(0, CLUSTER_ID, id.clone()).await?;
        }
        self.known().ids = ids.clone();
        let consent = self.known().consent.clone();
        if let Some(by) = self.consent.filter(|by| consent.as_deref() != Some(*by)) {
            self.write(0, CONSENT, by.to_owned()).await?;
            self.known().consent = Some(by.to_owned());
        }
        Ok(())
    }

    /// Forgets the copy: another operator may have written since.
    pub fn forget_copy(&self) {
        *self.known() = Known::default();
    }

    /// What stands in the record, as far as it is known: the key, and of what.
    pub(super) fn entries(&self) -> Vec<(String, ObjectName, RoleName)> {
        let known = self.known();
        let entries = known.entries.iter().filter_map(|(key, entry)| {
            let object = ObjectName { namespace: entry.namespace.clone(), name: entry.name.clone() };
            Some((key.clone(), object, entry.role.parse().ok()?))
        });
        entries.collect()
    }

    async fn write(&self, number: usize, key: &str, text: String) -> Result<(), kube::Error> {
        match self.patch(number, key, Value::String(text.clone())).await {
            Err(error) if is_missing(&error) => {}
            result => return result,
        }
        let map = ConfigMap {
            metadata: ObjectMeta { name: Some(name(number)), ..ObjectMeta::default() },
            data: Some(BTreeMap::from([(key.to_owned(), text.clone())])),
            ..ConfigMap::default()
        };
        match self.maps.create(&PostParams::default(), &map).await {
            // Another object's entry came first.
            Err(kube::Error::Api(status)) if status.code == 409 => {
                self.patch(number, key, Value::String(text)).await
            }
            result => result.map(drop),
        }
    }

    async fn patch(&self, number: usize, key: &str, value: Value) -> Result<(), kube::Error> {
        let patch = Patch::Merge(json!({"data": {key: value}}));
        self.maps.patch_metadata(&name(number), &PatchParams::default(), &patch).await.map(drop)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // The copy is never left half-written, so a poisoned lock holds a good one.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(number: usize) -> String {
    format!("{NAME}-{number}")
}

fn shard(key: &str) -> usize {
    key.bytes().map(usize::from).sum::<usize>() % SHARDS
}

fn is_missing(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_spread_over_all_shards() {
        let mut filled = [0; SHARDS];
        let role = "assistant".parse().unwrap();
        for number in 0..1600 {
            let identity = PolicyIdentity::derive("cluster", "team-a", &format!("object-{number}"));
            filled[shard(&identity.key_on(&role))] += 1;
        }
        assert!(filled.iter().all(|count| (50..=200).contains(count)), "{filled:?}");
    }
}
