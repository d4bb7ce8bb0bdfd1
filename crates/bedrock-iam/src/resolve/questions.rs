//! What is to be asked of Bedrock. Which question follows which answer is told here, whoever sends them.

use std::collections::BTreeSet;

use crate::bedrock::answer::Answers;
use crate::bedrock::family::Family;
use crate::bedrock::target::Target;
use crate::iam::observed::PolicyState;
use crate::names::arn::GuardrailArn;
use crate::names::identifier::Region;
use crate::policy::current::CurrentGrants;
use crate::policy::size;
use crate::say::finding::Finding;
use crate::want::consent::ConsentPolicy;
use crate::want::intent::{Claim, Intent};

/// Questions that may be asked together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Questions {
    /// Which system-defined profiles there are (ListInferenceProfiles).
    pub profiles: BTreeSet<Region>,
    /// Which models can be called on demand (ListFoundationModels).
    pub on_demand: BTreeSet<Region>,
    /// What a target leads to (GetInferenceProfile, GetFoundationModel).
    pub targets: BTreeSet<Target>,
    /// Whether the owner of a target consents (ListTagsForResource).
    pub tags: BTreeSet<Target>,
    /// Whether the owner of a guardrail consents (ListTagsForResource).
    pub guardrails: BTreeSet<GuardrailArn>,
}

impl Questions {
    /// Those that were answered.
    pub fn answered(answers: &Answers) -> Self {
        Self {
            profiles: answers.profiles.keys().cloned().collect(),
            on_demand: answers.on_demand.keys().cloned().collect(),
            targets: answers.targets.keys().cloned().collect(),
            tags: answers.tags.keys().cloned().collect(),
            guardrails: answers.guardrails.keys().cloned().collect(),
        }
    }

    /// How much is to be asked.
    pub fn len(&self) -> usize {
        let Self { profiles, on_demand, targets, tags, guardrails } = self;
        profiles.len() + on_demand.len() + targets.len() + tags.len() + guardrails.len()
    }

    /// Whether nothing is left to be asked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What is to be asked next for an object that is kept in step; nothing once `answers` suffice.
///
/// First what the families hold, then about every target and for the consent of those that belong to the account, and where an answer
/// is a refusal, what else there is.
///
/// # Errors
///
/// So many targets that no policy could hold them: they are not worth a question.
pub fn next_questions(intent: &Intent, answers: &Answers) -> Result<Questions, Finding> {
    let mut questions = Questions::default();
    for family in intent.families.iter().filter(|family| intent.knows(family.source())) {
        let (source, is_listed) = match family {
            Family::Profiles { source, .. } => (source, answers.profiles.contains_key(source)),
            Family::OnDemand { source, .. } => (source, answers.on_demand.contains_key(source)),
        };
        let unlisted = match family {
            Family::Profiles { .. } => &mut questions.profiles,
            Family::OnDemand { .. } => &mut questions.on_demand,
        };
        unlisted.extend((!is_listed).then(|| source.clone()));
    }
    if !questions.is_empty() {
        return Ok(questions);
    }

    let members = intent.families.iter().filter_map(|family| family.members(answers).ok());
    let named = intent.targets.iter().filter(|target| intent.knows(target.source())).cloned();
    let targets: BTreeSet<Target> = members.flatten().chain(named).collect();
    if let Some(finding) = size::cannot_fit(&targets) {
        return Err(finding);
    }
    let claim = &intent.claim;
    let owned = targets.iter().filter(|target| target.owned(&claim.account).is_some());
    let guardrails = intent.terms.owned_guardrails(&claim.account).into_iter();
    let guardrails = guardrails.filter(|guardrail| intent.knows(&guardrail.region));
    questions = of_owners(claim, owned.cloned(), guardrails, answers);
    let is_asked = |target: &Target| !matches!(target, Target::OwnModel { .. });
    questions.targets = targets
        .into_iter()
        .filter(|target| is_asked(target) && !answers.targets.contains_key(target))
        .collect();
    if !questions.is_empty() {
        return Ok(questions);
    }

    let refused = answers.targets.iter().filter(|(target, answer)| answer.asks_for_alternatives(target));
    let sources = refused.map(|(target, _)| target.source().clone());
    questions.profiles = sources.filter(|source| !answers.profiles.contains_key(source)).collect();
    Ok(questions)
}

/// By whose consent the role holds what it holds, where that was not asked yet.
pub fn questions_to_owners(claim: &Claim, policy: &PolicyState, answers: &Answers) -> Questions {
    let held = CurrentGrants::in_policy(policy);
    let targets = held.targets().filter(|target| target.owned(&claim.account).is_some());
    let guardrails = held.guardrails().iter().filter(|guardrail| guardrail.is_of(&claim.account)).cloned();
    of_owners(claim, targets, guardrails, answers)
}

fn of_owners(
    claim: &Claim,
    targets: impl IntoIterator<Item = Target>,
    guardrails: impl IntoIterator<Item = GuardrailArn>,
    answers: &Answers,
) -> Questions {
    if claim.tenant.policy == ConsentPolicy::None {
        return Questions::default();
    }
    let (targets, guardrails) = (targets.into_iter(), guardrails.into_iter());
    Questions {
        tags: targets.filter(|target| !answers.tags.contains_key(target)).collect(),
        guardrails: guardrails.filter(|guardrail| !answers.guardrails.contains_key(guardrail)).collect(),
        ..Questions::default()
    }
}
