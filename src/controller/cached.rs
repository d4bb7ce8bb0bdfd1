//! An object in the watch's cache: packed, since there are thousands, of which few are looked at.

use std::borrow::Cow;
use std::sync::Arc;

use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::RoleName;
use bedrock_iam::orphan::ObjectName;
use bedrock_iam::packed::Packed;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::runtime::reflector::Lookup;

use super::queue::Key;
use super::sightings::Sight;
use crate::orphans::{self, Guarded, Unreadable};

/// An object like most: what others share with it takes no memory.
const COMMON: &str = include_str!("cached/common.json");

/// An object as the watch showed it last.
#[derive(Clone, Debug)]
pub(super) struct CachedObject {
    pub(super) key: Key,
    pub(super) sight: Sight,
    /// Whether it looks after a policy at all.
    is_keeper: bool,
    /// The role that it names, where that can be read.
    role: Option<RoleName>,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Readable(Packed),
    Unreadable(Arc<Unreadable>),
}

impl CachedObject {
    pub(super) fn of(object: Guarded) -> Self {
        let meta = object.meta();
        let key =
            Key::new(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        let (sight, keeper) = (Sight::of(&object), orphans::keeper(&object));
        let (is_keeper, role) = (keeper.is_some(), keeper.and_then(|(_, role)| role));
        let content = match object.0.map(|object| serde_json::to_string(&object)) {
            Ok(Ok(text)) => Content::Readable(Packed::new(&text, COMMON)),
            Ok(Err(error)) => Content::Unreadable(Arc::new(lost(&key, error.to_string()))),
            Err(unreadable) => Content::Unreadable(Arc::new(unreadable)),
        };
        Self { key, sight, is_keeper, role, content }
    }

    /// The object itself.
    pub(super) fn object(&self) -> Guarded {
        Guarded(match &self.content {
            Content::Readable(packed) => {
                let text = packed.text(COMMON).unwrap_or_default();
                serde_json::from_str::<BedrockAccess>(&text)
                    .map_err(|error| lost(&self.key, error.to_string()))
            }
            Content::Unreadable(unreadable) => Err((**unreadable).clone()),
        })
    }

    /// What is kept of it, packed: whether it has changed shows in that.
    pub(super) fn content(&self) -> &[u8] {
        match &self.content {
            Content::Readable(packed) => packed.bytes(),
            Content::Unreadable(_) => &[],
        }
    }

    /// The role on which it is to keep a policy, where that can be read.
    pub(super) fn role_to_keep(&self) -> Option<&RoleName> {
        self.role.as_ref().filter(|_| !self.sight.is_deleted())
    }

    /// The object with its role, if it looks after a policy at all.
    pub(super) fn keeper(&self) -> Option<(ObjectName, Option<RoleName>)> {
        let name =
            || ObjectName { namespace: self.key.namespace.to_string(), name: self.key.name.to_string() };
        self.is_keeper.then(|| (name(), self.role.clone()))
    }
}

/// What cannot be: what was read a moment ago cannot be written down, or not be read again.
fn lost(key: &Key, error: String) -> Unreadable {
    let metadata = ObjectMeta {
        namespace: Some(key.namespace.to_string()),
        name: Some(key.name.to_string()),
        ..ObjectMeta::default()
    };
    Unreadable::new(error, metadata)
}

impl Lookup for CachedObject {
    type DynamicType = ();

    fn kind((): &()) -> Cow<'_, str> {
        <BedrockAccess as Resource>::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        <BedrockAccess as Resource>::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        <BedrockAccess as Resource>::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        <BedrockAccess as Resource>::plural(&())
    }

    fn name(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(&self.key.name))
    }

    fn namespace(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(&self.key.namespace))
    }

    /// The cache would keep it beside each object, and nobody asks.
    fn resource_version(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// The same.
    fn uid(&self) -> Option<Cow<'_, str>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(object: &Value) -> Guarded {
        serde_json::from_value(object.clone()).unwrap()
    }

    #[test]
    fn an_object_comes_back_as_it_was() {
        let mut object: Value = serde_json::from_str(COMMON).unwrap();
        object["metadata"]["annotations"] = json!({"bedrockaccess.io/reconcile-at": "now"});
        object["spec"]["interval"] = json!("5m");
        let typed = |object: Guarded| serde_json::to_value(object.0.unwrap()).unwrap();
        assert_eq!(typed(CachedObject::of(read(&object)).object()), typed(read(&object)));
    }

    #[test]
    fn an_object_like_most_takes_little_memory() {
        let other =
            COMMON.replace("assistant", "summaries").replace("0a1b2c3d", "f00dcafe").replace("eu-", "ap-");
        let cached = CachedObject::of(serde_json::from_str(&other).unwrap());
        let Content::Readable(packed) = &cached.content else { panic!("{cached:?}") };
        assert!(packed.bytes().len() < other.len() / 5, "{packed:?} of {}", other.len());
    }

    #[test]
    fn an_object_that_cannot_be_read_comes_back_with_what_is_wrong_and_its_role() {
        let object = json!({"metadata": {"name": "a", "namespace": "team-a"},
            "spec": {"role": {"name": "app"}, "sourceRegions": "x"}});
        let cached = CachedObject::of(read(&object));
        let (there, here) = (cached.object().0.unwrap_err(), read(&object).0.unwrap_err());
        assert_eq!((there.error, there.metadata), (here.error, here.metadata));
        assert_eq!(cached.keeper().unwrap().1.unwrap().as_str(), "app");
    }
}
