//! The rules as a user meets them: a manifest with one mistake, the words of the refusal, the same manifest mended.

#![allow(clippy::unwrap_used, reason = "a fixture may fail loudly")]

mod admitted;
mod definition;

use bedrock_access_api::v1alpha1::BedrockAccess;
use kube::CustomResourceExt;
use kube::core::cel::Validator;
use serde_json::{Value, json};
use testing::refusals;

#[test]
fn every_mistake_is_refused_where_it_stands_and_in_words_that_mend_it() {
    let mut failures = Vec::new();
    for refusal in refusals::all() {
        let expected = [(refusal.field.to_owned(), refusal.message.to_owned())];
        let wrong = refused(&refusal.wrong_manifest(), None);
        if wrong != expected {
            failures.push(format!("{}: {wrong:?} in place of {expected:?}", refusal.name));
        }
        let mended = refused(&refusal.right_manifest(), None);
        if !mended.is_empty() {
            failures.push(format!("{}: refused though mended: {mended:?}", refusal.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
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
