//! Tags, as AWS keeps them: at most one value for each key.

use std::collections::BTreeMap;

/// A resource's tags by key.
pub type Tags = BTreeMap<String, String>;
