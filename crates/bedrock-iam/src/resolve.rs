//! From what is wanted and what Bedrock answered to what may be granted.
//!
//! An answer is believed only as far as its type allows: a profile leads to one model, in the role's partition, by exact
//! ARNs. Every target that resolves is granted even when another does not; one that held a grant keeps it while Bedrock
//! answers nothing, or less than before.

use std::collections::BTreeSet;

use crate::answer::{Answer, Answers, ON_DEMAND};
use crate::arn::{FoundationModelArn, InferenceProfileArn};
use crate::family::expand;
use crate::finding::{Finding, Reason};
use crate::grant::{Grant, destination};
use crate::held::Held;
use crate::identifier::{ModelId, ProfileId, Region};
use crate::intent::{Intent, Target};
use crate::observed::Account;

/// What may be granted, and what stands against the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// In the order of the targets.
    pub grants: Vec<Grant>,
    /// In the order of the targets.
    pub findings: Vec<Finding>,
    /// Whether the user's acceptance of a shrink was weighed against an answer, and so is used up.
    pub acceptance_is_settled: bool,
}

/// Judges every target of the intent.
pub fn resolve(intent: &Intent, account: &Account, answers: &Answers, held: &Held) -> Resolution {
    let (targets, unlisted) = expand(intent, answers, held);
    let unanswered = targets.iter().filter(|(_, answer)| matches!(answer, Answer::Fault(_)));
    let acceptance_is_open = unanswered.map(|(target, _)| target).any(|target| {
        let accepted = intent.accepted_shrink.as_ref();
        accepted.is_some_and(|accepted| accepted.covers(target.id(), target.source()))
    });
    let mut resolution = Resolution {
        grants: Vec::new(),
        findings: intent.refused.clone(),
        acceptance_is_settled: !acceptance_is_open,
    };
    resolution.findings.extend(unlisted);
    let judge = Judge { intent, account, answers, held };
    for (target, answer) in &targets {
        let (grant, finding) = match target {
            Target::Profile { source, id } => judge.profile(source, id, answer),
            Target::OnDemand { source, model } => judge.on_demand(source, model, answer),
        };
        resolution.grants.extend(grant);
        resolution.findings.extend(finding);
    }
    resolution
}

struct Judge<'a> {
    intent: &'a Intent,
    account: &'a Account,
    answers: &'a Answers,
    held: &'a Held,
}

type Judgement = (Option<Grant>, Option<Finding>);

