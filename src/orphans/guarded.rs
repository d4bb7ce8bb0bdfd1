//! An object as the API server holds it, whether it can be read or not, with what the operator reads of it and nothing else.

mod kept;

use std::borrow::Cow;

use bedrock_access_api::v1alpha1::{BedrockAccess, BedrockAccessSpec, BedrockAccessStatus};
use bedrock_iam::conditions::KINDS;
use bedrock_iam::{RoleArn, RoleName};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use kept::Kept;

/// Characters of what a type does not take: the words are serde's, and may repeat what they are about.
const LONGEST_ERROR: usize = 1024;

/// An object that may not be readable, so that one which is not hides no other.
#[derive(Clone, Debug)]
pub(crate) struct Guarded(pub(crate) Result<BedrockAccess, Unreadable>);

/// What is known of an object that cannot be read.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable {
    /// What its type does not take.
    pub(crate) error: String,
    pub(crate) metadata: ObjectMeta,
    role: Option<RoleName>,
}

impl Unreadable {
    /// An object that names no role that could be read.
    pub(crate) fn new(error: String, metadata: ObjectMeta) -> Self {
        Self { error, metadata, role: None }
    }
}

impl Guarded {
    /// The role that it names; `None` where that cannot be read, so that it may be any.
    pub(super) fn role(&self) -> Option<RoleName> {
        match &self.0 {
            Ok(object) => role(object.spec.role.name.as_deref(), object.spec.role.arn.as_deref()),
            Err(unreadable) => unreadable.role.clone(),
        }
    }
}

fn role(name: Option<&str>, arn: Option<&str>) -> Option<RoleName> {
    let of_arn = |arn: &str| arn.parse::<RoleArn>().ok().map(|arn| arn.name);
    name.and_then(|name| name.parse().ok()).or_else(|| arn.and_then(of_arn))
}

/// What the API server holds; what is not named here is skipped.
#[derive(Deserialize)]
struct Stored {
    metadata: Option<Kept>,
    spec: Option<Value>,
    status: Option<Value>,
}

impl<'de> Deserialize<'de> for Guarded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { metadata, spec, status } = Stored::deserialize(deserializer)?;
        let metadata = metadata.map(ObjectMeta::from).unwrap_or_default();
        Ok(Self(match read(spec.as_ref(), status.as_ref()) {
            Ok((spec, status)) => Ok(BedrockAccess { metadata, spec, status }),
            Err(error) => {
                let error = error.to_string().chars().take(LONGEST_ERROR).collect();
                let named = spec.as_ref().map(|spec| &spec["role"]);
                let text = |field: &str| named.and_then(|role| role[field].as_str());
                let role = role(text("name"), text("arn"));
                Err(Unreadable { error, metadata, role })
            }
        }))
    }
}

fn read(
    spec: Option<&Value>,
    status: Option<&Value>,
) -> Result<(BedrockAccessSpec, Option<BedrockAccessStatus>), serde_json::Error> {
    let spec = spec.ok_or_else(|| serde_json::Error::missing_field("spec"))?;
    let spec = BedrockAccessSpec::deserialize(spec)?;
    let mut status = status.map(BedrockAccessStatus::deserialize).transpose()?;
    if let Some(status) = &mut status {
        // Another writer's are not ours to carry.
        status.conditions.retain(|condition| KINDS.contains(&condition.type_.as_str()));
    }
    Ok((spec, status))
}

impl Resource for Guarded {
    type DynamicType = <BedrockAccess as Resource>::DynamicType;
    type Scope = <BedrockAccess as Resource>::Scope;

    fn kind(of: &Self::DynamicType) -> Cow<'_, str> {
        BedrockAccess::kind(of)
    }

    fn group(of: &Self::DynamicType) -> Cow<'_, str> {
        BedrockAccess::group(of)
    }

    fn version(of: &Self::DynamicType) -> Cow<'_, str> {
        BedrockAccess::version(of)
    }

    fn plural(of: &Self::DynamicType) -> Cow<'_, str> {
        BedrockAccess::plural(of)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.as_ref().map_or_else(|unreadable| &unreadable.metadata, BedrockAccess::meta)
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.as_mut().map_or_else(|unreadable| &mut unreadable.metadata, BedrockAccess::meta_mut)
    }
}

#[cfg(test)]
mod tests {
    use bedrock_access_api::annotations::{ACCEPT_SHRINK, RECONCILE_AT};
    use serde_json::json;

    use super::*;
    use crate::reconcile::FINALIZER;

    fn object(spec: &Value) -> Guarded {
        let metadata = json!({"name": "assistant", "namespace": "team-a"});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
    }

