//! Mistakes in a manifest, each with the words by which the API server refuses it and with what is right instead.

mod models;
mod role;
mod routing;
mod settings;

use serde_json::Value;

/// One mistake in the example, where it is reported and how, and what is right instead.
pub struct Refusal {
    /// What is refused, as the name of a test.
    pub name: &'static str,
    /// The field at which the API server reports the mistake.
    pub field: &'static str,
    /// The words that it says.
    pub message: &'static str,
    pointer: &'static str,
    wrong: Value,
    right: Value,
}

/// `name: POINTER, WRONG => RIGHT, FIELD: MESSAGE;` becomes an entry of `refusals()`. The pointer is a JSON pointer below
/// `spec`; `null` takes the field out, and
/// the pointer `/` stands for several fields at once.
macro_rules! refusals {
    ($($name:ident: $pointer:literal, $wrong:tt => $right:tt, $field:literal: $message:literal;)*) => {
        pub(super) fn refusals() -> Vec<super::Refusal> {
            vec![$(super::Refusal {
                name: stringify!($name),
                field: $field,
                message: $message,
                pointer: $pointer,
                wrong: serde_json::json!($wrong),
                right: serde_json::json!($right),
            }),*]
        }
    };
}
use refusals;

impl Refusal {
    /// The example with the mistake.
    pub fn wrong_manifest(&self) -> Value {
        with(self.pointer, &self.wrong)
    }

    /// The example with what is right in its place.
    pub fn right_manifest(&self) -> Value {
        with(self.pointer, &self.right)
    }
}

/// Every mistake that a rule is there for, but for a changed role.
pub fn all() -> Vec<Refusal> {
    [models::refusals(), role::refusals(), routing::refusals(), settings::refusals()]
        .into_iter()
        .flatten()
        .collect()
}

/// A manifest that uses every field.
pub fn example() -> Value {
    serde_saphyr::from_str(include_str!("refusals/example.yaml")).unwrap()
}

/// The example with one field of its spec changed, or with several where the pointer is `/`.
pub fn with(pointer: &str, value: &Value) -> Value {
    let mut manifest = example();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = manifest.pointer_mut(&format!("/spec{parent}")).unwrap();
    match (parent, value) {
        (Value::Object(fields), Value::Object(several)) if key.is_empty() => fields.extend(several.clone()),
        (Value::Array(items), value) => items[key.parse::<usize>().unwrap()] = value.clone(),
        (Value::Object(fields), Value::Null) => drop(fields.remove(key).unwrap()),
        (Value::Object(fields), value) => drop(fields.insert(key.to_owned(), value.clone())),
        (other, _) => panic!("{pointer} lies in {other}"),
    }
    manifest
}
