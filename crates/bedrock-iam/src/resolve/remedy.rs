//! What a person could do about a target that Bedrock does not know: from the profiles that it lists to the words of a finding.

use super::Judge;
use crate::names::arn::{InferenceProfileArn, Profile};
use crate::names::identifier::{ModelId, ProfileId, Region};
use crate::say::finding::Finding;
use crate::say::reason::Reason;

impl Judge<'_> {
    fn listed(&self, source: &Region) -> impl Iterator<Item = &ProfileId> {
        // A list that could not be had only makes a message less helpful.
        self.answers.profiles.get(source).into_iter().flatten().flatten()
    }

    fn offering(&self, source: &Region, model: &str) -> Vec<&ProfileId> {
        self.listed(source).filter(|id| id.model() == model).collect()
    }

    /// What the user may have meant.
    pub(super) fn closest(&self, source: &Region, model: &str) -> String {
        let listed = self.listed(source).map(ProfileId::model);
        let distances = listed.map(|candidate| (strsim::damerau_levenshtein(candidate, model), candidate));
        let closest = distances.filter(|(distance, _)| distance * 5 <= model.len()).min();
        closest.map_or_else(
            || "check the id and the Region".to_owned(),
            |(_, candidate)| format!("did you mean {candidate}?"),
        )
    }

    pub(super) fn profile_not_found(&self, arn: &InferenceProfileArn) -> Finding {
        let source = &arn.region;
        let message = match &arn.profile {
            Profile::System(id) => {
                let remedy = self.scopes_instead(id, source);
                format!("inference profile {id} does not exist in {source}; {remedy}")
            }
            Profile::Application(_) => {
                format!("application inference profile {arn} does not exist; check the ARN")
            }
        };
        Finding::new(Reason::ProfileNotFound, message)
    }

    fn scopes_instead(&self, id: &ProfileId, source: &Region) -> String {
        if self.listed(source).any(|listed| listed.model() == id.as_str()) {
            return format!("{id} is a model's id: write it as modelId, with scopes");
        }
        let scopes: Vec<&str> = self.offering(source, id.model()).into_iter().map(ProfileId::scope).collect();
        if scopes.is_empty() {
            format!("no scope offers model {} there; {}", id.model(), self.closest(source, id.model()))
        } else {
            format!("model {} is offered there in scope {}", id.model(), scopes.join(", "))
        }
    }

    pub(super) fn on_demand_not_supported(&self, model: &ModelId, source: &Region) -> String {
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

/// How the user says that less is right.
pub(super) fn accept(id: &str, source: &Region) -> String {
    format!("if this is right, accept it by the annotation bedrockaccess.io/accept-shrink: {id}@{source}")
}
