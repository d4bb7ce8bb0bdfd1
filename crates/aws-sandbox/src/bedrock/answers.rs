//! What Bedrock answers.

use serde_json::{Value, json};

use super::catalogue::{ApplicationProfile, Catalogue, Model, SystemProfile};
use super::{Request, tagging};
use crate::error::AwsError;
use crate::home::Home;
use crate::page::{self, Page};
use crate::query::Parameters;

/// The date of the data, as the time of every profile.
const TIMESTAMP: &str = "2026-10-27T00:00:00Z";

/// Answers from one Region's point of view.
struct Region<'a> {
    catalogue: &'a Catalogue,
    home: &'a Home,
    name: &'a str,
}

/// The answer's body.
pub(crate) fn execute(
    catalogue: &mut Catalogue,
    home: &Home,
    region: &str,
    request: &Request,
) -> Result<Value, AwsError> {
    let region = Region { catalogue, home, name: region };
    match request {
        Request::GetInferenceProfile { identifier } => region.get_inference_profile(identifier),
        Request::ListInferenceProfiles { query } => region.list_inference_profiles(query),
        Request::GetFoundationModel { identifier } => region.get_foundation_model(identifier),
        Request::ListFoundationModels { query } => region.list_foundation_models(query),
        Request::ListTagsForResource { arn } => region.list_tags(arn.as_deref()),
        Request::TagResource { arn, tags } => {
            let arn = region.tagged(arn.as_deref())?;
            tagging::tag(catalogue, arn, tags.as_deref())
        }
        Request::UntagResource { arn, keys } => {
            let arn = region.tagged(arn.as_deref())?;
            tagging::untag(catalogue, arn, keys.as_deref())
        }
        Request::Unknown => Err(AwsError::new("UnknownOperationException", 404, "No such operation.")),
    }
}

