//! The schema of each field, as far as its type does not say it: sizes, list types, rules.
//!
//! Sizes are there for the cost of the rules; what a value may be is for the rules to say, because an OpenAPI `pattern`
//! or `enum` would answer first, and only with itself.

use kube::core::Rule;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::rules;
use crate::v1alpha1::{DEFAULT_PROJECT, Guardrail, ModelEntry};

/// The longest id or ARN in `models`, in characters.
const LONGEST_ID: u32 = 256;

/// The longest ARN of a role: a path has at most 512 characters, a name 64 (IAM, `CreateRole`).
const LONGEST_ROLE_ARN: u32 = 640;

/// The longest of everything else that is one word.
const LONGEST_WORD: u32 = 64;

/// The longest scope: those of AWS have at most nine characters. A manifest may have 1,700 of them.
const LONGEST_SCOPE: u32 = 24;

/// At most this many Regions in any list.
const MOST_REGIONS: u32 = 32;

/// At most this many scopes in any list.
const MOST_SCOPES: u32 = 16;

/// At most this many projects.
const MOST_PROJECTS: u32 = 16;

pub(super) fn role_name(_: &mut SchemaGenerator) -> Schema {
    text(LONGEST_ID, &rules::role_name())
}

pub(super) fn role_arn(_: &mut SchemaGenerator) -> Schema {
    text(LONGEST_ROLE_ARN, &rules::role_arn())
}

pub(super) fn source_regions(_: &mut SchemaGenerator) -> Schema {
    list(ListType::Set, 1..=MOST_REGIONS, &region(), &[])
}

pub(super) fn allowed_destination_regions(_: &mut SchemaGenerator) -> Schema {
    list(ListType::Set, 1..=MOST_REGIONS, &region(), &[])
}

pub(super) fn scopes(_: &mut SchemaGenerator) -> Schema {
    list(ListType::Set, 0..=MOST_SCOPES, &text(LONGEST_SCOPE, &rules::scope()), &[])
}

pub(super) fn denied_scopes(_: &mut SchemaGenerator) -> Schema {
    list(ListType::Set, 0..=MOST_SCOPES, &text(LONGEST_SCOPE, &rules::denied_scope()), &[])
}

pub(super) fn models(generator: &mut SchemaGenerator) -> Schema {
    list(ListType::Atomic, 1..=100, &generator.subschema_for::<ModelEntry>(), &rules::models())
}

pub(super) fn model_id(_: &mut SchemaGenerator) -> Schema {
    text(LONGEST_ID, &rules::model_id())
}

pub(super) fn inference_profile(_: &mut SchemaGenerator) -> Schema {
    text(LONGEST_ID, &rules::inference_profile())
}

pub(super) fn model_arn(_: &mut SchemaGenerator) -> Schema {
    text(LONGEST_ID, &rules::model_arn())
}

pub(super) fn operations(_: &mut SchemaGenerator) -> Schema {
    // More than those that exist, so that another one is answered by the rule that knows better.
    let mut schema =
        list(ListType::Set, 0..=8, &text(LONGEST_WORD, &rules::operation()), &rules::operations());
    schema.insert("default".to_owned(), json!(["InvokeModel", "InvokeModelWithResponseStream"]));
    schema
}

pub(super) fn projects(_: &mut SchemaGenerator) -> Schema {
    let mut schema = list(ListType::Set, 0..=MOST_PROJECTS, &text(LONGEST_WORD, &rules::project()), &[]);
    schema.insert("default".to_owned(), json!([DEFAULT_PROJECT]));
    schema
}

pub(super) fn api_keys(_: &mut SchemaGenerator) -> Schema {
    text(LONGEST_WORD, &rules::api_keys())
}

pub(super) fn guardrails(generator: &mut SchemaGenerator) -> Schema {
    list(ListType::Atomic, 1..=MOST_REGIONS, &generator.subschema_for::<Guardrail>(), &rules::guardrails())
}

pub(super) fn guardrail_arn(_: &mut SchemaGenerator) -> Schema {
    text(LONGEST_ID, &rules::guardrail_arn())
}

pub(super) fn guardrail_version(_: &mut SchemaGenerator) -> Schema {
    text(LONGEST_WORD, &rules::guardrail_version())
}

pub(super) fn drift_policy(_: &mut SchemaGenerator) -> Schema {
    text(LONGEST_WORD, &rules::drift_policy())
}

pub(super) fn deletion_policy(_: &mut SchemaGenerator) -> Schema {
    text(LONGEST_WORD, &rules::deletion_policy())
}

pub(super) fn interval(_: &mut SchemaGenerator) -> Schema {
    text(LONGEST_WORD, &rules::interval())
}

fn region() -> Schema {
    text(LONGEST_WORD, &rules::region())
}

fn text(longest: u32, rules: &[Rule]) -> Schema {
    json_schema!({ "type": "string", "maxLength": longest, "x-kubernetes-validations": rules })
}

#[derive(Clone, Copy)]
enum ListType {
    Atomic,
    Set,
}

fn list(list_type: ListType, items: std::ops::RangeInclusive<u32>, item: &Schema, rules: &[Rule]) -> Schema {
    let list_type = match list_type {
        ListType::Atomic => "atomic",
        ListType::Set => "set",
    };
    let mut schema = json_schema!({
        "type": "array",
        "items": item,
        "maxItems": items.end(),
        "x-kubernetes-list-type": list_type,
    });
    if *items.start() > 0 {
        schema.insert("minItems".to_owned(), Value::from(*items.start()));
    }
    if !rules.is_empty() {
        schema.insert("x-kubernetes-validations".to_owned(), json!(rules));
    }
    schema
}
