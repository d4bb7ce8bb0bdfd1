//! What may be called: one profile or model in one source Region.

use crate::names::account::Account;
use crate::names::arn::{InferenceProfileArn, OwnModelArn, OwnModelKind, Profile};
use crate::names::identifier::{ModelId, ProfileId, Region, ResourceId};

/// One thing that may be called from one source Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A system-defined inference profile.
    Profile {
        /// The source Region.
        source: Region,
        /// The profile.
        id: ProfileId,
    },
    /// A foundation model on demand, without a profile (`scopes: [in-region]`).
    OnDemand {
        /// The source Region, which is also the only destination.
        source: Region,
        /// The model.
        model: ModelId,
    },
    /// An application inference profile of the operator's account.
    ApplicationProfile {
        /// The source Region.
        source: Region,
        /// The profile.
        id: ResourceId,
    },
    /// A model of the operator's account that is invoked by its own ARN; Bedrock is not asked what it is.
    OwnModel {
        /// The source Region, which is also the only destination.
        source: Region,
        /// What kind of model.
        kind: OwnModelKind,
        /// The model.
        id: ResourceId,
    },
}

impl Target {
    /// The profile's or the model's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Profile { id, .. } => id.as_str(),
            Self::OnDemand { model, .. } => model.as_str(),
            Self::ApplicationProfile { id, .. } | Self::OwnModel { id, .. } => id.as_str(),
        }
    }

    /// The source Region.
    pub fn source(&self) -> &Region {
        match self {
            Self::Profile { source, .. }
            | Self::OnDemand { source, .. }
            | Self::ApplicationProfile { source, .. }
            | Self::OwnModel { source, .. } => source,
        }
    }

    /// The ARN of a target that belongs to an account, and so has to consent by a tag of its own; `None` for what AWS offers
    /// to everybody.
    pub fn owned(&self, account: &Account) -> Option<String> {
        let Account { id: owner, partition } = account.clone();
        match self.clone() {
            Self::Profile { .. } | Self::OnDemand { .. } => None,
            Self::ApplicationProfile { source: region, id } => {
                let profile = Profile::Application(id);
                Some(InferenceProfileArn { partition, region, account: owner, profile }.to_string())
            }
            Self::OwnModel { source: region, kind, id } => {
                Some(OwnModelArn { partition, region, account: owner, kind, id }.to_string())
            }
        }
    }
}
