//! What exists in which Region: profiles, application profiles and models.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::data;

/// An application inference profile of the sandbox's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplicationProfile {
    /// The Region where it lies.
    pub region: String,
    /// The id that stands in its ARN.
    pub id: String,
    /// The name that its owner gave it.
    pub name: String,
    /// The ARNs of its models.
    pub model_arns: Vec<String>,
    /// Values by key.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// A system-defined profile in one source Region.
#[derive(Clone, Debug)]
pub(super) struct SystemProfile {
    pub(super) name: String,
    pub(super) model_id: String,
    /// Regions, `*` standing for the region-less and the source Region's model of a global profile.
    pub(super) destinations: Vec<String>,
}

/// A foundation model in one Region.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) lifecycle: String,
    pub(super) inference_types: Vec<String>,
}

/// Everything that Bedrock holds, by Region and then by id.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    profiles: BTreeMap<String, BTreeMap<String, SystemProfile>>,
    application_profiles: BTreeMap<String, BTreeMap<String, ApplicationProfile>>,
    models: BTreeMap<String, BTreeMap<String, Model>>,
    /// Tags by the ARN of what belongs to an account, but for application profiles.
    tagged_resources: BTreeMap<String, BTreeMap<String, String>>,
}

impl Catalogue {
    /// The profiles and models of the embedded data.
    pub(crate) fn from_data() -> Self {
        let mut catalogue = Self::default();
        for (id, profile) in data::PROFILES.iter() {
            for (region, destinations) in &profile.routes {
                catalogue.set_profile(region, id, Some(destinations.clone()));
            }
        }
        for (id, regions) in data::ON_DEMAND.iter() {
            for region in regions {
                catalogue.model_or_new(region, id).inference_types.insert(0, "ON_DEMAND".to_owned());
            }
        }
        catalogue
    }

    /// Changes or adds the profile's route from a source Region, and the models it needs; `None` removes it.
    pub(crate) fn set_profile(&mut self, region: &str, id: &str, destinations: Option<Vec<String>>) {
        let Some(destinations) = destinations else {
            self.profiles.entry(region.to_owned()).or_default().remove(id);
            return;
        };
        let model_id = match data::PROFILES.get(id) {
            Some(profile) => profile.model_id.clone(),
            None => id.split_once('.').map_or(id, |(_, model_id)| model_id).to_owned(),
        };
        for at in destinations.iter().filter(|at| *at != "*").map(String::as_str).chain([region]) {
            let types = &mut self.model_or_new(at, &model_id).inference_types;
            if !types.iter().any(|kind| kind == "INFERENCE_PROFILE") {
                types.push("INFERENCE_PROFILE".to_owned());
            }
        }
        let name =
            data::PROFILES.get(id).and_then(|profile| profile.name.clone()).unwrap_or_else(|| spoken(id));
        let profile = SystemProfile { name, model_id, destinations };
        self.profiles.entry(region.to_owned()).or_default().insert(id.to_owned(), profile);
    }

    /// The destinations of a profile from a source Region.
    pub(crate) fn destinations(&self, region: &str, id: &str) -> Option<Vec<String>> {
        Some(self.profile(region, id)?.destinations.clone())
    }

    /// Changes or adds a model's inference types in a Region; `None` removes the model there.
    pub(crate) fn set_model(&mut self, region: &str, id: &str, inference_types: Option<Vec<String>>) {
        match inference_types {
            Some(inference_types) => self.model_or_new(region, id).inference_types = inference_types,
            None => {
                self.models.entry(region.to_owned()).or_default().remove(id);
            }
        }
    }

    /// Adds an application profile, in place of one of the same id.
    pub(crate) fn set_application_profile(&mut self, profile: ApplicationProfile) {
        let profiles = self.application_profiles.entry(profile.region.clone()).or_default();
        profiles.insert(profile.id.clone(), profile);
    }

    /// Removes an application profile.
    pub(crate) fn delete_application_profile(&mut self, region: &str, id: &str) {
        self.application_profiles.entry(region.to_owned()).or_default().remove(id);
    }

    /// Declares a resource with its tags, in place of one of the same ARN.
    pub(crate) fn set_tagged_resource(&mut self, arn: String, tags: BTreeMap<String, String>) {
        self.tagged_resources.insert(arn, tags);
    }

    /// Removes a resource that was declared with its tags.
    pub(crate) fn delete_tagged_resource(&mut self, arn: &str) {
        self.tagged_resources.remove(arn);
    }

