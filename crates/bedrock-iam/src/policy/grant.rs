//! What is granted: one target with the models that it really leads to.

use std::collections::BTreeSet;

use crate::bedrock::target::Target;
use crate::names::arn::{FoundationModelArn, InferenceProfileArn, OwnModelArn, Profile};

/// What one target may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Call the profile, and through it its models.
    Profile {
        /// The profile in its source Region.
        arn: InferenceProfileArn,
        /// The model in every destination.
        models: BTreeSet<FoundationModelArn>,
    },
    /// Call the model without a profile.
    OnDemand {
        /// The model in its only Region.
        model: FoundationModelArn,
    },
    /// Call a model that belongs to the account.
    OwnModel {
        /// The model.
        arn: OwnModelArn,
    },
}

impl Grant {
    /// What the grant is for.
    pub fn target(&self) -> Option<Target> {
        match self {
            Self::Profile { arn, .. } => {
                let source = arn.region.clone();
                Some(match arn.profile.clone() {
                    Profile::System(id) => Target::Profile { source, id },
                    Profile::Application(id) => Target::ApplicationProfile { source, id },
                })
            }
            Self::OnDemand { model } => {
                model.region.clone().map(|source| Target::OnDemand { source, model: model.model.clone() })
            }
            Self::OwnModel { arn } => {
                let (source, kind, id) = (arn.region.clone(), arn.kind, arn.id.clone());
                Some(Target::OwnModel { source, kind, id })
            }
        }
    }
}

/// A model's destination for people: its Region, or `*` for any.
pub fn destination(model: &FoundationModelArn) -> String {
    model.region.as_ref().map_or_else(|| "*".to_owned(), ToString::to_string)
}
