//! One inference profile: what was answered about it, and what its policy holds of it, to a grant or to what stands against one.
//!
//! The answer must be about this profile, lead to one model, and stay within the lock. One that is missing, or shorter than what is
//! held, takes nothing away.

use std::collections::BTreeSet;

use super::consent::Permission;
use super::judge::{Judge, Judgement};
use super::remedy;
use crate::bedrock::answer::Answer;
use crate::bedrock::target::Target;
use crate::names::arn::{FoundationModelArn, InferenceProfileArn, Profile};
use crate::policy::grant::{Grant, destination};
use crate::say::finding::Finding;
use crate::say::reason::Reason;

impl Judge<'_> {
    /// An inference profile, with the model in every destination.
    ///
    /// | owner | Bedrock | then |
    /// |---|---|---|
    /// | refused | – | nothing is granted |
    /// | – | not found, and nothing is held or the user accepts that | nothing is granted |
    /// | – | not found, no answer, or one that cannot be about this profile | what is held is kept |
    /// | unknown | answered | what is held is kept |
    /// | consents | a route beyond the lock, or one that is denied | what is held is kept, as far as lock and denials let it |
    /// | consents | less than is held, and nobody accepts that | both are granted |
    /// | consents | anything else | what was answered is granted |
    pub(super) fn profile(&self, target: &Target, arn: &InferenceProfileArn, answer: &Answer) -> Judgement {
        let held = self.held_models(arn);
        let kept = |(reason, problem): (Reason, String)| kept(arn, &held, reason, problem);
        let permission = self.permission(target);
        if let Permission::Refused(finding) = permission {
            return Judgement::Refuse(finding);
        }
        let is_final = held.is_empty() || self.may_shrink(arn.profile.id(), &arn.region);
        if *answer == Answer::NotFound && is_final {
            return Judgement::Refuse(self.profile_not_found(arn));
        }
        let answered = match self.answered(arn, answer, &held) {
            Ok(models) => models,
            Err(why) => return kept(why),
        };
        if let Permission::Unknown(fault) = permission {
            let problem = format!("{}: {}", place(arn), fault.message);
            return kept((Reason::of_bedrock_fault(fault.class), problem));
        }
        match self.not_permitted(arn, &answered) {
            Some(problem) => kept((Reason::DestinationNotAllowed, problem)),
            None => self.route(arn, answered, &held),
        }
    }

    /// What Bedrock answered of the profile, if that can be believed.
    fn answered(
        &self,
        arn: &InferenceProfileArn,
        answer: &Answer,
        held: &BTreeSet<FoundationModelArn>,
    ) -> Result<BTreeSet<FoundationModelArn>, (Reason, String)> {
        match answer {
            Answer::Profile { arn: given, models } => self
                .believe(arn, given, models, held)
                .map_err(|problem| (Reason::BedrockUnavailable, problem)),
            Answer::NotFound => {
                let remedy = remedy::accept(arn.profile.id(), &arn.region);
                Err((Reason::ProfileShrunk, format!("{} is no longer found; {remedy}", place(arn))))
            }
            // The call names the profile and the Region already.
            Answer::Fault(fault) => Err((Reason::of_bedrock_fault(fault.class), fault.message.clone())),
            Answer::Model { .. } | Answer::Unasked => {
                Err((Reason::BedrockUnavailable, format!("{} was not answered for", place(arn))))
            }
        }
    }

    /// Grants a believed answer; where it is less than what is held, and nobody accepts that, both.
    fn route(
        &self,
        arn: &InferenceProfileArn,
        answered: BTreeSet<FoundationModelArn>,
        held: &BTreeSet<FoundationModelArn>,
    ) -> Judgement {
        let (id, source, place) = (arn.profile.id(), &arn.region, place(arn));
        let may_shrink = self.may_shrink(id, source);
        if answered.is_empty() && !may_shrink {
            let problem = format!("{place} answers without any model; {}", remedy::accept(id, source));
            return kept(arn, held, Reason::ProfileShrunk, problem);
        }
        let lost: Vec<String> = held.difference(&answered).map(destination).collect();
        if !lost.is_empty() && !may_shrink {
            let models = answered.union(held).cloned().collect();
            let message = format!(
                "{place} no longer routes to {}; the grant that the role already has is kept; {}",
                lost.join(", "),
                remedy::accept(id, source)
            );
            let grant = Grant::Profile { arn: arn.clone(), models };
            return Judgement::Keep(grant, Finding::new(Reason::ProfileShrunk, message));
        }
        if answered.is_empty() {
            return Judgement::Release;
        }
        Judgement::Grant(Grant::Profile { arn: arn.clone(), models: answered })
    }

    /// What the policy holds of this profile, as far as its type, the lock and the denied scopes allow it.
    fn held_models(&self, arn: &InferenceProfileArn) -> BTreeSet<FoundationModelArn> {
        let mut held = self.held.models(arn);
        held.retain(|model| self.may_lead_to(arn, model));
        // A lock or a denied scope that the user adds revokes at once, so nothing beyond it counts as held.
        if self.is_permitted(&held) && is_one_model(&held) { held } else { BTreeSet::new() }
    }

    /// An answer is believed if it is about the profile, and names exact ARNs of its one model.
    fn believe(
        &self,
        arn: &InferenceProfileArn,
        given: &str,
        models: &[String],
        held: &BTreeSet<FoundationModelArn>,
    ) -> Result<BTreeSet<FoundationModelArn>, String> {
        let place = place(arn);
        if given != arn.to_string() {
            return Err(format!("{place}: GetInferenceProfile answered for {given:?}"));
        }
        let model = |text: &String| match text.parse::<FoundationModelArn>() {
            Ok(model) if self.may_lead_to(arn, &model) => Ok(model),
            Ok(_) | Err(_) => {
                Err(format!("{place}: GetInferenceProfile answered with {text:?}, which is not its model"))
            }
        };
        let answered = models.iter().map(model).collect::<Result<BTreeSet<_>, _>>()?;
        if !is_one_model(&answered) {
            return Err(format!("{place}: GetInferenceProfile answered with several models"));
        }
        // An application profile's model is fixed when it is made (CreateInferenceProfile, `modelSource`).
        let as_before = answered.union(held).cloned().collect();
        if !is_one_model(&as_before) && !self.may_shrink(arn.profile.id(), &arn.region) {
            return Err(format!("{place}: GetInferenceProfile answered with another model than before"));
        }
        Ok(answered)
    }

    fn may_lead_to(&self, arn: &InferenceProfileArn, model: &FoundationModelArn) -> bool {
        let is_its_model = match &arn.profile {
            Profile::System(id) => model.model.as_str() == id.model(),
            Profile::Application(_) => true,
        };
        is_its_model && model.partition == self.account.partition
    }
}

/// Keeps what is held of a profile, if anything is.
fn kept(
    arn: &InferenceProfileArn,
    held: &BTreeSet<FoundationModelArn>,
    reason: Reason,
    problem: String,
) -> Judgement {
    if held.is_empty() {
        return Judgement::Refuse(Finding::new(reason, problem));
    }
    let message = format!("{problem}; the grant that the role already has is kept");
    let grant = Grant::Profile { arn: arn.clone(), models: held.clone() };
    Judgement::Keep(grant, Finding::new(reason, message))
}

fn is_one_model(models: &BTreeSet<FoundationModelArn>) -> bool {
    models.first().is_none_or(|first| models.iter().all(|model| model.model == first.model))
}

/// A profile, as messages name it.
pub(super) fn place(arn: &InferenceProfileArn) -> String {
    let kind = match arn.profile {
        Profile::System(_) => "inference profile",
        Profile::Application(_) => "application inference profile",
    };
    format!("{kind} {} in {}", arn.profile.id(), arn.region)
}
