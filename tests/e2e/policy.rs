use std::collections::BTreeSet;

use serde_json::Value;

/// Every resource of every statement of a policy.
pub(crate) fn resources(policy: &Value) -> BTreeSet<String> {
    one_or_many(&policy["Statement"])
        .flat_map(|statement| one_or_many(&statement["Resource"]))
        .map(|resource| resource.as_str().unwrap().to_owned())
        .collect()
}

fn one_or_many(value: &Value) -> impl Iterator<Item = &Value> {
    let many = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    many.iter()
}
