//! IAM's decision for one request, for the elements that identity policies of this domain use.
//!
//! Rules: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Condition operators" and "… Resource". What
//! is not understood is an error and never a guess. How permissions boundaries, SCPs and session policies combine with identity
//! policies is not evaluated; what a Deny statement of theirs denies is.

use std::collections::BTreeMap;

use crate::iam::document::{Conditions, Document, Effect, Statement};

/// One authorisation that a service asks IAM for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Such as `bedrock:InvokeModel`.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
    /// Condition keys in lower case, each with its one value; an absent key is not set.
    pub context: BTreeMap<String, String>,
}

/// What identity policies decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement is about it.
    ImplicitDeny,
}

/// An element whose effect is not known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// A condition operator.
    #[error("the condition operator {0} is not supported")]
    Operator(String),
    /// A policy variable such as `${aws:username}`.
    #[error("the policy variable in {0:?} is not supported")]
    Variable(String),
}

/// Decides the request by all of a principal's identity policies together.
///
/// # Errors
///
/// The decision depends on a condition operator or a policy variable whose effect is not known here.
pub fn evaluate(documents: &[&Document], request: &Request) -> Result<Decision, Unsupported> {
    let mut decision = Decision::ImplicitDeny;
    for statement in documents.iter().flat_map(|document| &document.statement) {
        if !applies(statement, request)? {
            continue;
        }
        match statement.effect {
            Effect::Deny => return Ok(Decision::ExplicitDeny),
            Effect::Allow => decision = Decision::Allowed,
        }
    }
    Ok(decision)
}

fn applies(statement: &Statement, request: &Request) -> Result<bool, Unsupported> {
    let Statement { action, not_action, resource, not_resource, condition, .. } = statement;
    let is_action = |pattern: &String| glob(&pattern.to_lowercase(), &request.action.to_lowercase());
    let is_resource = |pattern: &String| matches_arn(pattern, &request.resource);
    for text in resource.iter().chain(not_resource) {
        without_variables(text)?;
    }
    // One of each pair is empty; an empty positive list means that its negation is used.
    let action_applies =
        action.iter().any(is_action) || (action.is_empty() && !not_action.iter().any(is_action));
    let resource_applies =
        resource.iter().any(is_resource) || (resource.is_empty() && !not_resource.iter().any(is_resource));
    Ok(action_applies && resource_applies && holds(condition, &request.context)?)
}

fn holds(conditions: &Conditions, context: &BTreeMap<String, String>) -> Result<bool, Unsupported> {
    let mut all = true;
    for (operator, keys) in conditions {
        let operator = Operator::parse(operator)?;
        for (key, values) in keys {
            for value in &values.0 {
                without_variables(value)?;
            }
            all &= operator.holds(context.get(&key.to_lowercase()), &values.0);
        }
    }
    Ok(all)
}

/// A condition operator: how one value is compared, and what its prefix and suffix make of that.
struct Operator {
    matches: fn(&str, &str) -> bool,
    when_missing: bool,
    negated: bool,
    null: bool,
}

impl Operator {
    fn parse(name: &str) -> Result<Self, Unsupported> {
        let (base, if_exists) = match name.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (name, false),
        };
        let (matches, negated): (fn(&str, &str) -> bool, bool) = match base {
            "StringEquals" => (equal, false),
            "StringNotEquals" => (equal, true),
            "StringEqualsIgnoreCase" => (equal_ignoring_case, false),
            "StringNotEqualsIgnoreCase" => (equal_ignoring_case, true),
            "StringLike" => (glob, false),
            "StringNotLike" => (glob, true),
            // "ArnEquals and ArnLike behave identically" (condition operators page).
            "ArnEquals" | "ArnLike" => (matches_arn, false),
            "ArnNotEquals" | "ArnNotLike" => (matches_arn, true),
            "Null" if !if_exists => (equal_ignoring_case, false),
            _ => return Err(Unsupported::Operator(name.to_owned())),
        };
        Ok(Self { matches, negated, when_missing: negated || if_exists, null: base == "Null" })
    }

    fn holds(&self, actual: Option<&String>, values: &[String]) -> bool {
        if self.null {
            let missing = actual.is_none().to_string();
            return values.iter().any(|value| (self.matches)(value, &missing));
        }
        match actual {
            None => self.when_missing,
            Some(actual) => values.iter().any(|value| (self.matches)(value, actual)) != self.negated,
        }
    }
}

fn without_variables(text: &str) -> Result<(), Unsupported> {
    if text.contains("${") { Err(Unsupported::Variable(text.to_owned())) } else { Ok(()) }
}

fn equal(pattern: &str, text: &str) -> bool {
    pattern == text
}

fn equal_ignoring_case(pattern: &str, text: &str) -> bool {
    pattern.eq_ignore_ascii_case(text)
}

/// Each of an ARN's six fields is matched by itself, so a wildcard never reaches across a colon into another field.
fn matches_arn(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let patterns: Vec<&str> = pattern.splitn(6, ':').collect();
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    patterns.len() == fields.len() && patterns.iter().zip(fields).all(|(pattern, field)| glob(pattern, field))
}

/// `*` stands for any characters, also none; `?` for exactly one.
fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                // The last star takes one more character, and the rest is tried again.
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                p = star_at + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}
