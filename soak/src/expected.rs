use std::collections::BTreeSet;

use bedrock_iam::policy::{self, Form};
use bedrock_iam::{
    Account, CanonicalPolicy, CurrentGrants, DefaultProjectArn, Document, FoundationModelArn, Grant,
    Guardrail, InferenceProfileArn, ModelId, Operations, Profile, ProfileId, Region, Terms, authorisation,
};
use local_cluster::SandboxProcess;
use serde_json::{Value, json};

use crate::Outcome;
use crate::fleet::{CORE, HOME, Member, TYPO};
use crate::manifest::{FAMILY, LOCK};
use crate::routes::Routes;
use crate::targets::Owned;

/// What an object's spec asks for once Bedrock answers everything in full.
pub(crate) struct Expected {
    grants: Vec<Grant>,
    terms: Terms,
    /// The policy in either of its forms.
    meanings: [CanonicalPolicy; 2],
    /// Why something of it is not granted, first what is told first.
    pub(crate) against: BTreeSet<Against>,
}

/// Why something that a spec names is not granted; in the order in which `Ready` gives the reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Against {
    ProfileNotFound,
    DestinationNotAllowed,
    TargetNotAllowed,
}

/// What decides beside the spec.
#[derive(Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) member: Member,
    pub(crate) routes: &'a Routes,
    /// Whether the target that the member's manifests name lets it be used.
    pub(crate) has_target: bool,
    /// What of the policy is the operators' own: a route that came to reach beyond a lock keeps what it had.
    pub(crate) held: Option<&'a Document>,
}

impl Expected {
    pub(crate) fn of(spec: &Value, circumstances: Circumstances<'_>) -> Outcome<Self> {
        let Circumstances { member, routes, has_target, held } = circumstances;
        let held = held.map(CurrentGrants::of).unwrap_or_default();
        let has_lock = !spec["routing"]["allowedDestinationRegions"].is_null();
        let (mut grants, mut against) = (Vec::new(), BTreeSet::new());
        for source in texts(&spec["sourceRegions"]) {
            for wanted in wanted(source, spec, routes)? {
                match wanted {
                    Wanted::Nothing => {
                        against.insert(Against::ProfileNotFound);
                    }
                    Wanted::Owned(_) if !has_target => {
                        against.insert(Against::TargetNotAllowed);
                    }
                    Wanted::Owned(grant) | Wanted::Granted(grant) if has_lock => {
                        let (grant, is_whole) = behind_lock(grant, &held);
                        grants.extend(grant);
                        against.extend((!is_whole).then_some(Against::DestinationNotAllowed));
                    }
                    Wanted::Owned(grant) | Wanted::Granted(grant) => grants.push(grant),
                }
            }
        }
        let mut terms = terms(spec)?;
        if let Some(guardrail) = spec["guardrails"][0]["arn"].as_str().filter(|_| !has_target) {
            against.insert(Against::TargetNotAllowed);
            terms.withheld.insert(guardrail.parse().map_err(|_| "no guardrail's ARN")?);
        }
        let (identity, account) = (member.identity(), account()?);
        let meaning = |form| {
            let document = policy::document(&identity, &account, &grants, &terms, form);
            document.as_ref().map(CanonicalPolicy::of).unwrap_or_default()
        };
        let meanings = [meaning(Form::Explicit), meaning(Form::Factored)];
        Ok(Self { grants, terms, meanings, against })
    }