    /// The tags of an application profile or of a declared resource.
    pub(crate) fn tags(&self, arn: &str) -> Option<&BTreeMap<String, String>> {
        match application_profile(arn) {
            Some((region, id)) => Some(&self.application_profile(region, id)?.tags),
            None => self.tagged_resources.get(arn),
        }
    }

    /// As [`Catalogue::tags`], to be changed.
    pub(crate) fn tags_mut(&mut self, arn: &str) -> Option<&mut BTreeMap<String, String>> {
        match application_profile(arn) {
            Some((region, id)) => Some(&mut self.application_profiles.get_mut(region)?.get_mut(id)?.tags),
            None => self.tagged_resources.get_mut(arn),
        }
    }

    pub(super) fn profile(&self, region: &str, id: &str) -> Option<&SystemProfile> {
        self.profiles.get(region)?.get(id)
    }

    pub(super) fn application_profile(&self, region: &str, id: &str) -> Option<&ApplicationProfile> {
        self.application_profiles.get(region)?.get(id)
    }

    pub(super) fn model(&self, region: &str, id: &str) -> Option<&Model> {
        self.models.get(region)?.get(id)
    }

    pub(super) fn profiles(&self, region: &str) -> impl Iterator<Item = (&String, &SystemProfile)> {
        self.profiles.get(region).into_iter().flatten()
    }

    pub(super) fn application_profiles(
        &self,
        region: &str,
    ) -> impl Iterator<Item = (&String, &ApplicationProfile)> {
        self.application_profiles.get(region).into_iter().flatten()
    }

    pub(super) fn models(&self, region: &str) -> impl Iterator<Item = (&String, &Model)> {
        self.models.get(region).into_iter().flatten()
    }

    fn model_or_new(&mut self, region: &str, id: &str) -> &mut Model {
        let models = self.models.entry(region.to_owned()).or_default();
        models
            .entry(id.to_owned())
            .or_insert_with(|| Model { lifecycle: lifecycle(id), inference_types: Vec::new() })
    }
}

/// Region and id of an application profile's ARN.
fn application_profile(arn: &str) -> Option<(&str, &str)> {
    let (rest, id) = arn.split_once(":application-inference-profile/")?;
    Some((rest.split(':').nth(3)?, id))
}

fn lifecycle(model_id: &str) -> String {
    let known = data::PROFILES.values().find(|profile| profile.model_id == model_id);
    known.map_or("ACTIVE", |profile| &profile.model_lifecycle).to_owned()
}

/// A name for a profile whose real one is not in the data: the words of its id, at most 64 characters.
fn spoken(id: &str) -> String {
    let (prefix, model_id) = id.split_once('.').unwrap_or(("", id));
    let words = model_id.replace(|character: char| !character.is_ascii_alphanumeric(), " ");
    format!("{} {words}", prefix.to_uppercase()).trim().chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_of_a_profile_exists_at_its_source_and_its_destinations() {
        let catalogue = Catalogue::from_data();
        for (region, profiles) in &catalogue.profiles {
            for profile in profiles.values() {
                assert!(
                    catalogue.model(region, &profile.model_id).is_some(),
                    "{region} {}",
                    profile.model_id
                );
                for at in profile.destinations.iter().filter(|at| *at != "*") {
                    assert!(catalogue.model(at, &profile.model_id).is_some(), "{at} {}", profile.model_id);
                }
            }
        }
    }

    #[test]
    fn on_demand_comes_beside_the_profile_only_where_the_table_says_so() {
        let catalogue = Catalogue::from_data();
        let types = |region, id| catalogue.model(region, id).map(|model| model.inference_types.join(" "));
        assert_eq!(
            types("us-east-1", "amazon.nova-micro-v1:0").as_deref(),
            Some("ON_DEMAND INFERENCE_PROFILE")
        );
        assert_eq!(types("us-west-2", "amazon.nova-micro-v1:0").as_deref(), Some("INFERENCE_PROFILE"));
        assert_eq!(types("us-east-1", "amazon.titan-embed-text-v2:0").as_deref(), Some("ON_DEMAND"));
        assert_eq!(types("us-west-1", "amazon.titan-embed-text-v2:0"), None);
    }

    #[test]
    fn a_new_profile_brings_its_models() {
        let mut catalogue = Catalogue::default();
        catalogue.set_profile("us-east-1", "us.acme.chat-v1:0", Some(vec!["us-west-2".to_owned()]));
        assert!(catalogue.model("us-west-2", "acme.chat-v1:0").is_some());
        catalogue.set_profile("us-east-1", "us.acme.chat-v1:0", None);
        assert!(catalogue.profile("us-east-1", "us.acme.chat-v1:0").is_none());
    }
}
