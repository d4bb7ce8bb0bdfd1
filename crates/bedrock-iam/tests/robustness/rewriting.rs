//! Policy documents at random, and other ways to write the same one.

use bedrock_iam::Document;
use bedrock_iam::document::{Conditions, Effect, Statement, Values};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// Documents of the elements that an identity policy may have.
pub(crate) fn documents() -> impl Strategy<Value = Document> {
    prop::collection::vec(statements(), 1..4).prop_map(Document::new)
}

fn statements() -> impl Strategy<Value = Statement> {
    let actions = subsequence(vec!["bedrock:InvokeModel", "bedrock:ListTagsForResource", "s3:Get*"], 1..=3);
    let resources = subsequence(
        vec!["*", "arn:aws:bedrock:us-east-1::foundation-model/a.b", "arn:aws:s3:::Bücher/100%"],
        1..=3,
    );
    let effect = select(&[Effect::Allow, Effect::Deny][..]);
    (effect, actions, any::<bool>(), resources, any::<bool>(), conditions()).prop_map(
        |(effect, actions, but_actions, resources, but_resources, condition)| {
            let (not_action, action) = on_one_side(&actions, but_actions);
            let (not_resource, resource) = on_one_side(&resources, but_resources);
            Statement { sid: None, effect, action, not_action, resource, not_resource, condition }
        },
    )
}

fn on_one_side(values: &[&str], first: bool) -> (Vec<String>, Vec<String>) {
    let values = values.iter().map(ToString::to_string).collect();
    if first { (values, Vec::new()) } else { (Vec::new(), values) }
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let values = subsequence(vec!["true", "false", "5", "-3", "2.5", "007", "us-east-1"], 1..=4);
    let values = values.prop_map(|values| Values(values.iter().map(ToString::to_string).collect()));
    let operator = select(&["StringEquals", "StringLike", "Null", "Bool", "NumericLessThan"][..]);
    let key = select(&["aws:RequestedRegion", "bedrock:InferenceProfileArn", "aws:SecureTransport"][..]);
    let keys = prop::collection::btree_map(key.prop_map(str::to_owned), values, 1..3);
    prop::collection::btree_map(operator.prop_map(str::to_owned), keys, 0..3)
}

/// A document, and a text that IAM decides alike.
pub(crate) fn rewritten() -> impl Strategy<Value = (Document, String)> {
    documents().prop_perturb(|document, rng| {
        let text = Rewriter { rng }.document(&document);
        (document, text)
    })
}

struct Rewriter<R> {
    rng: R,
}

impl<R: Rng> Rewriter<R> {
    fn document(&mut self, document: &Document) -> String {
        let split = document.statement.iter().flat_map(|statement| self.split(statement)).collect();
        let statements = self.reordered(split).iter().map(|statement| self.statement(statement)).collect();
        let document = json!({"Version": document.version, "Statement": self.one_or_many(statements)});
        let text = if self.coin() { format!("{document:#}") } else { document.to_string() };
        if self.coin() { utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string() } else { text }
    }

    /// One statement as several, each with some of the actions or of the resources.
    fn split(&mut self, statement: &Statement) -> Vec<Statement> {
        let of_action = |action: &String| Statement { action: vec![action.clone()], ..statement.clone() };
        let of_resource =
            |resource: &String| Statement { resource: vec![resource.clone()], ..statement.clone() };
        match self.rng.random_range(0..3) {
            0 if !statement.action.is_empty() => statement.action.iter().map(of_action).collect(),
            1 if !statement.resource.is_empty() => statement.resource.iter().map(of_resource).collect(),
            _ => vec![statement.clone()],
        }
    }

    fn statement(&mut self, statement: &Statement) -> Value {
        let mut object = Map::new();
        if self.coin() {
            object.insert("Sid".to_owned(), format!("Sid{}", self.rng.random_range(0..1000)).into());
        }
        object.insert("Effect".to_owned(), format!("{:?}", statement.effect).into());
        for (name, actions) in [("Action", &statement.action), ("NotAction", &statement.not_action)] {
            let spelt = actions.iter().map(|action| self.letter_case(action).into()).collect();
            self.element(&mut object, name, spelt);
        }
        for (name, resources) in [("Resource", &statement.resource), ("NotResource", &statement.not_resource)]
        {
            self.element(&mut object, name, resources.iter().cloned().map(Value::from).collect());
        }
        if !statement.condition.is_empty() {
            object.insert("Condition".to_owned(), self.condition(&statement.condition));
        }
        Value::Object(object)
    }

