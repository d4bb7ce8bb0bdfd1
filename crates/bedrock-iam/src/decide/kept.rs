//! What is kept between decisions of a document and a role: as little as will do, since there are many.

use crate::iam::document::Document;
use crate::iam::observed::Role;
use crate::names::arn::RoleArn;
use crate::packed::Packed;
use crate::want::consent;

/// A policy of ours like most: what others share with it takes no memory.
const COMMON: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"BedrockAccessfsrzjwlkw5uz53df4a4a26b85c","Effect":"Allow","#,
    r#""Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream","bedrock:GetInferenceProfile"],"#,
    r#""Resource":"arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-2-lite-v1:0"},"#,
    r#"{"Sid":"BedrockAccess1","Effect":"Allow","Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream"],"#,
    r#""Resource":["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0","#,
    r#""arn:aws:bedrock:us-east-2::foundation-model/amazon.nova-2-lite-v1:0","#,
    r#""arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"],"#,
    r#""Condition":{"StringEquals":{"bedrock:InferenceProfileArn":"#,
    r#""arn:aws:bedrock:eu-west-1:111122223333:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0"}}},"#,
    r#"{"Sid":"BedrockAccess2","Effect":"Allow","Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream"],"#,
    r#""Resource":"arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0","#,
    r#""Condition":{"StringEquals":{"bedrock:InferenceProfileArn":"#,
    r#""arn:aws:bedrock:us-east-1:111122223333:inference-profile/global.amazon.nova-2-lite-v1:0"}}},"#,
    r#"{"Sid":"BedrockAccess3","Effect":"Allow","Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream"],"#,
    r#""Resource":"arn:aws:bedrock:us-east-1:111122223333:project/default"}]}"#,
);

/// A document, packed: it takes a tenth of its text's memory, which is a quarter of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeptDocument(Packed);

impl KeptDocument {
    pub(super) fn of(document: &Document) -> Self {
        Self(Packed::new(&document.to_json(), COMMON))
    }

    /// What we wrote ourselves is always read.
    pub(super) fn document(&self) -> Option<Document> {
        Document::parse(&self.0.text(COMMON)?).ok()
    }
}

/// A role, with those of its tags that say who may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeptRole {
    arn: RoleArn,
    pub(super) id: Box<str>,
    consent: Box<[(Box<str>, Box<str>)]>,
}

impl KeptRole {
    pub(super) fn of(role: &Role) -> Self {
        let consent = role.tags.iter().filter(|(key, _)| key.starts_with(consent::TAG));
        Self {
            arn: role.arn.clone(),
            id: role.id.as_str().into(),
            consent: consent.map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect(),
        }
    }

    pub(super) fn role(&self) -> Role {
        let tags = self.consent.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        Role { arn: self.arn.clone(), id: self.id.to_string(), tags }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_back_as_it_was() {
        let document = Document::parse(COMMON).unwrap();
        assert_eq!(KeptDocument::of(&document).document(), Some(document));
    }

    #[test]
    fn a_role_keeps_what_its_owner_consents_to_and_no_other_tags() {
        let tag = |key: &str| (key.to_owned(), "team-a".to_owned());
        let role = |keys: &[&str]| Role {
            arn: "arn:aws:iam::111122223333:role/path/app".parse().unwrap(),
            id: "AROAEXAMPLE".to_owned(),
            tags: keys.iter().copied().map(tag).collect(),
        };
        let numbered = format!("{}.2", consent::TAG);
        let kept = KeptRole::of(&role(&["cost-centre", consent::TAG, &numbered]));
        assert_eq!(kept.role(), role(&[consent::TAG, &numbered]));
    }
}
