//! What Bedrock asks IAM when a model is invoked.
//!
//! Sources: Bedrock User Guide, "Geographic cross-Region inference" ("evaluated against every destination Region"), "Global
//! cross-Region inference" (the region-less ARN under `aws:RequestedRegion` = `unspecified`); AWS blog of 2026-08-20 on
//! GPT-5.6 (the key `bedrock:InferenceProfileArn` is set when the foundation model is authorised, and only then).

use crate::bedrock::project::DefaultProjectArn;
use crate::iam::document::Document;
use crate::iam::evaluate::{Decision, Request, Unsupported, evaluate};
use crate::policy::extra::{
    BEARER_TOKEN_TYPE, CALL_WITH_BEARER_TOKEN, COUNT_TOKENS, Extra, GET_FOUNDATION_MODEL, LIST, SHORT_TERM,
    STORED_RESPONSES,
};
use crate::policy::grant::Grant;
use crate::policy::write::{GUARDRAIL_IDENTIFIER, INFERENCE_PROFILE_ARN, REQUESTED_REGION, requested_region};
use crate::want::terms::{Guardrail, Terms};

/// All requests that one invocation by `action`, naming a guardrail or none, makes; it succeeds only if every one is allowed.
pub fn requests(grant: &Grant, action: &str, guardrail: Option<&Guardrail>) -> Vec<Request> {
    let named = guardrail.map(|guardrail| (GUARDRAIL_IDENTIFIER, guardrail.identifier()));
    let request = |resource: String, context: Vec<(&str, String)>| Request {
        action: action.to_owned(),
        resource,
        context: context
            .into_iter()
            .chain(named.clone())
            .map(|(key, value)| (key.to_lowercase(), value))
            .collect(),
    };
    match grant {
        Grant::Profile { arn, models } => {
            let profile = request(arn.to_string(), vec![(REQUESTED_REGION, arn.region.to_string())]);
            let of_models = models.iter().map(|model| {
                let context = vec![
                    (REQUESTED_REGION, requested_region(model)),
                    (INFERENCE_PROFILE_ARN, arn.to_string()),
                ];
                request(model.to_string(), context)
            });
            std::iter::once(profile).chain(of_models).collect()
        }
        Grant::OnDemand { model } => {
            vec![request(model.to_string(), vec![(REQUESTED_REGION, requested_region(model))])]
        }
        Grant::OwnModel { arn } => {
            vec![request(arn.to_string(), vec![(REQUESTED_REGION, arn.region.to_string())])]
        }
    }
}

/// Whether the documents let an invocation through.
///
/// # Errors
///
/// The decision about one of its requests depends on an element whose effect is not known here.
pub fn is_allowed(
    documents: &[&Document],
    grant: &Grant,
    action: &str,
    guardrail: Option<&Guardrail>,
) -> Result<bool, Unsupported> {
    for request in requests(grant, action, guardrail) {
        if evaluate(documents, &request)? != Decision::Allowed {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the documents let every invocation through that the terms allow.
pub fn covers(documents: &[&Document], grant: &Grant, terms: &Terms) -> bool {
    let mut guardrails: Vec<Option<&Guardrail>> = terms.guardrails.iter().map(Some).collect();
    if guardrails.is_empty() {
        guardrails.push(None);
    }
    let is_let_through = |action, guardrail| is_allowed(documents, grant, action, guardrail) == Ok(true);
    let mut actions = terms.operations.actions().iter();
    actions.all(|action| {
        let is_open = |project| evaluate(documents, &in_project(project, action)) == Ok(Decision::Allowed);
        guardrails.iter().all(|guardrail| is_let_through(action, *guardrail))
            && terms.projects.iter().all(is_open)
    })
}

/// All requests that an extra is there for.
pub fn of_extra(extra: &Extra) -> Vec<Request> {
    let request = |action: &str, resource: String, region: String| Request {
        action: action.to_owned(),
        resource,
        context: [(REQUESTED_REGION.to_lowercase(), region)].into(),
    };
    match extra {
        Extra::Discovery { source, models } => {
            let lists = LIST.iter().map(|action| request(action, "*".to_owned(), source.to_string()));
            let about = models
                .iter()
                .map(|model| request(GET_FOUNDATION_MODEL, model.to_string(), requested_region(model)));
            lists.chain(about).collect()
        }
        Extra::StoredResponses { project } => {
            let of_project = |action: &&str| request(action, project.to_string(), project.region.to_string());
            STORED_RESPONSES.iter().map(of_project).collect()
        }
        Extra::ApiKeys => vec![Request {
            action: CALL_WITH_BEARER_TOKEN.to_owned(),
            resource: "*".to_owned(),
            context: [(BEARER_TOKEN_TYPE.to_lowercase(), SHORT_TERM.to_owned())].into(),
        }],
        Extra::CountTokens { model } => {
            vec![request(COUNT_TOKENS, model.to_string(), requested_region(model))]
        }
    }
}

/// Whether the documents let through every request that an extra is there for.
pub fn covers_extra(documents: &[&Document], extra: &Extra) -> bool {
    of_extra(extra).iter().all(|request| evaluate(documents, request) == Ok(Decision::Allowed))
}

/// The request that a call makes about its project: the same action, in the source Region.
pub fn in_project(project: &DefaultProjectArn, action: &str) -> Request {
    let context = [(REQUESTED_REGION.to_lowercase(), project.region.to_string())].into();
    Request { action: action.to_owned(), resource: project.to_string(), context }
}
