//! An object as the API server holds it, whether it can be read or not.

use std::borrow::Cow;

use bedrock_access_api::v1alpha1::{BedrockAccess, RoleRef};
use bedrock_iam::{RoleArn, RoleName};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An object that may not be readable, so that one which is not hides no other.
#[derive(Clone, Debug)]
pub(crate) struct Guarded(pub(crate) Result<BedrockAccess, Unreadable>);

/// What is known of an object that cannot be read.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable {
    /// What its type does not take.
    pub(crate) error: String,
    pub(crate) metadata: ObjectMeta,
    role: RoleRef,
}

impl Guarded {
    /// The role that it names; `None` where that cannot be read, so that it may be any.
    pub(super) fn role(&self) -> Option<RoleName> {
        let RoleRef { name, arn } = match &self.0 {
            Ok(object) => &object.spec.role,
            Err(unreadable) => &unreadable.role,
        };
        let of_arn = |arn: &String| arn.parse::<RoleArn>().ok().map(|arn| arn.name);
        name.as_ref().and_then(|name| name.parse().ok()).or_else(|| arn.as_ref().and_then(of_arn))
    }
}

impl<'de> Deserialize<'de> for Guarded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let unreadable = match BedrockAccess::deserialize(&raw) {
            Ok(object) => return Ok(Self(Ok(object))),
            Err(error) => error.to_string(),
        };
        let metadata = raw.get("metadata").map_or_else(|| Ok(ObjectMeta::default()), ObjectMeta::deserialize);
        let metadata = metadata.map_err(D::Error::custom)?;
        let text = |field: &str| raw["spec"]["role"][field].as_str().map(str::to_owned);
        let role = RoleRef { name: text("name"), arn: text("arn") };
        Ok(Self(Err(Unreadable { error: unreadable, metadata, role })))
    }
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
    use serde_json::json;

    use super::*;

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
