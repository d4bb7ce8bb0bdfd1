//! What is kept of an object's metadata: what the operator reads. All else may be as large as etcd takes, and is skipped while the
//! API server's answer is read.

use std::collections::BTreeMap;
use std::fmt;

use bedrock_access_api::annotations::{ALL, PREFIX};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::reconcile::FINALIZER;

/// Characters of an annotation's value.
const LONGEST_VALUE: usize = 256;

/// Annotations of our prefix that are none of ours, of which a person is told.
const MOST_STRANGE: usize = 8;

/// Finalizers. An object with more is not begun with, and one that is deleted goes only after others have taken theirs off: a patch
/// of ours says which finalizers it found.
const MOST_FINALIZERS: usize = 32;

/// The metadata that is kept.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Kept {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    deletion_timestamp: Option<Time>,
    annotations: Option<Annotations>,
    finalizers: Option<Finalizers>,
}

impl From<Kept> for ObjectMeta {
    fn from(kept: Kept) -> Self {
        Self {
            name: kept.name,
            namespace: kept.namespace,
            uid: kept.uid,
            resource_version: kept.resource_version,
            generation: kept.generation,
            deletion_timestamp: kept.deletion_timestamp,
            annotations: kept.annotations.map(|annotations| annotations.0),
            finalizers: kept.finalizers.map(|finalizers| finalizers.0),
            ..Self::default()
        }
    }
}

/// Ours, and a few that look like ours, without their values.
struct Annotations(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnnotationsVisitor)
    }
}

struct AnnotationsVisitor;

impl<'de> Visitor<'de> for AnnotationsVisitor {
    type Value = Annotations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("annotations")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Annotations, A::Error> {
        let (mut kept, mut strange) = (BTreeMap::new(), 0);
        while let Some(key) = all.next_key::<String>()? {
            if ALL.contains(&key.as_str()) {
                let Value(value) = all.next_value()?;
                kept.insert(key, value);
                continue;
            }
            all.next_value::<IgnoredAny>()?;
            if key.starts_with(PREFIX) && strange < MOST_STRANGE {
                strange += 1;
                kept.insert(key, String::new());
            }
        }
        Ok(Annotations(kept))
    }
}

/// The beginning of an annotation's value.
struct Value(String);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(ValueVisitor)
    }
}

struct ValueVisitor;

impl Visitor<'_> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value(text.chars().take(LONGEST_VALUE).collect()))
    }
}

/// The first ones in their order, and ours wherever it stands.
struct Finalizers(Vec<String>);

impl<'de> Deserialize<'de> for Finalizers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FinalizersVisitor)
    }
}

struct FinalizersVisitor;

impl<'de> Visitor<'de> for FinalizersVisitor {
    type Value = Finalizers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("finalizers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Finalizers, A::Error> {
        let mut kept: Vec<String> = Vec::new();
        while let Some(name) = all.next_element::<String>()? {
            let is_first_of_ours = name == FINALIZER && !kept.contains(&name);
            if kept.len() < MOST_FINALIZERS || is_first_of_ours {
                kept.push(name);
            }
        }
        Ok(Finalizers(kept))
    }
}
