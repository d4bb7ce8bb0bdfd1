//! Which objects a list or watch is about: by namespace, name and label.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// What a list or watch asks for.
#[derive(Clone)]
pub(super) struct Selection {
    namespace: String,
    name: Option<String>,
    labels: Option<String>,
}

impl Selection {
    pub(super) fn new(namespace: &str, query: &HashMap<String, String>) -> Self {
        let text = |parameter: &str| {
            let text = query.get(parameter)?;
            Some(percent_decode_str(text).decode_utf8().unwrap().into_owned())
        };
        let name =
            text("fieldSelector").map(|field| field.strip_prefix("metadata.name=").unwrap().to_owned());
        Self { namespace: namespace.to_owned(), name, labels: text("labelSelector") }
    }

    pub(super) fn has(&self, object: &Value) -> bool {
        let metadata = &object["metadata"];
        let is_named = self.name.as_ref().is_none_or(|name| metadata["name"] == name.as_str());
        let is_there = self.namespace.is_empty() || metadata["namespace"] == self.namespace.as_str();
        is_there
            && is_named
            && self.labels.as_deref().is_none_or(|labels| matches(labels, &metadata["labels"]))
    }

    /// A line of the watch, as whoever selects sees the change.
    pub(super) fn line(&self, event: &Value, before: Option<&Value>) -> Option<Value> {
        let object = &event["object"];
        let was = before.is_some_and(|before| self.has(before));
        let is = event["type"] != "DELETED" && self.has(object);
        let kind = match (was, is) {
            (true, true) => "MODIFIED",
            (false, true) => "ADDED",
            (true, false) => "DELETED",
            (false, false) => return None,
        };
        Some(json!({"type": kind, "object": object}))
    }
}

/// `key=value`, or `!key`.
fn matches(selector: &str, labels: &Value) -> bool {
    match selector.split_once('=') {
        Some((key, value)) => labels[key] == value,
        None => labels[selector.strip_prefix('!').unwrap()].is_null(),
    }
}
