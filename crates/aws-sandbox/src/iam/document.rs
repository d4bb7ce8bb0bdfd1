//! What IAM accepts as a policy document. It checks form, not meaning: actions that do not exist pass.

mod elements;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use elements::{action, conditions, resource};

/// Why IAM answers `MalformedPolicyDocument`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("Syntax errors in policy.")]
    Syntax,
    #[error("Policy document must be version 2012-10-17 or greater.")]
    Version,
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    )]
    SidCharacters,
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    SidTwice,
    #[error("Policy statement must contain actions.")]
    NoActions,
    #[error("Policy statement must contain resources.")]
    NoResources,
    #[error("Policy document should not specify a principal.")]
    Principal,
    #[error("AssumeRolepolicy must contain principals.")]
    NoPrincipal,
    #[error("Has prohibited field Resource.")]
    Resource,
    #[error("AssumeRole policy may only specify STS AssumeRole actions.")]
    TrustAction,
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    NoVendor,
    #[error("Actions/Condition can contain only one colon.")]
    TwoColons,
    #[error("Vendor {0} is not valid")]
    Vendor(String),
    #[error("Resource {0} must be in ARN format or \"*\".")]
    NotAnArn(String),
    #[error("Partition \"{partition}\" is not valid for resource \"{arn}\".")]
    Partition { partition: String, arn: String },
    #[error("Resource vendor must be fully qualified and cannot contain regexes.")]
    ResourceVendor,
    #[error("The policy failed legacy parsing")]
    Legacy,
}

/// Checks a policy of permissions: resources, and no principal.
pub(super) fn check_inline(text: &str) -> Result<(), Malformed> {
    let document = parsed(text)?;
    for statement in statements(&document)? {
        if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
            return Err(Malformed::Principal);
        }
        let resources = either(statement, "Resource", "NotResource")?.unwrap_or_default();
        if resources.is_empty() {
            return Err(Malformed::NoResources);
        }
        resources.into_iter().try_for_each(resource)?;
    }
    Ok(())
}

/// Checks a trust policy: principals, STS actions, and no resource.
pub(super) fn check_trust(text: &str) -> Result<(), Malformed> {
    let document = parsed(text)?;
    for statement in statements(&document)? {
        if statement.contains_key("Resource") || statement.contains_key("NotResource") {
            return Err(Malformed::Resource);
        }
        if !statement.contains_key("Principal") && !statement.contains_key("NotPrincipal") {
            return Err(Malformed::NoPrincipal);
        }
        let actions = either(statement, "Action", "NotAction")?.unwrap_or_default();
        if !actions.iter().all(|action| action.to_ascii_lowercase().starts_with("sts:")) {
            return Err(Malformed::TrustAction);
        }
    }
    Ok(())
}

fn parsed(text: &str) -> Result<Map<String, Value>, Malformed> {
    let Ok(Value::Object(document)) = serde_json::from_str(text) else {
        return Err(Malformed::Syntax);
    };
    only(&document, &["Version", "Id", "Statement"])?;
    match document.get("Version").map(Value::as_str) {
        Some(Some("2012-10-17")) => {}
        Some(Some("2008-10-17")) | None => return Err(Malformed::Version),
        Some(_) => return Err(Malformed::Syntax),
    }
    if document.get("Id").is_some_and(|id| !id.is_string()) {
        return Err(Malformed::Syntax);
    }
    Ok(document)
}

/// The statements, each checked for what both kinds of policy demand.
fn statements(document: &Map<String, Value>) -> Result<Vec<&Map<String, Value>>, Malformed> {
    let values = match document.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => return Err(Malformed::Syntax),
    };
    let statements: Option<Vec<_>> = values.into_iter().map(Value::as_object).collect();
    let statements = statements.ok_or(Malformed::Syntax)?;
    statements.iter().copied().try_for_each(statement)?;
    let mut sids: Vec<_> = statements.iter().filter_map(|statement| statement.get("Sid")?.as_str()).collect();
    sids.retain(|sid| !sid.is_empty());
    sids.sort_unstable();
    if sids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Malformed::SidTwice);
    }
    Ok(statements)
}

fn statement(statement: &Map<String, Value>) -> Result<(), Malformed> {
    const ELEMENTS: [&str; 9] = [
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    only(statement, &ELEMENTS)?;
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err(Malformed::Syntax);
    }
    match statement.get("Sid").map(Value::as_str) {
        None => {}
        Some(None) => return Err(Malformed::Syntax),
        Some(Some(sid)) if sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {}
        Some(Some(_)) => return Err(Malformed::SidCharacters),
    }
    statement.get("Condition").map_or(Ok(()), conditions)?;
    either(statement, "Resource", "NotResource")?;
    let actions = either(statement, "Action", "NotAction")?.unwrap_or_default();
    if actions.is_empty() {
        return Err(Malformed::NoActions);
    }
    actions.into_iter().try_for_each(action)
}

fn only(object: &Map<String, Value>, elements: &[&str]) -> Result<(), Malformed> {
    if object.keys().all(|key| elements.contains(&key.as_str())) { Ok(()) } else { Err(Malformed::Syntax) }
}

/// The strings of the one of two elements that is there; both together are refused.
fn either<'a>(
    statement: &'a Map<String, Value>,
    plain: &str,
    inverted: &str,
) -> Result<Option<Vec<&'a str>>, Malformed> {
    match (statement.get(plain), statement.get(inverted)) {
        (Some(_), Some(_)) => Err(Malformed::Syntax),
        (Some(value), None) | (None, Some(value)) => strings(value).map(Some),
        (None, None) => Ok(None),
    }
}

fn strings(value: &Value) -> Result<Vec<&str>, Malformed> {
    let strings = match value {
        Value::String(one) => Some(vec![one.as_str()]),
        Value::Array(many) => many.iter().map(Value::as_str).collect(),
        _ => None,
    };
    strings.ok_or(Malformed::Syntax)
}
