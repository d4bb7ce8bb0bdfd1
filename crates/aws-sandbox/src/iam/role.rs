//! What a role is.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// A role as the sandbox holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The friendly name, unique in the account whatever its case.
    pub name: String,
    /// `/`, or `/…/`.
    pub path: String,
    /// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
    pub arn: String,
    /// `AROA…`; another one after the role was deleted and created again.
    pub id: String,
    /// When it was created, RFC 3339 to the second, UTC.
    pub created: String,
    /// As given at its creation.
    pub description: Option<String>,
    /// Seconds.
    pub max_session_duration: u32,
    /// The trust policy's text as given.
    pub trust_policy: String,
    /// The ARN of the permissions boundary.
    pub permissions_boundary: Option<String>,
    /// Values by key.
    pub tags: BTreeMap<String, String>,
    /// Inline policies: the texts as given, by policy name.
    pub policies: BTreeMap<String, String>,
}

impl Role {
    /// Whether only AWS may change the role: an SSO or service-linked role, known by its path.
    pub fn is_protected(&self) -> bool {
        is_protected(&self.path)
    }

    /// Characters that count against the quota of 10,240: those of all inline policies without their white space.
    pub fn policy_characters(&self) -> usize {
        self.policies.values().map(|document| characters(document)).sum()
    }
}

/// Whether roles of the path belong to AWS.
pub(crate) fn is_protected(path: &str) -> bool {
    ["/aws-reserved/", "/aws-service-role/"].iter().any(|prefix| path.starts_with(prefix))
}

/// Characters of a policy without its white space.
pub(crate) fn characters(document: &str) -> usize {
    document.chars().filter(|character| !matches!(character, ' ' | '\t' | '\n' | '\r')).count()
}

/// A role to be; also its form in a seed, where every field but `name` may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRole {
    pub(crate) name: String,
    #[serde(default = "root")]
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default = "hour")]
    pub(crate) max_session_duration: u32,
    #[serde(default = "pods_trust")]
    pub(crate) trust_policy: String,
    #[serde(default)]
    pub(crate) permissions_boundary: Option<String>,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "documents")]
    pub(crate) policies: BTreeMap<String, String>,
}

impl NewRole {
    /// A role that EKS pods may assume, at the path `/`, without tags and policies.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: root(),
            description: None,
            max_session_duration: hour(),
            trust_policy: pods_trust(),
            permissions_boundary: None,
            tags: BTreeMap::new(),
            policies: BTreeMap::new(),
        }
    }

    /// Sets the path, `/…/`; protected ones are allowed here.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Adds an inline policy, not validated.
    #[must_use]
    pub fn policy(mut self, name: &str, document: &str) -> Self {
        self.policies.insert(name.to_owned(), document.to_owned());
        self
    }

    /// Sets the ARN of the permissions boundary.
    #[must_use]
    pub fn permissions_boundary(mut self, arn: &str) -> Self {
        self.permissions_boundary = Some(arn.to_owned());
        self
    }
}

impl From<&str> for NewRole {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// One change of an inline policy, by whomever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The policy's name.
    pub policy: String,
    /// Its new text, or `None` when it was deleted, also together with its role.
    pub document: Option<String>,
}

fn root() -> String {
    "/".to_owned()
}

fn hour() -> u32 {
    3600
}

fn pods_trust() -> String {
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}"#
        .to_owned()
}

/// A policy in a seed is written as the JSON that it is, or as a string.
fn documents<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let documents = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
    let text = |document| match document {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(documents.into_iter().map(|(name, document)| (name, text(document))).collect())
}
