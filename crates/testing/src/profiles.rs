//! Every system-defined inference profile that Bedrock really has.

use std::collections::BTreeMap;

/// Profile id → source Region → destinations, of every real profile.
pub fn real_profiles() -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    #[derive(serde::Deserialize)]
    struct Data {
        profiles: BTreeMap<String, Profile>,
    }
    #[derive(serde::Deserialize)]
    struct Profile {
        routes: BTreeMap<String, Vec<String>>,
    }
    let data: Data =
        serde_json::from_str(include_str!("../../aws-sandbox/data/inference-profiles.json")).unwrap();
    data.profiles.into_iter().map(|(id, profile)| (id, profile.routes)).collect()
}
