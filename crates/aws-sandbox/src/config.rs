//! Settings of a sandbox, and the file that seeds one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::bedrock::ApplicationProfile;
use crate::home::Home;
use crate::iam::NewRole;

/// Settings of a sandbox.
#[derive(Clone, Debug)]
pub struct Config {
    /// The account of everything in the sandbox, twelve digits.
    pub account: String,
    /// The partition of every ARN.
    pub partition: String,
    /// The Region of a request that is not signed.
    pub default_region: String,
    /// What exists at the start, beside the profiles and models of the data.
    pub seed: Seed,
}

impl Default for Config {
    /// Account 111122223333, partition `aws`, Region us-east-1, no seed.
    fn default() -> Self {
        let Home { account, partition, default_region } = Home::default();
        Self { account, partition, default_region, seed: Seed::default() }
    }
}

/// What exists at the start; in JSON every field may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Seed {
    /// Roles, also protected ones.
    pub roles: Vec<NewRole>,
    /// By source Region and profile id: the destination Regions (`["*"]` for a global profile); `null` removes it.
    pub profiles: BTreeMap<String, BTreeMap<String, Option<Vec<String>>>>,
    /// By Region and model id: its inference types; `null` removes it.
    pub models: BTreeMap<String, BTreeMap<String, Option<Vec<String>>>>,
    /// Application inference profiles.
    pub application_profiles: Vec<ApplicationProfile>,
    /// By ARN: the tags of what else belongs to the account, such as `provisioned-model`, `imported-model` and
    /// `custom-model-deployment`.
    pub tagged_resources: BTreeMap<String, BTreeMap<String, String>>,
}

impl Seed {
    /// Reads a seed file.
    ///
    /// # Errors
    /// When the file cannot be read, or does not have the form of a seed.
    pub fn read(path: &Path) -> Result<Self, SeedError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SeedError::Unreadable { path: path.into(), source })?;
        serde_json::from_str(&text).map_err(|source| SeedError::Malformed { path: path.into(), source })
    }
}

/// Why a seed file was refused.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The file could not be read.
    #[error("cannot read the seed {path}: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system answered.
        source: std::io::Error,
    },
    /// The file does not have the form of a seed.
    #[error("the seed {path} is malformed: {source}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
}
