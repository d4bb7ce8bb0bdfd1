//! The IAM policy for the operator's own role.

use std::collections::BTreeSet;

use bedrock_access::aws::{Condition, OPERATIONS, Operation};
use bedrock_iam::consent;
use serde_json::{Value, json};

use crate::between;

/// One statement, one action, one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    effect: String,
    action: String,
    resource: String,
    condition: String,
}

fn documented() -> Vec<Value> {
    let text = between("**Give the operator an IAM role.**", "`LookAtAllRoles` is optional");
    let text: Vec<&str> = text
        .into_iter()
        .skip_while(|line| !line.contains("```json"))
        .skip(1)
        .take_while(|line| !line.contains("```"))
        .collect();
    let policy: Value = serde_json::from_str(&text.join("\n")).unwrap();
    policy["Statement"].as_array().unwrap().clone()
}

fn texts(value: &Value) -> Vec<String> {
    let one = value.as_str().map(str::to_owned).into_iter();
    let several = value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned());
    one.chain(several).collect()
}

fn lines_of(statement: &Value) -> BTreeSet<Line> {
    let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
    assert!(statement.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{statement}");
    let condition = statement["Condition"].to_string();
    let mut lines = BTreeSet::new();
    for action in texts(&statement["Action"]) {
        for resource in texts(&statement["Resource"]) {
            let effect = statement["Effect"].as_str().unwrap().to_owned();
            lines.insert(Line { effect, action: action.clone(), resource, condition: condition.clone() });
        }
    }
    lines
}

fn needed(operation: Operation) -> BTreeSet<Line> {
    let Some(right) = operation.right() else { return BTreeSet::new() };
    let line = |effect: &str, resource: &str, condition: Value| Line {
        effect: effect.to_owned(),
        action: operation.to_string(),
        resource: resource.replace("ACCOUNT", "111122223333").replace("ROLE", "bedrock-access"),
        condition: condition.to_string(),
    };
    let condition = right.condition.map(|Condition { operator, key, value }| json!({operator: {key: value}}));
    let allowed = line("Allow", right.resource, condition.unwrap_or_default());
    let denied = right.denied.iter().map(|resource| line("Deny", resource, Value::Null));
    denied.chain([allowed]).collect()
}

#[test]
fn the_policy_for_the_operator_allows_what_it_calls_and_nothing_else() {
    let documented: BTreeSet<Line> = documented().iter().flat_map(lines_of).collect();
    let needed: BTreeSet<Line> = OPERATIONS.iter().copied().flat_map(needed).collect();
    let missing: Vec<&Line> = needed.difference(&documented).collect();
    let needless: Vec<&Line> = documented.difference(&needed).collect();
    assert!(missing.is_empty() && needless.is_empty(), "missing: {missing:#?}\nneedless: {needless:#?}");
}

#[test]
fn what_is_called_optional_is_one_statement_of_its_own() {
    let statements = documented();
    let optional = statements.iter().find(|statement| statement["Sid"] == "LookAtAllRoles").unwrap();
    let listed =
        OPERATIONS.iter().filter(|operation| operation.right().is_some_and(|right| right.is_optional));
    assert_eq!(texts(&optional["Action"]), listed.map(Operation::to_string).collect::<Vec<_>>());
}

#[test]
fn the_condition_on_writes_is_about_the_tag_by_which_roles_consent() {
    let conditions = OPERATIONS.iter().filter_map(|operation| operation.right()?.condition);
    let keys: BTreeSet<&str> = conditions.map(|condition| condition.key).collect();
    assert_eq!(keys, BTreeSet::from([format!("aws:ResourceTag/{}", consent::TAG).as_str()]));
}