impl Region<'_> {
    fn get_inference_profile(&self, identifier: &str) -> Result<Value, AwsError> {
        let not_found = || {
            AwsError::new("ResourceNotFoundException", 404, "The requested inference profile was not found.")
        };
        let (kind, id) = self.resource(identifier).ok_or_else(not_found)?;
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte)) {
            return Err(invalid(
                "inferenceProfileIdentifier",
                identifier,
                "a valid inference profile id or ARN",
            ));
        }
        let system = || Some(self.system(id, self.catalogue.profile(self.name, id)?));
        let application = || Some(self.application(self.catalogue.application_profile(self.name, id)?));
        match kind {
            Some("inference-profile") => system(),
            Some("application-inference-profile") => application(),
            Some(_) => None,
            None => system().or_else(application),
        }
        .ok_or_else(not_found)
    }

    fn list_inference_profiles(&self, query: &Parameters) -> Result<Value, AwsError> {
        let wanted = |kind: &str| query.get("type").is_none_or(|only| only == kind);
        if !wanted("SYSTEM_DEFINED") && !wanted("APPLICATION") {
            let given = query.get("type").unwrap_or_default();
            return Err(invalid("typeEquals", given, "one of SYSTEM_DEFINED, APPLICATION"));
        }
        let size = match query.get("maxResults") {
            None => 1000,
            Some(text) => {
                let size = text.parse().ok().filter(|size| (1..=1000).contains(size));
                size.ok_or_else(|| invalid("maxResults", text, "between 1 and 1000"))?
            }
        };
        let after = match query.get("nextToken") {
            None => None,
            Some(token) => {
                Some(page::key_of(token).ok_or_else(|| invalid("nextToken", token, "a token of this list"))?)
            }
        };
        let system = self.catalogue.profiles(self.name).filter(|_| wanted("SYSTEM_DEFINED"));
        let application = self.catalogue.application_profiles(self.name).filter(|_| wanted("APPLICATION"));
        let mut all: Vec<(&String, Value)> =
            system.map(|(id, profile)| (id, self.system(id, profile))).collect();
        all.extend(application.map(|(id, profile)| (id, self.application(profile))));
        all.sort_by_key(|(id, _)| *id);
        let page = Page::cut(all.into_iter(), |(id, _)| id, after.as_deref(), size);
        let summaries: Vec<Value> = page.items.into_iter().map(|(_, summary)| summary).collect();
        let mut answer = json!({"inferenceProfileSummaries": summaries});
        if let Some(next) = page.next {
            answer["nextToken"] = next.into();
        }
        Ok(answer)
    }

    fn get_foundation_model(&self, identifier: &str) -> Result<Value, AwsError> {
        let found = match self.resource(identifier) {
            Some((None | Some("foundation-model"), id)) => {
                self.catalogue.model(self.name, id).map(|model| (id, model))
            }
            _ => None,
        };
        let (id, model) = found.ok_or_else(|| {
            let message = "Could not resolve the foundation model from the provided model identifier.";
            AwsError::new("ResourceNotFoundException", 404, message)
        })?;
        Ok(json!({"modelDetails": self.model(id, model)}))
    }

    fn list_foundation_models(&self, query: &Parameters) -> Result<Value, AwsError> {
        let only = query.get("byInferenceType");
        if let Some(unknown) =
            only.filter(|kind| !["ON_DEMAND", "PROVISIONED", "INFERENCE_PROFILE"].contains(kind))
        {
            return Err(invalid(
                "byInferenceType",
                unknown,
                "one of ON_DEMAND, PROVISIONED, INFERENCE_PROFILE",
            ));
        }
        let models = self.catalogue.models(self.name);
        let wanted = models.filter(|(_, model)| {
            only.is_none_or(|only| model.inference_types.iter().any(|kind| kind == only))
        });
        let summaries: Vec<Value> = wanted.map(|(id, model)| self.model(id, model)).collect();
        Ok(json!({"modelSummaries": summaries}))
    }

    fn list_tags(&self, arn: Option<&str>) -> Result<Value, AwsError> {
        let tags = self.catalogue.tags(self.tagged(arn)?).into_iter().flatten();
        let tags: Vec<Value> = tags.map(|(key, value)| json!({"key": key, "value": value})).collect();
        Ok(json!({"tags": tags}))
    }

    /// The ARN of a resource that has tags, or may have some.
    fn tagged<'a>(&self, arn: Option<&'a str>) -> Result<&'a str, AwsError> {
        let arn = arn.ok_or_else(|| invalid("resourceARN", "", "an ARN"))?;
        let is_here = matches!(self.resource(arn), Some((Some(_), _))) && self.catalogue.tags(arn).is_some();
        is_here.then_some(arn).ok_or_else(|| {
            AwsError::new("ResourceNotFoundException", 404, "The requested resource was not found.")
        })
    }

    /// Resource type and id of an ARN of this partition and Region, or a bare id; `None` for another ARN.
    fn resource<'a>(&self, identifier: &'a str) -> Option<(Option<&'a str>, &'a str)> {
        if !identifier.starts_with("arn:") {
            return Some((None, identifier));
        }
        let parts: Vec<&str> = identifier.splitn(6, ':').collect();
        let [_, partition, "bedrock", region, account, resource] = parts[..] else {
            return None;
        };
        let (kind, id) = resource.split_once('/')?;
        let owner = if kind == "foundation-model" { "" } else { &self.home.account };
        let ours = partition == self.home.partition && region == self.name && account == owner;
        ours.then_some((Some(kind), id))
    }

    fn system(&self, id: &str, profile: &SystemProfile) -> Value {
        let (mut arns, mut places) = (Vec::new(), Vec::new());
        for destination in &profile.destinations {
            if destination == "*" {
                arns.extend([
                    self.model_arn("", &profile.model_id),
                    self.model_arn(self.name, &profile.model_id),
                ]);
            } else {
                arns.push(self.model_arn(destination, &profile.model_id));
                places.push(destination.as_str());
            }
        }
        let route = match places[..] {
            [] => "globally across all supported AWS Regions".to_owned(),
            [one] => format!("in {one}"),
            [ref others @ .., last] => format!("in {} and {last}", others.join(", ")),
        };
        let arn = self.arn("inference-profile", id);
        let description = format!("Routes requests to {} {route}.", profile.model_id);
        let mut summary = inference_profile(&profile.name, id, &arn, &arns, "SYSTEM_DEFINED");
        summary["description"] = description.into();
        summary
    }

    fn application(&self, profile: &ApplicationProfile) -> Value {
        let arn = self.arn("application-inference-profile", &profile.id);
        inference_profile(&profile.name, &profile.id, &arn, &profile.model_arns, "APPLICATION")
    }

    fn model(&self, id: &str, model: &Model) -> Value {
        json!({
            "modelArn": self.model_arn(self.name, id),
            "modelId": id,
            "inferenceTypesSupported": model.inference_types,
            "modelLifecycle": {"status": model.lifecycle},
        })
    }

    fn arn(&self, kind: &str, id: &str) -> String {
        format!("arn:{}:bedrock:{}:{}:{kind}/{id}", self.home.partition, self.name, self.home.account)
    }

    fn model_arn(&self, region: &str, id: &str) -> String {
        format!("arn:{}:bedrock:{region}::foundation-model/{id}", self.home.partition)
    }
}

fn inference_profile(name: &str, id: &str, arn: &str, model_arns: &[String], kind: &str) -> Value {
    let models: Vec<Value> = model_arns.iter().map(|arn| json!({"modelArn": arn})).collect();
    json!({
        "inferenceProfileName": name,
        "inferenceProfileArn": arn,
        "inferenceProfileId": id,
        "models": models,
        "status": "ACTIVE",
        "type": kind,
        "createdAt": TIMESTAMP,
        "updatedAt": TIMESTAMP,
    })
}

pub(super) fn invalid(member: &str, value: &str, demand: &str) -> AwsError {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must be {demand}"
    );
    AwsError::new("ValidationException", 400, message)
}
