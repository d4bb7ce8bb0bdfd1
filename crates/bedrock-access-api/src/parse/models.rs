use std::collections::BTreeSet;
use std::fmt::Display;

use bedrock_iam::{
    Account, AccountId, Family, Finding, InferenceProfileArn, ModelId, ModelPrefix, OwnModelArn, Partition,
    Profile, ProfileId, Reason, Region, Target,
};

use super::{Parsed, field, invalid, problem};
use crate::v1alpha1::{BedrockAccess, ModelEntry};

/// The scope of a model that is called without an inference profile.
const IN_REGION: &str = "in-region";

/// What the entries of `spec.models` ask for.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) targets: BTreeSet<Target>,
    pub(super) families: BTreeSet<Family>,
    pub(super) refused: Vec<Finding>,
}

/// Every combination of entry, scope and source Region.
pub(super) fn wanted(object: &BedrockAccess, sources: &[Region], account: &Account) -> Parsed<Wanted> {
    let default_scopes = object.spec.routing.as_ref().and_then(|routing| routing.scopes.as_deref());
    let mut wanted = Wanted::default();
    if object.spec.models.is_empty() {
        return invalid("spec.models", "at least one model is needed");
    }
    for (index, entry) in object.spec.models.iter().enumerate() {
        let place = format!("spec.models[{index}]");
        match (&entry.model_id, &entry.inference_profile, &entry.model_arn) {
            (Some(model), None, None) => {
                let scopes = entry.scopes.as_deref().or(default_scopes).unwrap_or_default();
                wanted.add_model(&place, model, scopes, sources)?;
            }
            (None, Some(profile), None) => wanted.add_profile(&place, entry, profile, sources, account)?,
            (None, None, Some(model)) => wanted.add_own_model(&place, model, sources, account)?,
            _ => {
                return invalid(&place, "exactly one of modelId, inferenceProfile and modelArn must be set");
            }
        }
    }
    Ok(wanted)
}

impl Wanted {
    fn add_model(&mut self, place: &str, model: &str, scopes: &[String], sources: &[Region]) -> Parsed<()> {
        let of_model = format!("{place}.modelId");
        if scopes.is_empty() {
            let message = format!(
                "{model} has no scope: set spec.routing.scopes or {place}.scopes, such as [us] or [in-region]"
            );
            return invalid(&of_model, message);
        }
        let of_scopes = format!("{place}.scopes");
        for scope in scopes {
            if scope.contains('.') {
                return invalid(&of_scopes, format!("{scope:?} is not a scope such as us"));
            }
            match model.strip_suffix('*') {
                Some(prefix) => self.add_family(&of_scopes, scope, &field(&of_model, prefix)?, sources)?,
                None => self.add_targets(&of_scopes, scope, &field(&of_model, model)?, sources)?,
            }
        }
        Ok(())
    }

    fn add_targets(&mut self, place: &str, scope: &str, model: &ModelId, sources: &[Region]) -> Parsed<()> {
        let sources = sources.iter().cloned();
        if scope == IN_REGION {
            self.targets.extend(sources.map(|source| Target::OnDemand { source, model: model.clone() }));
            return Ok(());
        }
        let id = ProfileId::of(scope, model).map_err(|error| problem(place, &error.to_string()))?;
        self.targets.extend(sources.map(|source| Target::Profile { source, id: id.clone() }));
        Ok(())
    }

    fn add_family(
        &mut self,
        place: &str,
        scope: &str,
        prefix: &ModelPrefix,
        sources: &[Region],
    ) -> Parsed<()> {
        // The scope is well-formed if it makes a well-formed profile id.
        field::<ProfileId>(place, &format!("{scope}.{prefix}"))?;
        self.families.extend(sources.iter().cloned().map(|source| match scope {
            IN_REGION => Family::OnDemand { source, prefix: prefix.clone() },
            _ => Family::Profiles { source, scope: scope.to_owned(), prefix: prefix.clone() },
        }));
        Ok(())
    }

    /// A system-defined profile by its id means every source Region; by its ARN only the ARN's.
    fn add_profile(
        &mut self,
        place: &str,
        entry: &ModelEntry,
        profile: &str,
        sources: &[Region],
        account: &Account,
    ) -> Parsed<()> {
        let place = format!("{place}.inferenceProfile");
        if entry.scopes.as_ref().is_some_and(|scopes| !scopes.is_empty()) {
            return invalid(&place, "scopes belong to a modelId: an inference profile already has its scope");
        }
        if !profile.starts_with("arn:") {
            let id: ProfileId = field(&place, profile)?;
            let targets = sources.iter().cloned().map(|source| Target::Profile { source, id: id.clone() });
            self.targets.extend(targets);
            return Ok(());
        }
        let arn: InferenceProfileArn = field(&place, profile)?;
        let InferenceProfileArn { partition, account: owner, region: source, profile } = arn.clone();
        let target = match profile {
            Profile::System(id) => Target::Profile { source, id },
            Profile::Application(id) => Target::ApplicationProfile { source, id },
        };
        self.add_owned(&place, &arn, (&partition, &owner), target, sources, account)
    }

    fn add_own_model(
        &mut self,
        place: &str,
        model: &str,
        sources: &[Region],
        account: &Account,
    ) -> Parsed<()> {
        let place = format!("{place}.modelArn");
        let arn: OwnModelArn = field(&place, model)?;
        let OwnModelArn { partition, account: owner, region: source, kind, id } = arn.clone();
        let target = Target::OwnModel { source, kind, id };
        self.add_owned(&place, &arn, (&partition, &owner), target, sources, account)
    }

    /// What is named by an ARN must lie in a source Region and in the role's account.
    fn add_owned(
        &mut self,
        place: &str,
        arn: &impl Display,
        owner: (&Partition, &AccountId),
        target: Target,
        sources: &[Region],
        account: &Account,
    ) -> Parsed<()> {
        if !sources.contains(target.source()) {
            return invalid(place, format!("{} is not one of spec.sourceRegions", target.source()));
        }
        if owner == (&account.partition, &account.id) {
            self.targets.insert(target);
        } else {
            // One entry of another account takes nothing from the others.
            let message =
                format!("{place}: {arn} is not in the role's account {} ({})", account.id, account.partition);
            self.refused.push(Finding::new(Reason::TargetNotAllowed, message));
        }
        Ok(())
    }
}
