//! The CustomResourceDefinition as a whole.

use std::fs;

use bedrock_access_api::crd_yaml;
use bedrock_access_api::v1alpha1::BedrockAccess;
use serde_json::{Value, json};
use testing::refusals::{self, example};

use super::{refused, schema};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crds/bedrockaccess.io_bedrockaccesses.yaml");

#[test]
fn the_file_in_crds_is_what_the_types_say() {
    let file = fs::read_to_string(FILE).unwrap_or_default();
    assert!(file == crd_yaml().unwrap(), "{FILE} is stale: run `make crds`");
}

#[test]
fn the_definition_reads_back_from_yaml_unchanged() {
    let read: Value = serde_saphyr::from_str(&crd_yaml().unwrap()).unwrap();
    assert_eq!(read.pointer("/spec/versions/0/schema/openAPIV3Schema"), Some(&schema()));
}

#[test]
fn a_manifest_that_uses_every_field_is_admitted_and_decodes() {
    assert_eq!(refused(&example(), None), []);
    let object: BedrockAccess = serde_json::from_value(example()).unwrap();
    assert_eq!(json!(object), example());
}

#[test]
fn a_new_object_starts_with_a_status_that_is_in_progress() {
    assert_eq!(schema()["properties"]["status"]["default"], json!({"observedGeneration": -1}));
}

#[test]
fn every_field_has_a_description() {
    let mut missing = Vec::new();
    visit("", &schema(), &mut |path, schema| {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if property["description"].as_str().is_none_or(str::is_empty) {
                missing.push(format!("{path}.{name}"));
            }
        }
    });
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_list_and_string_of_the_spec_is_bounded_and_every_list_says_how_it_merges() {
    let mut missing = Vec::new();
    visit("spec", &schema()["properties"]["spec"], &mut |path, schema| {
        let bounds: &[&str] = match schema["type"].as_str() {
            Some("array") => &["maxItems", "x-kubernetes-list-type"],
            Some("string") => &["maxLength"],
            _ => &[],
        };
        missing.extend(
            bounds.iter().filter(|bound| schema[**bound].is_null()).map(|bound| format!("{path} {bound}")),
        );
    });
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_rule_has_a_message_and_a_test() {
    let mut tested: Vec<String> = refusals::all().iter().map(|refusal| refusal.message.to_owned()).collect();
    tested.push(
        "the role is immutable: create another BedrockAccess for another role, then delete this one"
            .to_owned(),
    );
    visit("", &schema(), &mut |path, schema| {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let message = rule["message"].as_str().unwrap();
            assert!(tested.iter().any(|tested| tested == message), "{path}: no test for {message:?}");
        }
    });
}

fn visit(path: &str, schema: &Value, look: &mut impl FnMut(&str, &Value)) {
    assert!(schema.is_object(), "there is no {path}");
    look(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        visit(&format!("{path}.{name}"), property, look);
    }
    if let Some(items) = schema.get("items") {
        visit(&format!("{path}[]"), items, look);
    }
}