    fn condition(&mut self, conditions: &Conditions) -> Value {
        let mut operators = Map::new();
        for (operator, keys) in conditions {
            let mut rewritten = Map::new();
            for (key, Values(values)) in keys {
                let values = values.iter().map(|value| self.scalar(value)).collect();
                let key = self.letter_case(key);
                self.element(&mut rewritten, &key, values);
            }
            operators.insert(operator.clone(), rewritten.into());
        }
        operators.into()
    }

    fn element(&mut self, object: &mut Map<String, Value>, name: &str, values: Vec<Value>) {
        if !values.is_empty() {
            let values = self.reordered(values);
            object.insert(name.to_owned(), self.one_or_many(values));
        }
    }

    /// In another order, some twice.
    fn reordered<T: Clone>(&mut self, mut values: Vec<T>) -> Vec<T> {
        for index in 0..values.len() {
            if self.rng.random_range(0..4) == 0 {
                values.push(values[index].clone());
            }
        }
        for last in (1..values.len()).rev() {
            values.swap(last, self.rng.random_range(0..=last));
        }
        values
    }

    fn one_or_many(&mut self, mut values: Vec<Value>) -> Value {
        if values.len() == 1 && self.coin() { values.remove(0) } else { values.into() }
    }

    fn letter_case(&mut self, text: &str) -> String {
        text.chars()
            .map(|c| if self.coin() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect()
    }

    /// As a string, or as the number or boolean that is written like it.
    fn scalar(&mut self, text: &str) -> Value {
        match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Bool(_) | Value::Number(_))) if self.coin() => value,
            _ => text.into(),
        }
    }

    fn coin(&mut self) -> bool {
        self.rng.random_range(0..2) == 0
    }
}

/// One change to one statement that IAM decides differently.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Effect,
    Action,
    Resource,
    Operator,
    Key,
    Value,
    MoreValues,
    Exclusion,
}

impl Change {
    pub(crate) const ALL: &[Self] = &[
        Self::Effect,
        Self::Action,
        Self::Resource,
        Self::Operator,
        Self::Key,
        Self::Value,
        Self::MoreValues,
        Self::Exclusion,
    ];
}

/// The document before and after. What is new occurs nowhere else in it; where nothing can be new (the effect, an exclusion),
/// the statement stands alone.
pub(crate) fn changed(document: &Document, at: usize, change: Change) -> (Document, Document) {
    let mut before = document.clone();
    if matches!(change, Change::Effect | Change::Exclusion) {
        before.statement = vec![before.statement.swap_remove(at)];
    }
    let mut after = before.clone();
    let at = at.min(after.statement.len() - 1);
    let statement = &mut after.statement[at];
    match change {
        Change::Effect => {
            statement.effect = if statement.effect == Effect::Allow { Effect::Deny } else { Effect::Allow };
        }
        Change::Action => renew(&mut statement.action, &mut statement.not_action),
        Change::Resource => renew(&mut statement.resource, &mut statement.not_resource),
        Change::Operator => {
            let keys = statement.condition.pop_first().map_or_else(new_key, |(_, keys)| keys);
            statement.condition.insert("StringNotLike".to_owned(), keys);
        }
        Change::Key => {
            let (operator, _) = statement.condition.pop_first().unwrap_or_else(new_condition);
            statement.condition.insert(operator, new_key());
        }
        Change::Value | Change::MoreValues => {
            let mut first = statement.condition.first_entry();
            let values = first.as_mut().and_then(|keys| keys.get_mut().values_mut().next());
            match (values, change) {
                (Some(Values(values)), Change::Value) => "new".clone_into(&mut values[0]),
                (Some(Values(values)), _) => values.push("new".to_owned()),
                (None, _) => statement.condition.extend([new_condition()]),
            }
        }
        Change::Exclusion => std::mem::swap(&mut statement.action, &mut statement.not_action),
    }
    (before, after)
}

/// Replaces one value of the list that has any.
fn renew(only: &mut [String], all_but: &mut [String]) {
    if let Some(value) = only.first_mut().or_else(|| all_but.first_mut()) {
        "arn:aws:new".clone_into(value);
    }
}

fn new_condition() -> (String, std::collections::BTreeMap<String, Values>) {
    ("StringEquals".to_owned(), new_key())
}

fn new_key() -> std::collections::BTreeMap<String, Values> {
    [("aws:New".to_owned(), Values(vec!["new".to_owned()]))].into()
}
