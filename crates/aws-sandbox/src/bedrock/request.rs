//! A request to Bedrock, read from method, path, query and body.

use axum::http::{Method, Uri};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::query::Parameters;

/// An operation of Bedrock's control plane with its input.
#[derive(Debug)]
pub(crate) enum Request {
    GetInferenceProfile { identifier: String },
    ListInferenceProfiles { query: Parameters },
    GetFoundationModel { identifier: String },
    ListFoundationModels { query: Parameters },
    ListTagsForResource { arn: Option<String> },
    TagResource { arn: Option<String>, tags: Option<Vec<Tag>> },
    UntagResource { arn: Option<String>, keys: Option<Vec<String>> },
    Unknown,
}

/// A tag as Bedrock writes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Tag {
    pub(super) key: String,
    pub(super) value: String,
}

/// What the operations on tags have in their bodies; a member that is missing, or no such thing, is `None`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tagging {
    #[serde(rename = "resourceARN")]
    resource_arn: Option<String>,
    tags: Option<Vec<Tag>>,
    tag_keys: Option<Vec<String>>,
}

impl Tagging {
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

impl Request {
    /// Reads a request; an identifier's slash may stand encoded or not.
    pub(crate) fn parse(method: &Method, uri: &Uri, body: &[u8]) -> Self {
        let query = || Parameters::parse(uri.query().unwrap_or_default());
        let decoded = |identifier: &str| percent_decode_str(identifier).decode_utf8_lossy().into_owned();
        let path = uri.path().trim_start_matches('/');
        let (collection, identifier) = path.split_once('/').unwrap_or((path, ""));
        match (method.as_str(), collection, identifier) {
            ("GET", "inference-profiles", "") => Self::ListInferenceProfiles { query: query() },
            ("GET", "inference-profiles", identifier) => {
                Self::GetInferenceProfile { identifier: decoded(identifier) }
            }
            ("GET", "foundation-models", "") => Self::ListFoundationModels { query: query() },
            ("GET", "foundation-models", identifier) => {
                Self::GetFoundationModel { identifier: decoded(identifier) }
            }
            ("POST", "listTagsForResource", "") => {
                Self::ListTagsForResource { arn: Tagging::read(body).resource_arn }
            }
            ("POST", "tagResource", "") => {
                let Tagging { resource_arn: arn, tags, .. } = Tagging::read(body);
                Self::TagResource { arn, tags }
            }
            ("POST", "untagResource", "") => {
                let Tagging { resource_arn: arn, tag_keys: keys, .. } = Tagging::read(body);
                Self::UntagResource { arn, keys }
            }
            _ => Self::Unknown,
        }
    }

    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Self::GetInferenceProfile { .. } => "GetInferenceProfile",
            Self::ListInferenceProfiles { .. } => "ListInferenceProfiles",
            Self::GetFoundationModel { .. } => "GetFoundationModel",
            Self::ListFoundationModels { .. } => "ListFoundationModels",
            Self::ListTagsForResource { .. } => "ListTagsForResource",
            Self::TagResource { .. } => "TagResource",
            Self::UntagResource { .. } => "UntagResource",
            Self::Unknown => "Unknown",
        }
    }

    /// The id of the profile, model or resource, without its ARN's prefix.
    pub(crate) fn target(&self) -> Option<&str> {
        let identifier = match self {
            Self::GetInferenceProfile { identifier } | Self::GetFoundationModel { identifier } => identifier,
            Self::ListTagsForResource { arn }
            | Self::TagResource { arn, .. }
            | Self::UntagResource { arn, .. } => arn.as_deref()?,
            Self::ListInferenceProfiles { .. } | Self::ListFoundationModels { .. } | Self::Unknown => {
                return None;
            }
        };
        Some(identifier.rsplit('/').next().unwrap_or(identifier))
    }

    /// The resource that an access error names.
    pub(crate) fn resource(&self, partition: &str, region: &str, account: &str) -> String {
        match self {
            Self::GetInferenceProfile { identifier } if !identifier.starts_with("arn:") => {
                format!("arn:{partition}:bedrock:{region}:{account}:inference-profile/{identifier}")
            }
            Self::GetFoundationModel { identifier } if !identifier.starts_with("arn:") => {
                format!("arn:{partition}:bedrock:{region}::foundation-model/{identifier}")
            }
            Self::GetInferenceProfile { identifier } | Self::GetFoundationModel { identifier } => {
                identifier.clone()
            }
            Self::ListTagsForResource { arn }
            | Self::TagResource { arn, .. }
            | Self::UntagResource { arn, .. } => arn.clone().unwrap_or_else(|| "*".to_owned()),
            Self::ListInferenceProfiles { .. } | Self::ListFoundationModels { .. } | Self::Unknown => {
                "*".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_arn_is_one_identifier() {
        let uri = "/inference-profiles/arn%3Aaws%3Abedrock%3Aus-east-1%3A111122223333%3Ainference-profile%2Fus.m-v1%3A0";
        let request = Request::parse(&Method::GET, &uri.parse().unwrap(), b"");
        assert_eq!((request.operation(), request.target()), ("GetInferenceProfile", Some("us.m-v1:0")));
    }

    #[test]
    fn requests_are_told_apart_by_method_and_path() {
        for (method, uri, expected) in [
            (Method::GET, "/inference-profiles", "ListInferenceProfiles"),
            (Method::GET, "/inference-profiles/a?x=y", "GetInferenceProfile"),
            (Method::GET, "/foundation-models?byInferenceType=ON_DEMAND", "ListFoundationModels"),
            (Method::GET, "/foundation-models/a", "GetFoundationModel"),
            (Method::POST, "/listTagsForResource", "ListTagsForResource"),
            (Method::POST, "/tagResource", "TagResource"),
            (Method::POST, "/untagResource", "UntagResource"),
            (Method::GET, "/tagResource", "Unknown"),
            (Method::DELETE, "/inference-profiles/a", "Unknown"),
        ] {
            assert_eq!(Request::parse(&method, &uri.parse().unwrap(), b"{}").operation(), expected, "{uri}");
        }
    }
}
