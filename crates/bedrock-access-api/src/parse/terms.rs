use std::collections::BTreeSet;

use bedrock_iam::{
    Account, DefaultProjectArn, Extras, Guardrail, GuardrailArn, Operations, Region, Scope, Terms,
};

use super::{Parsed, field, invalid};
use crate::rules::APPLICATION;
use crate::v1alpha1::{BedrockAccess, DEFAULT_PROJECT, SHORT_TERM};

/// The version of a guardrail that is still being edited.
const DRAFT: &str = "DRAFT";

const COUNT_TOKENS: &str = "CountTokens";

/// On what terms the manifest's models may be called.
pub(super) fn terms(object: &BedrockAccess, sources: &[Region], account: &Account) -> Parsed<Terms> {
    Ok(Terms {
        operations: operations(object.spec.operations.as_deref())?,
        projects: projects(object.spec.projects.as_deref(), sources, account)?,
        guardrails: guardrails(object, account)?,
        withheld: BTreeSet::new(),
        denied_scopes: denied_scopes(object)?,
        extras: extras(object, sources, account)?,
    })
}

fn operations(operations: Option<&[String]>) -> Parsed<Operations> {
    let place = "spec.operations";
    let Some(operations) = operations else {
        return Ok(Operations::Both);
    };
    let (mut invoke, mut stream) = (false, false);
    for operation in operations {
        match operation.as_str() {
            "InvokeModel" => invoke = true,
            "InvokeModelWithResponseStream" => stream = true,
            COUNT_TOKENS => {}
            other => {
                let message = format!(
                    "{other:?} is none of InvokeModel, InvokeModelWithResponseStream and {COUNT_TOKENS}"
                );
                return invalid(place, message);
            }
        }
    }
    match (invoke, stream) {
        (true, true) => Ok(Operations::Both),
        (true, false) => Ok(Operations::Invoke),
        (false, true) => Ok(Operations::Stream),
        (false, false) => invalid(place, "InvokeModel, InvokeModelWithResponseStream or both are needed"),
    }
}

fn projects(
    projects: Option<&[String]>,
    sources: &[Region],
    account: &Account,
) -> Parsed<BTreeSet<DefaultProjectArn>> {
    let projects = projects.unwrap_or(&[]).iter().map(String::as_str);
    if let Some(other) = projects.clone().find(|project| *project != DEFAULT_PROJECT) {
        return invalid(
            "spec.projects",
            format!("{other:?} is not {DEFAULT_PROJECT}, the only project so far"),
        );
    }
    let of_source = |source| DefaultProjectArn::of(account, source);
    Ok(projects.take(1).flat_map(|_| sources.iter().map(of_source)).collect())
}

fn extras(object: &BedrockAccess, sources: &[Region], account: &Account) -> Parsed<Extras> {
    let mut profiles = object.spec.models.iter().filter_map(|entry| entry.inference_profile.as_ref());
    let responses = object.spec.responses;
    if responses && profiles.any(|profile| profile.contains(APPLICATION)) {
        let message = "the Responses API takes no application inference profile: name a system profile or a model in its place, or leave \
             responses out";
        return invalid("spec.responses", message);
    }
    let api_keys = object.spec.api_keys.as_deref();
    if let Some(other) = api_keys.filter(|kind| *kind != SHORT_TERM) {
        return invalid(
            "spec.apiKeys",
            format!("{other:?} is not {SHORT_TERM}, the only kind that is granted"),
        );
    }
    let mut operations = object.spec.operations.iter().flatten();
    Ok(Extras {
        discovery: sources.iter().filter(|_| object.spec.discovery).cloned().collect(),
        count_tokens: operations.any(|operation| operation == COUNT_TOKENS),
        stored_responses: sources
            .iter()
            .filter(|_| responses)
            .map(|source| DefaultProjectArn::of(account, source))
            .collect(),
        api_keys: api_keys.is_some(),
    })
}

/// What counts tokens runs in the source Region itself.
pub(super) fn within_lock(
    terms: &Terms,
    sources: &[Region],
    allowed: Option<&BTreeSet<Region>>,
) -> Parsed<()> {
    let is_outside = |source: &&Region| allowed.is_some_and(|allowed| !allowed.contains(*source));
    match sources.iter().find(is_outside).filter(|_| terms.extras.count_tokens) {
        Some(source) => {
            let message = format!(
                "{COUNT_TOKENS} runs in the source Region, and routing.allowedDestinationRegions leaves {source} out: add it there, or \
                 take {COUNT_TOKENS} out of operations"
            );
            invalid("spec.operations", message)
        }
        None => Ok(()),
    }
}

fn guardrails(object: &BedrockAccess, account: &Account) -> Parsed<BTreeSet<Guardrail>> {
    let guardrails = object.spec.guardrails.iter().flatten().enumerate();
    let parsed = guardrails.map(|(index, guardrail)| {
        let place = format!("spec.guardrails[{index}]");
        let arn: GuardrailArn = field(&format!("{place}.arn"), &guardrail.arn)?;
        if arn.partition != account.partition {
            let message = format!("{arn} is not in the role's partition {}", account.partition);
            return invalid(&format!("{place}.arn"), message);
        }
        let version = match guardrail.version.as_str() {
            DRAFT => None,
            number => match number.parse() {
                Ok(number) => Some(number),
                Err(_) => {
                    return invalid(
                        &format!("{place}.version"),
                        format!("{number:?} is neither a number nor DRAFT"),
                    );
                }
            },
        };
        Ok(Guardrail { arn, version })
    });
    parsed.collect()
}

/// What is wanted and denied at once would never be allowed.
fn denied_scopes(object: &BedrockAccess) -> Parsed<BTreeSet<Scope>> {
    let place = "spec.routing.deniedScopes";
    let routing = object.spec.routing.as_ref();
    let denied = routing.and_then(|routing| routing.denied_scopes.as_ref()).into_iter().flatten();
    let denied: BTreeSet<Scope> = denied.map(|scope| field(place, scope)).collect::<Parsed<_>>()?;
    let default = routing.and_then(|routing| routing.scopes.as_ref());
    let scopes = object.spec.models.iter().filter(|entry| entry.model_id.is_some());
    let scopes = scopes.filter_map(|entry| entry.scopes.as_ref().or(default)).flatten();
    let profiles = object.spec.models.iter().filter_map(|entry| entry.inference_profile.as_deref());
    let of_profiles = profiles.filter_map(|profile| Some(profile.rsplit('/').next()?.split_once('.')?.0));
    let wanted: BTreeSet<&str> = scopes.map(String::as_str).chain(of_profiles).collect();
    match denied.iter().find(|scope| wanted.contains(scope.as_str())) {
        Some(scope) => invalid(place, format!("{scope} is also wanted: take it out of one of the two")),
        None => Ok(denied),
    }
}
