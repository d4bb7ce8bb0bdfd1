//! What Bedrock answered, before anything is believed.

use std::collections::BTreeMap;

use crate::bedrock::target::Target;
use crate::names::arn::GuardrailArn;
use crate::names::fault::{Class, Fault};
use crate::names::identifier::{ModelId, ProfileId, Region};
use crate::names::tags::Tags;

/// What Bedrock answered about one target; the strings are unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    /// Nothing was to be asked: the target is granted by its ARN alone.
    Unasked,
    /// Bedrock does not know the profile or the model in that source Region.
    NotFound,
    /// No answer.
    Fault(Fault),
}

/// `inferenceTypesSupported` of a model that may be called without a profile.
pub const ON_DEMAND: &str = "ON_DEMAND";

impl Answer {
    /// Whether the refusal that follows can name alternatives, for which ListInferenceProfiles is worth a request.
    pub fn asks_for_alternatives(&self, target: &Target) -> bool {
        match self {
            Self::NotFound => matches!(target, Target::Profile { .. } | Target::OnDemand { .. }),
            Self::Model { inference_types, .. } => !inference_types.iter().any(|kind| kind == ON_DEMAND),
            Self::Profile { .. } | Self::Unasked | Self::Fault(_) => false,
        }
    }
}

/// All answers that one reconcile works with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Answers {
    /// One answer for each target, members of families included.
    pub targets: BTreeMap<Target, Answer>,
    /// The system-defined profiles of a source Region (ListInferenceProfiles), where a family or a refusal asks for them.
    pub profiles: BTreeMap<Region, Result<Vec<ProfileId>, Fault>>,
    /// The models that may be called on demand in a Region (ListFoundationModels), where a family asks for them.
    pub on_demand: BTreeMap<Region, Result<Vec<ModelId>, Fault>>,
    /// The tags of every target that belongs to the account (ListTagsForResource), where consent is given by tags.
    pub tags: BTreeMap<Target, Result<Tags, Fault>>,
    /// The tags of every guardrail that belongs to the account (ListTagsForResource), where consent is given by tags.
    pub guardrails: BTreeMap<GuardrailArn, Result<Tags, Fault>>,
}

impl Answers {
    /// The answer for a target; one that did not come counts as a fault.
    pub fn of(&self, target: &Target) -> Answer {
        if matches!(target, Target::OwnModel { .. }) {
            return Answer::Unasked;
        }
        self.targets.get(target).cloned().unwrap_or_else(|| Answer::Fault(unanswered()))
    }

    /// The tags of a target.
    ///
    /// # Errors
    ///
    /// ListTagsForResource failed, or the tags did not come.
    pub fn tags_of(&self, target: &Target) -> Result<&Tags, Fault> {
        answered(self.tags.get(target))
    }

    /// The tags of a guardrail.
    ///
    /// # Errors
    ///
    /// ListTagsForResource failed, or the tags did not come.
    pub fn tags_of_guardrail(&self, guardrail: &GuardrailArn) -> Result<&Tags, Fault> {
        answered(self.guardrails.get(guardrail))
    }
}

fn answered(tags: Option<&Result<Tags, Fault>>) -> Result<&Tags, Fault> {
    tags.map_or_else(|| Err(unanswered()), |tags| tags.as_ref().map_err(Clone::clone))
}

/// The fault of a question that got no answer at all.
pub fn unanswered() -> Fault {
    let message = "Bedrock did not answer in time; it is asked again".to_owned();
    Fault { class: Class::Unavailable, message }
}