    #[test]
    fn an_object_that_cannot_be_read_names_its_role_where_that_can() {
        let role = |spec: Value| {
            let object = object(&spec);
            assert!(object.0.is_err() && object.meta().name.as_deref() == Some("assistant"));
            object.role().map(|role| role.to_string())
        };
        let unreadable = |role: Value| json!({"role": role, "sourceRegions": "us-east-1", "models": []});
        assert_eq!(role(unreadable(json!({"name": "app"}))).as_deref(), Some("app"));
        let arn = json!({"arn": "arn:aws:iam::111122223333:role/path/app"});
        assert_eq!(role(unreadable(arn)).as_deref(), Some("app"));
        for other in [json!({"name": 1}), json!("app"), json!({}), json!(null)] {
            assert_eq!(role(unreadable(other.clone())), None, "{other}");
        }
        assert_eq!(role(json!("nothing at all")), None);
    }

    /// The metadata with what others put there beside it, as the operator keeps it.
    fn kept(annotations: &Value, finalizers: &Value) -> ObjectMeta {
        let text = || "x".repeat(200 * 1024);
        let manager = json!({"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": text()}});
        let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": text(), "uid": text()});
        let metadata = json!({
            "name": "assistant", "namespace": "team-a", "uid": "uid-1", "resourceVersion": "7", "generation": 3,
            "deletionTimestamp": "2026-01-01T00:00:00Z", "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"text": text()}, "ownerReferences": [owner], "managedFields": [manager],
            "annotations": annotations, "finalizers": finalizers,
        });
        let object = json!({"apiVersion": "bedrockaccess.io/v1alpha1", "kind": "BedrockAccess", "metadata": metadata,
            "spec": {"role": {"name": "app"}, "sourceRegions": ["us-east-1"], "models": []}});
        let Guarded(object) = serde_json::from_str(&object.to_string()).unwrap();
        object.unwrap().metadata
    }

    #[test]
    fn what_nobody_reads_is_dropped_at_the_door() {
        let text = "x".repeat(200 * 1024);
        let ours =
            json!({"example.com/text": text, ACCEPT_SHRINK: "us.model@us-east-1", RECONCILE_AT: "now"});
        let metadata = kept(&ours, &json!(["example.com/theirs", FINALIZER]));
        let read = json!({
            "name": "assistant", "namespace": "team-a", "uid": "uid-1", "resourceVersion": "7", "generation": 3,
            "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/theirs", FINALIZER],
            "annotations": {ACCEPT_SHRINK: "us.model@us-east-1", RECONCILE_AT: "now"},
        });
        assert_eq!(serde_json::to_value(metadata).unwrap(), read);
    }

    #[test]
    fn what_is_kept_of_our_annotations_is_bounded_and_a_misspelt_one_is_told() {
        let mut annotations = json!({RECONCILE_AT: "é".repeat(100_000)});
        for index in 0..1000 {
            annotations[format!("bedrockaccess.io/reconcile-{index}")] = json!("x".repeat(1000));
        }
        let kept = kept(&annotations, &json!([])).annotations.unwrap();
        assert_eq!(kept[RECONCILE_AT].chars().count(), 256);
        assert_eq!(kept["bedrockaccess.io/reconcile-0"], "");
        assert_eq!(kept.len(), 9);
    }

    #[test]
    fn our_finalizer_is_seen_behind_any_number_of_others() {
        let mut all = vec!["example.com/theirs"; 100_000];
        all.extend([FINALIZER, FINALIZER]);
        let kept = kept(&json!({}), &json!(all)).finalizers.unwrap();
        assert_eq!((kept.len(), kept.last().map(String::as_str)), (33, Some(FINALIZER)));
    }

    #[test]
    fn of_an_object_that_cannot_be_read_no_more_is_kept() {
        let object = object(&json!({"role": {"name": "app"}, "sourceRegions": "x".repeat(200 * 1024)}));
        let unreadable = object.0.unwrap_err();
        assert_eq!(unreadable.error.chars().count(), LONGEST_ERROR);
    }

    #[test]
    fn what_another_writer_puts_into_the_conditions_is_not_kept() {
        let condition = |kind| {
            json!({"type": kind, "status": "True", "reason": "Checked", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z"})
        };
        let conditions = json!([condition("example.com/Checked"), condition("Ready")]);
        let spec = json!({"role": {"name": "app"}, "sourceRegions": ["us-east-1"], "models": []});
        let object = json!({"metadata": {}, "spec": spec, "status": {"conditions": conditions}});
        let Guarded(object) = serde_json::from_value(object).unwrap();
        let kinds: Vec<String> =
            object.unwrap().status.unwrap().conditions.into_iter().map(|condition| condition.type_).collect();
        assert_eq!(kinds, ["Ready"]);
    }

    #[test]
    fn what_is_not_even_an_object_is_an_error() {
        assert!(serde_json::from_value::<Guarded>(json!({"metadata": "none", "spec": 1})).is_err());
    }

    #[test]
    fn a_readable_object_is_read() {
        let object = object(&json!({"role": {"name": "app"}, "sourceRegions": ["us-east-1"], "models": []}));
        assert_eq!(object.role().unwrap().as_str(), "app");
        assert!(object.0.is_ok());
    }
}
