//! Families: `modelId: amazon.nova-*` stands for every model that Bedrock lists under that prefix, each granted exactly.

use std::collections::BTreeMap;

use crate::answer::{Answer, Answers, unanswered};
use crate::fault::Fault;
use crate::finding::{Finding, Reason};
use crate::held::Held;
use crate::identifier::{ModelId, ModelPrefix, ProfileId, Region};
use crate::intent::{Intent, Target};

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

    fn unmatched(&self) -> Finding {
        match self {
            Self::Profiles { source, scope, prefix } => {
                let message = format!(
                    "no inference profile of scope {scope} in {source} begins with {prefix}; \
                     check the family, the scope and the Region"
                );
                Finding::new(Reason::ProfileNotFound, message)
            }
            Self::OnDemand { source, prefix } => {
                let message = format!(
                    "no model that can be called on demand in {source} begins with {prefix}; \
                     use a scope such as us or global, or check the family and the Region"
                );
                Finding::new(Reason::ModelNotFound, message)
            }
        }
    }

    fn unlisted(&self, fault: &Fault) -> Finding {
        let (source, prefix) = match self {
            Self::Profiles { source, prefix, .. } | Self::OnDemand { source, prefix } => (source, prefix),
        };
        let message = format!("the family {prefix}* in {source}: {}", fault.message);
        Finding::new(Reason::of_bedrock_fault(fault.class), message)
    }
}

/// Not copied: a manifest may have as many families as a list has entries.
fn listed<T>(list: Option<&Result<Vec<T>, Fault>>) -> Result<&[T], Fault> {
    list.map_or_else(|| Err(unanswered()), |list| list.as_deref().map_err(Clone::clone))
}

/// What the entries of a manifest come to.
pub(crate) struct Expansion {
    /// Every target with its answer.
    pub(crate) targets: BTreeMap<Target, Answer>,
    /// Every family, and what stands against it.
    pub(crate) families: Vec<(Family, Option<Finding>)>,
}

/// Every target of the intent with its answer: those that are named, the members of families, and the members that the role
/// holds though Bedrock no longer lists them.
pub(crate) fn expand(intent: &Intent, answers: &Answers, held: &Held) -> Expansion {
    let answered = |target: &Target| (target.clone(), answers.of(target));
    let mut targets: BTreeMap<Target, Answer> = intent.targets.iter().map(answered).collect();
    let mut families = Vec::new();
    let held_targets: Vec<Target> = held.targets().collect();
    for family in &intent.families {
        let listed = family.members(answers);
        let unlisted = listed.as_ref().err().cloned().map_or(Answer::NotFound, Answer::Fault);
        let mut members: BTreeMap<Target, Answer> = listed.iter().flatten().map(answered).collect();
        // What someone added to the policy is no member that vanished.
        let may_have_vanished = !held.is_edited() || listed.is_err();
        let vanished = held_targets.iter().filter(|target| may_have_vanished && family.contains(target));
        for target in vanished {
            members.entry(target.clone()).or_insert_with(|| unlisted.clone());
        }
        let finding = match listed {
            Ok(_) if members.is_empty() => Some(family.unmatched()),
            Ok(_) => None,
            Err(fault) => Some(family.unlisted(&fault)),
        };
        families.push((family.clone(), finding));
        for (target, answer) in members {
            targets.entry(target).or_insert(answer);
        }
    }
    Expansion { targets, families }
}
