//! Which combinations of model, scope and source Region are not offered, and which of them nobody has to be told about.
//!
//! A manifest names scopes and source Regions apart, and means their product: `us` and `eu` from us-east-1 and eu-central-1.
//! No profile of scope `us` can be called from eu-central-1, and none need be, as long as each scope exists somewhere and each
//! source Region offers the model through some scope.

use std::fmt;

use crate::bedrock::family::Family;
use crate::bedrock::target::Target;
use crate::names::identifier::Region;

/// The scope of a model that is called without an inference profile.
pub const IN_REGION: &str = "in-region";

/// A combination that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offer {
    /// The model's id, or a family's prefix with its `*`.
    pub model: String,
    /// A profile's prefix, or `in-region`.
    pub scope: String,
    /// The source Region.
    pub source: Region,
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in scope {} from {}", self.model, self.scope, self.source)
    }
}

impl Offer {
    /// What a target is a combination of; nothing for what belongs to an account, which is named by its ARN.
    pub(crate) fn of_target(target: &Target) -> Option<Self> {
        let source = target.source().clone();
        match target {
            Target::Profile { id, .. } => {
                Some(Self { model: id.model().to_owned(), scope: id.scope().to_owned(), source })
            }
            Target::OnDemand { model, .. } => {
                Some(Self { model: model.to_string(), scope: IN_REGION.to_owned(), source })
            }
            Target::ApplicationProfile { .. } | Target::OwnModel { .. } => None,
        }
    }

    /// What a family is a combination of.
    pub(crate) fn of_family(family: &Family) -> Self {
        let source = family.source().clone();
        match family {
            Family::Profiles { scope, prefix, .. } => {
                Self { model: format!("{prefix}*"), scope: scope.clone(), source }
            }
            Family::OnDemand { prefix, .. } => {
                Self { model: format!("{prefix}*"), scope: IN_REGION.to_owned(), source }
            }
        }
    }

    /// Whether the scope exists for the model in another source Region, and the source Region offers the model in another scope.
    pub(crate) fn is_dispensable(&self, offered: &[Self]) -> bool {
        let of_model = || offered.iter().filter(|offer| offer.model == self.model);
        of_model().any(|offer| offer.scope == self.scope && offer.source != self.source)
            && of_model().any(|offer| offer.source == self.source && offer.scope != self.scope)
    }
}