    /// Whether our part of the policy means exactly what is wanted, and lets every call through.
    pub(crate) fn is_met_by(&self, ours: &Document) -> bool {
        self.meanings.contains(&CanonicalPolicy::of(ours))
            && self.grants.iter().all(|grant| authorisation::covers(&[ours], grant, &self.terms))
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

/// What one entry of a spec asks for in one source Region.
enum Wanted {
    Granted(Grant),
    Owned(Grant),
    Nothing,
}

fn wanted(source: &str, spec: &Value, routes: &Routes) -> Outcome<Vec<Wanted>> {
    let mut all = Vec::new();
    for model in spec["models"].as_array().into_iter().flatten() {
        if let Some(profile) = model["inferenceProfile"].as_str() {
            all.push(match Owned::profile_of(profile) {
                Some((owned, arn)) => Wanted::Owned(Grant::Profile { arn, models: own_models(owned)? }),
                None if profile == TYPO => Wanted::Nothing,
                None => Wanted::Granted(through_profile(source, profile, routes)?),
            });
        }
        let id = model["modelId"].as_str().unwrap_or_default();
        for scope in texts(&model["scopes"]) {
            if id == FAMILY.0 {
                for profile in routes.family(source, FAMILY.1) {
                    all.push(Wanted::Granted(through_profile(source, profile, routes)?));
                }
                continue;
            }
            all.push(Wanted::Granted(match scope {
                "in-region" => Grant::OnDemand { model: model_in(Some(source), id)? },
                _ => through_profile(source, &format!("{scope}.{id}"), routes)?,
            }));
        }
    }
    Ok(all)
}

fn own_models(owned: Owned) -> Outcome<BTreeSet<FoundationModelArn>> {
    owned.models().iter().map(|model| Ok(model.parse().map_err(|_| format!("no model: {model}"))?)).collect()
}

/// What the lock leaves of a grant, and whether that is all of it.
fn behind_lock(grant: Grant, held: &CurrentGrants) -> (Option<Grant>, bool) {
    let is_within = |models: &BTreeSet<FoundationModelArn>| {
        let mut regions = models.iter().map(|model| model.region.as_ref().map(ToString::to_string));
        regions.all(|region| region.is_some_and(|region| LOCK.contains(&region.as_str())))
    };
    match grant {
        Grant::Profile { arn, models } if !is_within(&models) => {
            let kept = held.models(&arn);
            let is_kept = !kept.is_empty() && is_within(&kept) && kept.is_subset(&models);
            (is_kept.then_some(Grant::Profile { arn, models: kept }), false)
        }
        grant => (Some(grant), true),
    }
}

/// Whether the policy grants what every manifest of the member wants from its first source Region.
pub(crate) fn grants_core(member: Member, held: &str, routes: &Routes) -> Outcome<bool> {
    let grant = through_profile(HOME, &format!("{}.{}", CORE.0, CORE.1), routes)?;
    let projects = [project(HOME)?].into();
    let guardrails = guardrails(member.owned())?;
    let terms = Terms { operations: Operations::Invoke, projects, guardrails, ..Terms::default() };
    Ok(Document::parse(held).is_ok_and(|document| authorisation::covers(&[&document], &grant, &terms)))
}

fn guardrails(owned: Option<Owned>) -> Outcome<BTreeSet<Guardrail>> {
    let Some(guardrail @ Owned::Guardrail(_)) = owned else { return Ok(BTreeSet::new()) };
    let (_, arn) = Owned::guardrail_of(&guardrail.arn())?;
    Ok([Guardrail { arn, version: Some(1) }].into())
}

fn terms(spec: &Value) -> Outcome<Terms> {
    let operations = match texts(&spec["operations"]).as_slice() {
        ["InvokeModel"] => Operations::Invoke,
        _ => Operations::Both,
    };
    let denied =
        texts(&spec["routing"]["deniedScopes"]).into_iter().map(str::parse).collect::<Result<_, _>>()?;
    let projects = texts(&spec["sourceRegions"]).into_iter().map(project).collect::<Outcome<_>>()?;
    let guardrail = spec["guardrails"][0]["arn"].as_str();
    let guardrails = guardrails(guardrail.map(Owned::guardrail_of).transpose()?.map(|(owned, _)| owned))?;
    Ok(Terms { operations, projects, guardrails, denied_scopes: denied, ..Terms::default() })
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
            let id = match &arn.profile {
                Profile::System(id) => id.to_string(),
                Profile::Application(_) => arn.to_string(),
            };
            json!(["InferenceProfile", id, arn.region.as_str(), destinations]).to_string()
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
pub(crate) mod tests {
    use super::*;
    use crate::fleet::members;

    const US: &str = "us.amazon.nova-2-lite-v1:0";

    /// The policy of the first member that calls the core profile alone.
    pub(crate) fn written(routes: &Routes) -> Document {
        let member = members().next().unwrap();
        let grant = through_profile(HOME, US, routes).unwrap();
        let terms = terms(&json!({"sourceRegions": [HOME]})).unwrap();
        policy::document(&member.identity(), &account().unwrap(), &[grant], &terms, Form::Explicit).unwrap()
    }

    fn expected(spec: &Value, routes: &Routes, has_target: bool, held: Option<&Document>) -> Expected {
        let member = members().next().unwrap();
        Expected::of(spec, Circumstances { member, routes, has_target, held }).unwrap()
    }

    #[test]
    fn only_the_policy_of_the_whole_route_is_what_the_spec_wants() {
        let whole = Routes::from(&[(HOME, US, &["us-east-1", "us-west-2"])]);
        let shorter = Routes::from(&[(HOME, US, &["us-east-1"])]);
        let longer = Routes::from(&[(HOME, US, &["us-east-1", "us-west-2", "us-east-2"])]);
        let spec = json!({"sourceRegions": [HOME], "models": [{"modelId": CORE.1, "scopes": ["us"]}]});
        let expected = expected(&spec, &whole, true, None);
        assert!(expected.is_met_by(&written(&whole)));
        assert!(!expected.is_met_by(&written(&shorter)));
        assert!(!expected.is_met_by(&written(&longer)));
        let grants_core =
            |written: &Document| grants_core(members().next().unwrap(), &written.to_json(), &whole).unwrap();
        assert!(grants_core(&written(&longer)) && !grants_core(&written(&shorter)));
    }

    #[test]
    fn a_route_that_came_to_reach_beyond_a_lock_keeps_what_it_had_and_no_more() {
        let within = Routes::from(&[(HOME, US, &["us-east-1", "us-west-2"])]);
        let beyond = Routes::from(&[(HOME, US, &["us-east-1", "us-west-2", "eu-west-1"])]);
        let spec = json!({
            "sourceRegions": [HOME], "models": [{"modelId": CORE.1, "scopes": ["us"]}],
            "routing": {"allowedDestinationRegions": LOCK},
        });
        let before = written(&within);
        let kept = expected(&spec, &beyond, true, Some(&before));
        assert!(kept.is_met_by(&before) && kept.against == [Against::DestinationNotAllowed].into());
        assert!(expected(&spec, &beyond, true, None).grants.is_empty());
        assert!(expected(&spec, &beyond, true, Some(&written(&beyond))).grants.is_empty());
        assert!(expected(&spec, &within, true, None).against.is_empty());
    }

    #[test]
    fn a_target_that_does_not_consent_is_not_granted() {
        let routes = Routes::from(&[]);
        let spec = json!({
            "sourceRegions": [HOME], "models": [{"inferenceProfile": Owned::Profile(0).arn()}],
            "guardrails": [{"arn": Owned::Guardrail(0).arn(), "version": "1"}],
        });
        let given = expected(&spec, &routes, true, None);
        assert!(given.grants.len() == 1 && given.against.is_empty() && given.terms.withheld.is_empty());
        let refused = expected(&spec, &routes, false, None);
        assert!(refused.grants.is_empty() && refused.terms.withheld.len() == 1);
        assert_eq!(refused.against, [Against::TargetNotAllowed].into());
    }
}
