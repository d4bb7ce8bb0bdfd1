use std::collections::BTreeMap;

/// A resource's tags by key.
pub type Tags = BTreeMap<String, String>;
