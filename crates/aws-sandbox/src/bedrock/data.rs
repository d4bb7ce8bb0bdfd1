//! The embedded data; `data/README.md` names source, date and licence.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// System-defined profiles by id.
pub(super) static PROFILES: LazyLock<BTreeMap<String, ProfileData>> =
    LazyLock::new(|| parsed::<ProfileFile>(include_str!("../../data/inference-profiles.json")).profiles);

/// By model id: the Regions where it can be invoked without a profile.
pub(super) static ON_DEMAND: LazyLock<BTreeMap<String, Vec<String>>> =
    LazyLock::new(|| parsed::<ModelFile>(include_str!("../../data/on-demand-models.json")).models);

/// One system-defined profile.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfileData {
    pub(super) model_id: String,
    /// `ACTIVE` or `LEGACY`.
    pub(super) model_lifecycle: String,
    pub(super) name: Option<String>,
    /// By source Region: the destination Regions, `["*"]` for a global profile.
    pub(super) routes: BTreeMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
struct ProfileFile {
    profiles: BTreeMap<String, ProfileData>,
}

#[derive(Default, Deserialize)]
struct ModelFile {
    models: BTreeMap<String, Vec<String>>,
}

/// The files are part of the build and a test counts what is in them, so a fault in them cannot pass as emptiness.
fn parsed<T: DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_complete() {
        let routes: usize = PROFILES.values().map(|profile| profile.routes.len()).sum();
        assert_eq!((PROFILES.len(), routes), (152, 1492));
        assert_eq!(ON_DEMAND.len(), 4);
    }
}
