use std::collections::BTreeSet;

use bedrock_iam::policy::{self, Form};
use bedrock_iam::{
    Account, CanonicalPolicy, DefaultProjectArn, Document, FoundationModelArn, Grant, InferenceProfileArn,
    ModelId, Operations, Profile, ProfileId, Region, Terms, invocation,
};
use local_cluster::SandboxProcess;
use serde_json::{Value, json};

use crate::Outcome;
use crate::fleet::{CORE, HOME, Member, TYPO};
use crate::routes::Routes;

/// What an object's spec asks for once Bedrock answers everything in full.
pub(crate) struct Expected {
    grants: Vec<Grant>,
    terms: Terms,
    /// The policy in either of its forms.
    meanings: [CanonicalPolicy; 2],
    pub(crate) has_typo: bool,
}

impl Expected {
    pub(crate) fn of(member: Member, spec: &Value, routes: &Routes) -> Outcome<Self> {
        let (mut grants, mut has_typo) = (Vec::new(), false);
        for source in texts(&spec["sourceRegions"]) {
            for model in spec["models"].as_array().into_iter().flatten() {
                if let Some(profile) = model["inferenceProfile"].as_str() {
                    has_typo |= profile == TYPO;
                    if profile != TYPO {
                        grants.push(through_profile(source, profile, routes)?);
                    }
                }
                let id = model["modelId"].as_str().unwrap_or_default();
                for scope in texts(&model["scopes"]) {
                    grants.push(match scope {
                        "in-region" => Grant::OnDemand { model: model_in(Some(source), id)? },
                        _ => through_profile(source, &format!("{scope}.{id}"), routes)?,
                    });
                }
            }
        }
        let terms = terms(spec)?;
        let (identity, account) = (member.identity(), account()?);
        let meaning = |form| {
            let document = policy::document(&identity, &account, &grants, &terms, form);
            document.as_ref().map(CanonicalPolicy::of).unwrap_or_default()
        };
        let meanings = [meaning(Form::Explicit), meaning(Form::Factored)];
        Ok(Self { grants, terms, meanings, has_typo })
    }

    /// Whether the policy means exactly what is wanted, and lets every call through.
    pub(crate) fn is_met_by(&self, held: &str) -> bool {
        let Ok(document) = Document::parse(held) else { return false };
        self.meanings.contains(&CanonicalPolicy::of(&document))
            && self.grants.iter().all(|grant| invocation::covers(&[&document], grant, &self.terms))
    }

    /// Whether the status lists the same grants.
    pub(crate) fn is_told_by(&self, status: &Value) -> bool {
        let told = status["grants"].as_array().into_iter().flatten().map(|grant| {
            json!([grant["kind"], grant["id"], grant["sourceRegion"], grant["destinationRegions"]])
                .to_string()
        });
        let told: BTreeSet<String> = told.collect();
        told == self.grants.iter().map(as_told).collect()
    }
}

/// Whether the policy grants what every manifest wants from its first source Region.
pub(crate) fn grants_core(held: &str, routes: &Routes) -> Outcome<bool> {
    let grant = through_profile(HOME, &format!("{}.{}", CORE.0, CORE.1), routes)?;
    let projects = [project(HOME)?].into();
    let terms = Terms { operations: Operations::Invoke, projects, ..Terms::default() };
    Ok(Document::parse(held).is_ok_and(|document| invocation::covers(&[&document], &grant, &terms)))
}

fn terms(spec: &Value) -> Outcome<Terms> {
    let operations = match texts(&spec["operations"]).as_slice() {
        ["InvokeModel"] => Operations::Invoke,
        _ => Operations::Both,
    };
    let denied =
        texts(&spec["routing"]["deniedScopes"]).into_iter().map(str::parse).collect::<Result<_, _>>()?;
    let projects = texts(&spec["sourceRegions"]).into_iter().map(project).collect::<Outcome<_>>()?;
    Ok(Terms { operations, projects, denied_scopes: denied, ..Terms::default() })
}

fn project(source: &str) -> Outcome<DefaultProjectArn> {
    Ok(DefaultProjectArn::of(&account()?, &source.parse()?))
}

fn through_profile(source: &str, profile: &str, routes: &Routes) -> Outcome<Grant> {
    let id: ProfileId = profile.parse()?;
    let destinations =
        routes.of(source, profile).ok_or_else(|| format!("no route of {profile} in {source}"))?;
    let model = id.model().to_owned();
    let models = match destinations {
        [anywhere] if anywhere == "*" => [model_in(None, &model)?, model_in(Some(source), &model)?].into(),
        regions => {
            regions.iter().map(|region| model_in(Some(region), &model)).collect::<Outcome<BTreeSet<_>>>()?
        }
    };
    let Account { id: account, partition } = account()?;
    let arn =
        InferenceProfileArn { partition, region: source.parse()?, account, profile: Profile::System(id) };
    Ok(Grant::Profile { arn, models })
}

fn model_in(region: Option<&str>, model: &str) -> Outcome<FoundationModelArn> {
    let region: Option<Region> = region.map(str::parse).transpose()?;
    let model: ModelId = model.parse()?;
    Ok(FoundationModelArn { partition: "aws".parse()?, region, model })
}

fn account() -> Outcome<Account> {
    Ok(Account { id: SandboxProcess::ACCOUNT.parse()?, partition: "aws".parse()? })
}

fn as_told(grant: &Grant) -> String {
    let region =
        |model: &FoundationModelArn| model.region.as_ref().map_or("*".to_owned(), ToString::to_string);
    match grant {
        Grant::Profile { arn, models } => {
            let anywhere = models.iter().any(|model| model.region.is_none());
            let destinations: Vec<String> = models.iter().map(region).collect();
            let destinations = if anywhere { vec!["*".to_owned()] } else { destinations };
            json!(["InferenceProfile", arn.profile.id(), arn.region.as_str(), destinations]).to_string()
        }
        Grant::OnDemand { model } => {
            json!(["FoundationModel", model.model.as_str(), region(model), [region(model)]]).to_string()
        }
        Grant::OwnModel { arn } => arn.to_string(),
    }
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::members;

    const US: &str = "us.amazon.nova-2-lite-v1:0";

    fn written(routes: &Routes) -> String {
        let member = members().next().unwrap();
        let grant = through_profile(HOME, US, routes).unwrap();
        let terms = terms(&json!({"sourceRegions": [HOME]})).unwrap();
        let document =
            policy::document(&member.identity(), &account().unwrap(), &[grant], &terms, Form::Explicit);
        document.unwrap().to_json()
    }

    #[test]
    fn only_the_policy_of_the_whole_route_is_what_the_spec_wants() {
        let whole = Routes::from(&[(HOME, US, &["us-east-1", "us-west-2"])]);
        let shorter = Routes::from(&[(HOME, US, &["us-east-1"])]);
        let longer = Routes::from(&[(HOME, US, &["us-east-1", "us-west-2", "us-east-2"])]);
        let spec = json!({"sourceRegions": [HOME], "models": [{"modelId": CORE.1, "scopes": ["us"]}]});
        let expected = Expected::of(members().next().unwrap(), &spec, &whole).unwrap();
        assert!(expected.is_met_by(&written(&whole)));
        assert!(!expected.is_met_by(&written(&shorter)));
        assert!(!expected.is_met_by(&written(&longer)));
        assert!(!expected.is_met_by(""));
        assert!(grants_core(&written(&longer), &whole).unwrap());
        assert!(!grants_core(&written(&shorter), &whole).unwrap());
    }
}
