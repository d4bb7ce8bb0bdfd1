//! The rules as a user meets them: a manifest with one mistake, the words of the refusal, the same manifest mended.

mod api_server;
mod definition;
mod models;
mod role;
mod routing;
mod settings;

use kube::CustomResourceExt;
use kube::core::cel::Validator;
use serde_json::{Value, json};

use super::v1alpha1::BedrockAccess;

/// One mistake in the example, where it is reported and how, and what is right instead.
struct Refusal {
    name: &'static str,
    pointer: &'static str,
    wrong: Value,
    right: Value,
    field: &'static str,
    message: &'static str,
}

/// `test_name: POINTER, WRONG => RIGHT, FIELD: MESSAGE;` becomes a test, and an entry of `refusals()` for the tests
/// that look at all of them. The pointer is a JSON pointer below `spec`; `null` takes the field out.
macro_rules! refusals {
    ($($name:ident: $pointer:literal, $wrong:tt => $right:tt, $field:literal: $message:literal;)*) => {
        $(
            #[test]
            fn $name() {
                refusals().iter().find(|refusal| refusal.name == stringify!($name)).unwrap().check();
            }
        )*

        pub(super) fn refusals() -> Vec<super::Refusal> {
            vec![$(super::Refusal {
                name: stringify!($name),
                pointer: $pointer,
                wrong: serde_json::json!($wrong),
                right: serde_json::json!($right),
                field: $field,
                message: $message,
            }),*]
        }
    };
}
use refusals;

impl Refusal {
    fn check(&self) {
        let expected = [(self.field.to_owned(), self.message.to_owned())];
        assert_eq!(refused(&self.wrong_manifest(), None), expected);
        assert_eq!(refused(&self.right_manifest(), None), []);
    }

    fn wrong_manifest(&self) -> Value {
        with(self.pointer, &self.wrong)
    }

    fn right_manifest(&self) -> Value {
        with(self.pointer, &self.right)
    }
}

fn all_refusals() -> Vec<Refusal> {
    [models::refusals(), role::refusals(), routing::refusals(), settings::refusals()]
        .into_iter()
        .flatten()
        .collect()
}

/// A manifest that uses every field.
fn example() -> Value {
    serde_saphyr::from_str(include_str!("tests/example.yaml")).unwrap()
}

/// The example with one field of its spec changed.
fn with(pointer: &str, value: &Value) -> Value {
    let mut manifest = example();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = manifest.pointer_mut(&format!("/spec{parent}")).unwrap();
    match (parent, value) {
        (Value::Array(items), value) => items[key.parse::<usize>().unwrap()] = value.clone(),
        (Value::Object(fields), Value::Null) => drop(fields.remove(key).unwrap()),
        (Value::Object(fields), value) => drop(fields.insert(key.to_owned(), value.clone())),
        (other, _) => panic!("{pointer} lies in {other}"),
    }
    manifest
}

/// Where and why the rules refuse the manifest.
fn refused(manifest: &Value, old: Option<&Value>) -> Vec<(String, String)> {
    let Err(errors) = Validator::new().validate(&schema(), manifest, old) else {
        return Vec::new();
    };
    errors.into_vec().into_iter().map(|error| (error.field_path, error.message)).collect()
}

fn schema() -> Value {
    let crd = json!(BedrockAccess::crd());
    crd.pointer("/spec/versions/0/schema/openAPIV3Schema").unwrap().clone()
}
