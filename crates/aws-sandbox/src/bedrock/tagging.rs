//! Tags that are added and removed.

use serde_json::{Value, json};

use super::answers::invalid;
use super::catalogue::Catalogue;
use super::request::Tag;
use crate::error::AwsError;

/// TooManyTagsException: "50 tags per resource".
const MOST_TAGS: usize = 50;

/// The shape TagKey.
const LONGEST_KEY: usize = 128;

/// The shape TagValue.
const LONGEST_VALUE: usize = 256;

/// Adds tags, in place of those with the same keys; one that is refused leaves all as they are.
pub(super) fn tag(catalogue: &mut Catalogue, arn: &str, tags: Option<&[Tag]>) -> Result<Value, AwsError> {
    let tags = tags.ok_or_else(|| invalid("tags", "null", "a list of tags"))?;
    for Tag { key, value } in tags {
        tag_key(key)?;
        if value.chars().count() > LONGEST_VALUE || !is_allowed(value) {
            return Err(invalid("tags.1.member.value", value, "at most 256 of [a-zA-Z0-9\\s._:/=+@-]"));
        }
    }
    let Some(held) = catalogue.tags_mut(arn) else { return Ok(json!({})) };
    let mut all = held.clone();
    all.extend(tags.iter().map(|Tag { key, value }| (key.clone(), value.clone())));
    if all.len() > MOST_TAGS {
        let message =
            "The request contains more tags than can be associated with a resource (50 tags per resource).";
        return Err(AwsError::new("TooManyTagsException", 400, message));
    }
    *held = all;
    Ok(json!({}))
}

/// Removes tags; one that is not there is no error.
pub(super) fn untag(
    catalogue: &mut Catalogue,
    arn: &str,
    keys: Option<&[String]>,
) -> Result<Value, AwsError> {
    let keys = keys.ok_or_else(|| invalid("tagKeys", "null", "a list of keys"))?;
    keys.iter().try_for_each(|key| tag_key(key))?;
    if let Some(held) = catalogue.tags_mut(arn) {
        held.retain(|key, _| !keys.contains(key));
    }
    Ok(json!({}))
}

fn tag_key(key: &str) -> Result<(), AwsError> {
    if (1..=LONGEST_KEY).contains(&key.chars().count()) && is_allowed(key) {
        return Ok(());
    }
    Err(invalid("tags.1.member.key", key, "1 to 128 of [a-zA-Z0-9\\s._:/=+@-]"))
}

fn is_allowed(text: &str) -> bool {
    text.chars().all(|character| {
        character.is_ascii_alphanumeric() || character.is_whitespace() || "._:/=+@-".contains(character)
    })
}
