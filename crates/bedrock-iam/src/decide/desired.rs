//! What a policy is to be, and whether one that was read is that: what planning hands on to a step, and a step to the read behind it.

use crate::iam::canonical::CanonicalPolicy;
use crate::iam::document::Document;
use crate::policy::authorisation;
use crate::policy::extra::Extra;
use crate::policy::grant::Grant;
use crate::want::terms::Terms;

/// What a policy is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Desired {
    /// This policy.
    Policy(Box<DesiredPolicy>),
    /// None.
    Nothing,
}

/// A policy, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredPolicy {
    /// The whole policy.
    pub document: Document,
    /// The same in fewer characters, should IAM have no room.
    pub smaller: Option<Document>,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a policy is for, by which a read of it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It must let through every request for these grants, on these terms.
    Grants(Vec<Grant>, Terms),
    /// It is what is left of an earlier one, and grants no more than that.
    Remainder,
}

impl Desired {
    /// What it means; the meaning of nothing is that of an empty policy.
    pub fn meaning(&self) -> CanonicalPolicy {
        match self {
            Self::Policy(policy) => CanonicalPolicy::of(&policy.document),
            Self::Nothing => CanonicalPolicy::default(),
        }
    }

    /// Whether what stands on the role is this, and suffices by IAM's own rules.
    pub(super) fn is_met_by(&self, held: Option<&Document>) -> bool {
        match (self, held) {
            (Self::Nothing, None) => true,
            (Self::Policy(policy), Some(held)) => policy.is_met_by(held),
            (Self::Nothing, Some(_)) | (Self::Policy(_), None) => false,
        }
    }
}

impl DesiredPolicy {
    fn is_met_by(&self, held: &Document) -> bool {
        let is_same = |wanted: &Document| CanonicalPolicy::of(wanted) == CanonicalPolicy::of(held);
        let suffices = match &self.purpose {
            Purpose::Grants(grants, terms) => {
                grants.iter().all(|grant| authorisation::covers(&[held], grant, terms))
                    && Extra::of(grants, terms)
                        .iter()
                        .all(|extra| authorisation::covers_extra(&[held], extra))
            }
            Purpose::Remainder => true,
        };
        suffices && (is_same(&self.document) || self.smaller.as_ref().is_some_and(is_same))
    }
}