impl Judge<'_> {
    fn profile(&self, source: &Region, id: &ProfileId, answer: &Answer) -> Judgement {
        let arn = InferenceProfileArn {
            partition: self.account.partition.clone(),
            region: source.clone(),
            account: self.account.id.clone(),
            profile: id.clone(),
        };
        let held = self.held_models(&arn);
        let place = format!("inference profile {id} in {source}");
        let kept = |reason, problem: String| {
            if held.is_empty() {
                return (None, Some(Finding::new(reason, problem)));
            }
            let message = format!("{problem}; the grant that the role already has is kept");
            let grant = Grant::Profile { arn: arn.clone(), models: held.clone() };
            (Some(grant), Some(Finding::new(reason, message)))
        };

        let answered = match answer {
            Answer::Profile { arn: given, models } => match self.believe(&arn, given, models) {
                Ok(models) => models,
                Err(problem) => return kept(Reason::BedrockUnavailable, problem),
            },
            Answer::NotFound if held.is_empty() || self.may_shrink(id.as_str(), source) => {
                return (None, Some(self.profile_not_found(id, source)));
            }
            Answer::NotFound => {
                let problem = format!("{place} is no longer found; {}", accept(id, source));
                return kept(Reason::ProfileShrunk, problem);
            }
            Answer::Fault(fault) => {
                let problem = format!("{place}: {}", fault.message);
                return kept(Reason::of_bedrock_fault(fault.class), problem);
            }
            Answer::Model { .. } => {
                return kept(Reason::BedrockUnavailable, format!("{place} was not answered for"));
            }
        };

        let beyond = self.beyond_lock(&answered);
        if !beyond.is_empty() {
            let problem = format!(
                "{place} may route to {}, which routing.allowedDestinationRegions does not list; \
                 allow the destination or remove the profile",
                beyond.join(", ")
            );
            return kept(Reason::DestinationNotAllowed, problem);
        }
        let may_shrink = self.may_shrink(id.as_str(), source);
        if answered.is_empty() && !may_shrink {
            return kept(
                Reason::ProfileShrunk,
                format!("{place} answers without any model; {}", accept(id, source)),
            );
        }
        let lost: Vec<String> = held.difference(&answered).map(destination).collect();
        if !lost.is_empty() && !may_shrink {
            let models = answered.union(&held).cloned().collect();
            let message = format!(
                "{place} no longer routes to {}; the grant that the role already has is kept; {}",
                lost.join(", "),
                accept(id, source)
            );
            return (
                Some(Grant::Profile { arn, models }),
                Some(Finding::new(Reason::ProfileShrunk, message)),
            );
        }
        let grant = (!answered.is_empty()).then_some(Grant::Profile { arn, models: answered });
        (grant, None)
    }

    fn on_demand(&self, source: &Region, model: &ModelId, answer: &Answer) -> Judgement {
        let arn = FoundationModelArn {
            partition: self.account.partition.clone(),
            region: Some(source.clone()),
            model: model.clone(),
        };
        let place = format!("model {model} in {source}");
        if !self.beyond_lock(&BTreeSet::from([arn.clone()])).is_empty() {
            let message = format!(
                "{place} runs in {source}, which routing.allowedDestinationRegions does not list; allow it or remove the model"
            );
            return (None, Some(Finding::new(Reason::DestinationNotAllowed, message)));
        }
        let (reason, problem) = match answer {
            Answer::Model { arn: given, .. } if *given != arn.to_string() => {
                (Reason::BedrockUnavailable, format!("{place}: GetFoundationModel answered for {given:?}"))
            }
            Answer::Model { inference_types, .. } if inference_types.iter().any(|kind| kind == ON_DEMAND) => {
                return (Some(Grant::OnDemand { model: arn }), None);
            }
            Answer::Model { .. } => {
                (Reason::OnDemandNotSupported, self.on_demand_not_supported(model, source))
            }
            Answer::NotFound => {
                let remedy = self.closest(source, model.as_str());
                (Reason::ModelNotFound, format!("{place} does not exist; {remedy}"))
            }
            Answer::Fault(fault) => {
                (Reason::of_bedrock_fault(fault.class), format!("{place}: {}", fault.message))
            }
            Answer::Profile { .. } => (Reason::BedrockUnavailable, format!("{place} was not answered for")),
        };
        let is_final = !matches!(answer, Answer::Fault(_)) && self.may_shrink(model.as_str(), source);
        if self.held.on_demand(&arn) && !is_final {
            let message = format!("{problem}; the grant that the role already has is kept");
            return (Some(Grant::OnDemand { model: arn }), Some(Finding::new(reason, message)));
        }
        (None, Some(Finding::new(reason, problem)))
    }

    /// What the policy holds of this profile, as far as its type and the lock allow it.
    fn held_models(&self, arn: &InferenceProfileArn) -> BTreeSet<FoundationModelArn> {
        let mut held = self.held.models(arn);
        held.retain(|model| self.leads_to(arn, model));
        // A lock that the user adds revokes at once, so nothing beyond it counts as held.
        if self.beyond_lock(&held).is_empty() { held } else { BTreeSet::new() }
    }

    fn believe(
        &self,
        arn: &InferenceProfileArn,
        given: &str,
        models: &[String],
    ) -> Result<BTreeSet<FoundationModelArn>, String> {
        let place = format!("inference profile {} in {}", arn.profile, arn.region);
        if given != arn.to_string() {
            return Err(format!("{place}: GetInferenceProfile answered for {given:?}"));
        }
        models
            .iter()
            .map(|text| match text.parse::<FoundationModelArn>() {
                Ok(model) if self.leads_to(arn, &model) => Ok(model),
                Ok(_) | Err(_) => Err(format!(
                    "{place}: GetInferenceProfile answered with {text:?}, which is not its model"
                )),
            })
            .collect()
    }

    fn leads_to(&self, profile: &InferenceProfileArn, model: &FoundationModelArn) -> bool {
        model.partition == self.account.partition && model.model.as_str() == profile.profile.model()
    }

    /// The destinations outside the lock; the region-less ARN may run anywhere and so lies outside every lock.
    fn beyond_lock(&self, models: &BTreeSet<FoundationModelArn>) -> Vec<String> {
        let Some(allowed) = &self.intent.allowed_destination_regions else {
            return Vec::new();
        };
        let within =
            |model: &FoundationModelArn| model.region.as_ref().is_some_and(|region| allowed.contains(region));
        models.iter().filter(|model| !within(model)).map(destination).collect()
    }

    /// Whether a definite answer of less may take a grant away: the user accepts it, or someone edited the policy since, so that
    /// what it holds was never answered.
    fn may_shrink(&self, profile: &str, source: &Region) -> bool {
        self.held.is_edited() || self.shrink_is_accepted(profile, source)
    }

    fn shrink_is_accepted(&self, profile: &str, source: &Region) -> bool {
        self.intent.accepted_shrink.as_ref().is_some_and(|accepted| accepted.covers(profile, source))
    }

    fn listed(&self, source: &Region) -> impl Iterator<Item = &ProfileId> {
        // A list that could not be had only makes a message less helpful.
        self.answers.profiles.get(source).into_iter().flatten().flatten()
    }

    fn offering(&self, source: &Region, model: &str) -> Vec<&ProfileId> {
        self.listed(source).filter(|id| id.model() == model).collect()
    }

    /// What the user may have meant.
    fn closest(&self, source: &Region, model: &str) -> String {
        let listed = self.listed(source).map(ProfileId::model);
        let distances = listed.map(|candidate| (strsim::damerau_levenshtein(candidate, model), candidate));
        let closest = distances.filter(|(distance, _)| distance * 5 <= model.len()).min();
        closest.map_or_else(
            || "check the id and the Region".to_owned(),
            |(_, candidate)| format!("did you mean {candidate}?"),
        )
    }

    fn profile_not_found(&self, id: &ProfileId, source: &Region) -> Finding {
        let scopes: Vec<&str> = self.offering(source, id.model()).into_iter().map(ProfileId::scope).collect();
        let remedy = if scopes.is_empty() {
            format!("no scope offers model {} there; {}", id.model(), self.closest(source, id.model()))
        } else {
            format!("model {} is offered there in scope {}", id.model(), scopes.join(", "))
        };
        let message = format!("inference profile {id} does not exist in {source}; {remedy}");
        Finding::new(Reason::ProfileNotFound, message)
    }

    fn on_demand_not_supported(&self, model: &ModelId, source: &Region) -> String {
        let profiles: Vec<&str> =
            self.offering(source, model.as_str()).into_iter().map(ProfileId::as_str).collect();
        let remedy = if profiles.is_empty() {
            "no inference profile offers it there either".to_owned()
        } else {
            format!("use an inference profile instead: {}", profiles.join(", "))
        };
        format!("model {model} cannot be called on demand in {source}; {remedy}")
    }
}

fn accept(id: &ProfileId, source: &Region) -> String {
    format!("if this is right, annotate bedrockaccess.io/accept-shrink: {id}@{source}")
}
