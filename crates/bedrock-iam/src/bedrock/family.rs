//! Families: `modelId: amazon.nova-*` stands for every model that Bedrock lists under that prefix, each granted exactly.

use crate::bedrock::answer::{Answers, unanswered};
use crate::bedrock::target::Target;
use crate::names::fault::Fault;
use crate::names::identifier::{ModelId, ModelPrefix, ProfileId, Region};

/// All models in one scope and source Region whose id begins with a prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// The system-defined profiles of a scope.
    Profiles {
        /// The source Region.
        source: Region,
        /// Such as `us`.
        scope: String,
        /// What a model's id begins with.
        prefix: ModelPrefix,
    },
    /// The models that may be called on demand.
    OnDemand {
        /// The source Region.
        source: Region,
        /// What a model's id begins with.
        prefix: ModelPrefix,
    },
}

impl Family {
    /// Its members among what Bedrock lists in the source Region.
    ///
    /// # Errors
    ///
    /// The list could not be had, or did not come.
    pub fn members(&self, answers: &Answers) -> Result<Vec<Target>, Fault> {
        match self {
            Self::Profiles { source, scope, prefix } => {
                let listed = listed(answers.profiles.get(source))?;
                let is_member =
                    |id: &&ProfileId| id.scope() == scope && id.model().starts_with(prefix.as_str());
                let target = |id: &ProfileId| Target::Profile { source: source.clone(), id: id.clone() };
                Ok(listed.iter().filter(is_member).map(target).collect())
            }
            Self::OnDemand { source, prefix } => {
                let listed = listed(answers.on_demand.get(source))?;
                let is_member = |model: &&ModelId| model.as_str().starts_with(prefix.as_str());
                let target =
                    |model: &ModelId| Target::OnDemand { source: source.clone(), model: model.clone() };
                Ok(listed.iter().filter(is_member).map(target).collect())
            }
        }
    }

    /// Whether a target would be a member, if it is listed.
    pub fn contains(&self, target: &Target) -> bool {
        match (self, target) {
            (Self::Profiles { source, scope, prefix }, Target::Profile { source: of, id }) => {
                source == of && id.scope() == scope && id.model().starts_with(prefix.as_str())
            }
            (Self::OnDemand { source, prefix }, Target::OnDemand { source: of, model }) => {
                source == of && model.as_str().starts_with(prefix.as_str())
            }
            _ => false,
        }
    }

    /// The source Region.
    pub fn source(&self) -> &Region {
        match self {
            Self::Profiles { source, .. } | Self::OnDemand { source, .. } => source,
        }
    }
}

/// Not copied: a manifest may have as many families as a list has entries.
fn listed<T>(list: Option<&Result<Vec<T>, Fault>>) -> Result<&[T], Fault> {
    list.map_or_else(|| Err(unanswered()), |list| list.as_deref().map_err(Clone::clone))
}
