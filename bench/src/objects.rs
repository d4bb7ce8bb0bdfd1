//! The objects of a stage, written and read by a client of our own: kubectl takes longer, and holds them several times over.

use std::sync::Arc;

use bedrock_access_api::v1alpha1::BedrockAccess;
use k8s_openapi::api::events::v1::Event;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::Value;

use crate::Outcome;
use crate::stage::{NAMESPACE, Stage};
use crate::workers::on_each;

/// So many requests at once.
const AT_ONCE: usize = 16;

/// Of one answer to a list.
const PAGE: u32 = 500;

pub(crate) fn api(client: Client) -> Api<BedrockAccess> {
    Api::namespaced(client, NAMESPACE)
}

impl Stage {
    pub(crate) fn create_all(&self, manifests: Vec<BedrockAccess>) -> Outcome<()> {
        let api = api(self.admin.clone());
        let create = move |objects: Arc<Vec<BedrockAccess>>, at: usize| {
            let api = api.clone();
            async move {
                let created = api.create(&PostParams::default(), &objects[at]).await;
                created.map(drop).map_err(|error| error.to_string())
            }
        };
        Ok(self.runtime.block_on(on_each(Arc::new(manifests), AT_ONCE, create))?)
    }

    /// Sends each of them its merge patch.
    pub(crate) fn patch_all(&self, patches: Vec<(String, Value)>) -> Outcome<()> {
        let api = api(self.admin.clone());
        let patch = move |patches: Arc<Vec<(String, Value)>>, at: usize| {
            let api = api.clone();
            async move {
                let (name, patch) = &patches[at];
                let answer = api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
                answer.map(drop).map_err(|error| error.to_string())
            }
        };
        Ok(self.runtime.block_on(on_each(Arc::new(patches), AT_ONCE, patch))?)
    }

    pub(crate) fn objects(&self) -> Outcome<Vec<BedrockAccess>> {
        self.listed(&api(self.admin.clone()))
    }

    pub(crate) fn events(&self) -> Outcome<Vec<Event>> {
        self.listed(&Api::namespaced(self.admin.clone(), NAMESPACE))
    }

    /// Fails unless so many objects are Ready in the API server, as they are now.
    pub(crate) fn check_ready(&self, expected: usize) -> Outcome<()> {
        let ready = self.objects()?.iter().filter(|object| is_ready(object)).count();
        if ready == expected {
            Ok(())
        } else {
            Err(format!("{ready} objects are Ready in the API server, not {expected}").into())
        }
    }

    fn listed<K>(&self, api: &Api<K>) -> Outcome<Vec<K>>
    where
        K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    {
        let mut all = Vec::new();
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let list = self.runtime.block_on(api.list(&page))?;
            all.extend(list.items);
            match list.metadata.continue_ {
                Some(token) if !token.is_empty() => page.continue_token = Some(token),
                _ => return Ok(all),
            }
        }
    }
}

/// By its status, which tells of its newest generation.
pub(crate) fn is_ready(object: &BedrockAccess) -> bool {
    object.status.as_ref().is_some_and(|status| {
        status.observed_generation == object.metadata.generation
            && status
                .conditions
                .iter()
                .any(|condition| condition.type_ == "Ready" && condition.status == "True")
    })
}
