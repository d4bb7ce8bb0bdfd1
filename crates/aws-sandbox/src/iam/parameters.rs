//! What IAM demands of names, paths, tags and page sizes before it looks anything up.

use std::collections::BTreeMap;

use super::role;
use crate::error::AwsError;
use crate::page;
use crate::query::Parameters;

/// The role's name: 1 to 64 of `[\w+=,.@-]`.
pub(super) fn role_name(form: &Parameters) -> Result<&str, AwsError> {
    name(form, "RoleName", "roleName", 64)
}

/// The inline policy's name: 1 to 128 of `[\w+=,.@-]`.
pub(super) fn policy_name(form: &Parameters) -> Result<&str, AwsError> {
    name(form, "PolicyName", "policyName", 128)
}

/// A policy's text: 1 to 131,072 characters, tab, line feed, carriage return and U+0020 to U+00FF.
pub(super) fn document<'a>(form: &'a Parameters, parameter: &str, member: &str) -> Result<&'a str, AwsError> {
    let document = required(form, parameter, member)?;
    length(document, member, 131_072)?;
    let allowed = |character| matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
    if document.chars().all(allowed) {
        Ok(document)
    } else {
        let pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+";
        Err(constraint("", member, &format!("Member must satisfy regular expression pattern: {pattern}")))
    }
}

/// The path of a role to be; those of AWS are not for customers.
pub(super) fn path(form: &Parameters) -> Result<&str, AwsError> {
    let path = form.get("Path").unwrap_or("/");
    let printable = path.chars().all(|character| matches!(character, '\u{21}'..='\u{7e}'));
    if !(printable && path.starts_with('/') && path.ends_with('/')) || path.len() > 512 {
        let message = "The specified value for path is invalid. It must begin and end with / and contain only \
                       alphanumeric characters and/or / characters.";
        return Err(AwsError::new("ValidationError", 400, message));
    }
    if role::is_protected(path) {
        let message = format!("The path {path} is reserved for roles of AWS services.");
        return Err(AwsError::new("InvalidInput", 400, message));
    }
    Ok(path)
}

/// The duration of a role's sessions in seconds: 3600 to 43200, by default 3600.
pub(super) fn max_session_duration(form: &Parameters) -> Result<u32, AwsError> {
    let Some(text) = form.get("MaxSessionDuration") else {
        return Ok(3600);
    };
    text.parse().ok().filter(|seconds| (3600..=43200).contains(seconds)).ok_or_else(|| {
        constraint(text, "maxSessionDuration", "Member must have value between 3600 and 43200")
    })
}

/// Tags of a request: at most 50, keys of 1 to 128 characters and unique whatever their case, values of at most 256.
pub(super) fn tags(form: &Parameters) -> Result<BTreeMap<String, String>, AwsError> {
    let pairs = form.pairs("Tags");
    if pairs.len() > 50 {
        return Err(constraint("", "tags", "Member must have length less than or equal to 50"));
    }
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        tag_key(key, "tags.1.member.key")?;
        length(value, "tags.1.member.value", 256)?;
        if tags.keys().any(|known: &String| known.eq_ignore_ascii_case(key)) {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(AwsError::new("InvalidInput", 400, message));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    Ok(tags)
}

/// Keys of tags to be removed, at most 50.
pub(super) fn tag_keys(form: &Parameters) -> Result<Vec<&str>, AwsError> {
    let keys = form.list("TagKeys");
    if keys.len() > 50 {
        return Err(constraint("", "tagKeys", "Member must have length less than or equal to 50"));
    }
    keys.iter().try_for_each(|key| tag_key(key, "tagKeys"))?;
    Ok(keys)
}

/// The page that is asked for: the key behind which it begins, and its size of 1 to 1000, by default 100.
pub(super) fn page(form: &Parameters) -> Result<(Option<String>, usize), AwsError> {
    let size = form.get("MaxItems").map_or(Ok(100), |text| {
        text.parse()
            .ok()
            .filter(|size| (1..=1000).contains(size))
            .ok_or_else(|| constraint(text, "maxItems", "Member must have value between 1 and 1000"))
    })?;
    let invalid = || AwsError::new("ValidationError", 400, "Invalid Marker.");
    let after = form.get("Marker").map(|marker| page::key_of(marker).ok_or_else(invalid)).transpose()?;
    Ok((after, size))
}

fn name<'a>(
    form: &'a Parameters,
    parameter: &str,
    member: &str,
    longest: usize,
) -> Result<&'a str, AwsError> {
    let name = required(form, parameter, member)?;
    length(name, member, longest)?;
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
    if name.chars().all(allowed) {
        return Ok(name);
    }
    let message = format!(
        "The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the \
         following: +=,.@_-"
    );
    Err(AwsError::new("ValidationError", 400, message))
}

fn required<'a>(form: &'a Parameters, parameter: &str, member: &str) -> Result<&'a str, AwsError> {
    match form.get(parameter) {
        Some("") => Err(constraint("", member, "Member must have length greater than or equal to 1")),
        Some(value) => Ok(value),
        None => {
            let message = format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
                 Member must not be null"
            );
            Err(AwsError::new("ValidationError", 400, message))
        }
    }
}

fn tag_key(key: &str, member: &str) -> Result<(), AwsError> {
    length(key, member, 128)?;
    let allowed = |character: char| {
        character.is_alphanumeric() || character.is_whitespace() || "_.:/=+-@".contains(character)
    };
    if key.is_empty() || !key.chars().all(allowed) {
        let pattern = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+";
        let demand = format!("Member must satisfy regular expression pattern: {pattern}");
        return Err(constraint(key, member, &demand));
    }
    if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        let message = "Tag keys that begin with aws: are reserved for AWS.";
        return Err(AwsError::new("InvalidInput", 400, message));
    }
    Ok(())
}

fn length(value: &str, member: &str, longest: usize) -> Result<(), AwsError> {
    if value.chars().count() <= longest {
        return Ok(());
    }
    Err(constraint(value, member, &format!("Member must have length less than or equal to {longest}")))
}

fn constraint(value: &str, member: &str, demand: &str) -> AwsError {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {demand}"
    );
    AwsError::new("ValidationError", 400, message)
}
