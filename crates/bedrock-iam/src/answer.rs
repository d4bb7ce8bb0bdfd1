//! What AWS answered, before anything is believed.

use std::collections::BTreeMap;

use crate::identifier::{ProfileId, Region};
use crate::intent::Target;

/// What Bedrock answered about one target; the strings are unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// GetInferenceProfile's `inferenceProfileArn` and `models[].modelArn`.
    Profile {
        /// The profile's ARN.
        arn: String,
        /// The ARN of the model in every destination, in any order.
        models: Vec<String>,
    },
    /// GetFoundationModel's `modelArn` and `inferenceTypesSupported`.
    Model {
        /// The model's ARN.
        arn: String,
        /// Such as `ON_DEMAND` or `INFERENCE_PROFILE`.
        inference_types: Vec<String>,
    },
    /// Bedrock does not know the profile or the model in that source Region.
    NotFound,
    /// No answer.
    Fault(Fault),
}

/// `inferenceTypesSupported` of a model that may be called without a profile.
pub const ON_DEMAND: &str = "ON_DEMAND";

impl Answer {
    /// Whether the refusal that follows can name alternatives, for which ListInferenceProfiles is worth a request.
    pub fn asks_for_alternatives(&self) -> bool {
        match self {
            Self::NotFound => true,
            Self::Model { inference_types, .. } => !inference_types.iter().any(|kind| kind == ON_DEMAND),
            Self::Profile { .. } | Self::Fault(_) => false,
        }
    }
}

/// All answers that one reconcile works with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// One answer for each target of the intent.
    pub targets: BTreeMap<Target, Answer>,
    /// The system-defined profiles of a source Region; only where an answer asked for alternatives.
    pub listed: BTreeMap<Region, Vec<ProfileId>>,
}

/// A call to AWS that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What kind of failure it was; decides what happens next.
    pub class: Class,
    /// For the person who must act: stable, without request ids or times.
    pub message: String,
}

/// Why a call failed. It decides whether to wait, to retry or to tell the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The operator may not make the call.
    Denied,
    /// The named thing does not exist.
    NotFound,
    /// AWS alone may modify the role.
    Protected,
    /// A quota of the role would be exceeded.
    Quota,
    /// AWS understood the request and will never accept it.
    Rejected,
    /// Too many requests in the account or Region.
    Throttled,
    /// AWS did not answer in time, or answered that it cannot.
    Unavailable,
}

impl Class {
    /// As metrics and logs show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "Denied",
            Self::NotFound => "NotFound",
            Self::Protected => "Protected",
            Self::Quota => "Quota",
            Self::Rejected => "Rejected",
            Self::Throttled => "Throttled",
            Self::Unavailable => "Unavailable",
        }
    }
}
