//! What may stand in a policy of ours, read from the policy alone and compared with what was asked and answered.

use std::collections::BTreeSet;
use std::str::FromStr;

use bedrock_iam::answer::{Answer, ON_DEMAND};
use bedrock_iam::consent::Consent;
use bedrock_iam::document::{Effect, Statement, Values};
use bedrock_iam::policy::{GUARDRAIL_IDENTIFIER, INFERENCE_PROFILE_ARN, REQUESTED_REGION};
use bedrock_iam::{
    Account, CurrentGrants, Document, FoundationModelArn, Grant, GuardrailArn, InferenceProfileArn,
    OwnModelArn, Profile, Region,
};

use super::extras;
use super::scene::Scene;

const INVOKE: [&str; 2] = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];

const ASK: [&str; 2] = ["bedrock:GetInferenceProfile", "bedrock:ApplyGuardrail"];

/// No wildcard but the two that the product promises, no action beyond those of a grant, no condition that widens one.
pub(crate) fn assert_exact(document: &Document, scene: &Scene) {
    for statement in &document.statement {
        let Statement { not_action, not_resource, action, resource, .. } = statement;
        assert!(not_action.is_empty() && not_resource.is_empty(), "an exclusion: {statement:?}");
        assert!(!action.is_empty() && !resource.is_empty(), "an empty statement: {statement:?}");
        match statement.effect {
            Effect::Allow if extras::is_exact(statement, document, scene) => {}
            Effect::Allow => assert_exact_grant(statement, scene),
            Effect::Deny => assert_denial(statement, scene),
        }
    }
}

fn assert_exact_grant(statement: &Statement, scene: &Scene) {
    let account = &scene.intent.claim.account;
    let invokes = |action: &String| INVOKE.contains(&action.as_str());
    let asks = |action: &String| ASK.contains(&action.as_str());
    assert!(statement.action.iter().all(|action| invokes(action) || asks(action)), "{statement:?}");
    for (operator, keys) in &statement.condition {
        for (key, Values(values)) in keys {
            assert!(!values.is_empty(), "{key} without values: {statement:?}");
            for value in values {
                assert!(
                    is_exact_condition(operator, key, value),
                    "{operator} {key} {value:?}: {statement:?}"
                );
            }
        }
    }
    let projects: BTreeSet<String> = scene.intent.terms.projects.iter().map(ToString::to_string).collect();
    if statement.resource.iter().any(|resource| projects.contains(resource)) {
        assert!(statement.resource.iter().all(|resource| projects.contains(resource)), "{statement:?}");
        assert!(statement.condition.is_empty() && statement.action.iter().all(invokes), "{statement:?}");
        return;
    }
    let profiles = values(statement, INFERENCE_PROFILE_ARN);
    let is_guarded = !values(statement, GUARDRAIL_IDENTIFIER).is_empty();
    if statement.action.iter().any(invokes) {
        assert_eq!(is_guarded, !scene.intent.terms.guardrails.is_empty(), "guardrails: {statement:?}");
    }
    for resource in &statement.resource {
        if exact::<GuardrailArn>(resource).is_some() || is_profile_of(account, resource) {
            continue;
        }
        if let Some(own) = exact::<OwnModelArn>(resource) {
            assert!(statement.action.iter().all(invokes), "more than invoking a model: {statement:?}");
            assert_eq!((&own.account, &own.partition), (&account.id, &account.partition), "{statement:?}");
            continue;
        }
        let Some(model) = model(statement, resource) else {
            panic!("{resource:?} is not exact: {statement:?}")
        };
        assert!(statement.action.iter().all(invokes), "more than invoking a model: {statement:?}");
        assert_eq!(model.partition, account.partition, "another partition: {statement:?}");
        if profiles.is_empty() {
            let null = &statement.condition["Null"][INFERENCE_PROFILE_ARN].0;
            assert_eq!(null[..], ["true"], "a model through any profile: {statement:?}");
            assert!(model.region.is_some(), "on demand in any Region: {statement:?}");
        }
        for profile in &profiles {
            if let Profile::System(id) = profile.parse::<InferenceProfileArn>().unwrap().profile {
                assert_eq!(id.model(), model.model.as_str(), "another model: {statement:?}");
            }
        }
    }
}

fn is_exact_condition(operator: &str, key: &str, value: &str) -> bool {
    match (operator, key) {
        ("StringEquals", INFERENCE_PROFILE_ARN) => exact::<InferenceProfileArn>(value).is_some(),
        ("StringEquals", REQUESTED_REGION) => value == "unspecified" || exact::<Region>(value).is_some(),
        ("StringEquals", GUARDRAIL_IDENTIFIER) => is_guardrail_version(value),
        ("Null", INFERENCE_PROFILE_ARN) => value == "true",
        _ => false,
    }
}

/// The ARN alone for the draft, or the ARN and a number.
fn is_guardrail_version(value: &str) -> bool {
    let numbered = value.rsplit_once(':').filter(|(_, version)| version.parse::<u32>().is_ok());
    exact::<GuardrailArn>(numbered.map_or(value, |(arn, _)| arn)).is_some()
}

fn is_profile_of(account: &Account, resource: &str) -> bool {
    let is_theirs =
        |arn: InferenceProfileArn| arn.account == account.id && arn.partition == account.partition;
    exact(resource).is_some_and(is_theirs)
}

/// The one model that a resource means: by its own ARN, or with `*` for the Regions that the condition lists.
fn model(statement: &Statement, resource: &str) -> Option<FoundationModelArn> {
    exact(resource).or_else(|| {
        let (before, after) = resource.split_once(":*::")?;
        let is_bound = !values(statement, REQUESTED_REGION).is_empty() && statement.resource.len() == 1;
        exact(&format!("{before}:us-east-1::{after}")).filter(|_| is_bound)
    })
}

/// Looks at the text too, so that a wildcard is also found should the types let one through.
pub(super) fn exact<T: FromStr>(text: &str) -> Option<T> {
    let is_pattern = text.contains(['*', '?', '$', '"', ' ']);
    if is_pattern { None } else { text.parse().ok() }
}

fn values<'a>(statement: &'a Statement, key: &str) -> Vec<&'a str> {
    let values = statement.condition.get("StringEquals").and_then(|keys| keys.get(key));
    values.into_iter().flat_map(|values| &values.0).map(String::as_str).collect()
}

fn assert_denial(statement: &Statement, scene: &Scene) {
    assert_eq!(statement.action[..], INVOKE, "{statement:?}");
    let Account { id, partition } = &scene.intent.claim.account;
    let denied: BTreeSet<String> = scene
        .intent
        .terms
        .denied_scopes
        .iter()
        .map(|scope| format!("arn:{partition}:bedrock:*:{id}:inference-profile/{scope}.*"))
        .collect();
    for resource in &statement.resource {
        if resource == "*" {
            assert_eq!(values(statement, REQUESTED_REGION), ["unspecified"], "{statement:?}");
        } else {
            // What only has to be cut back keeps the denials that it had.
            let had = scene.denied_before(resource);
            assert!(denied.contains(resource) || had, "{resource:?} was not to be denied: {statement:?}");
        }
    }
}

/// Nothing is granted that neither Bedrock answered nor the role's policy held, and nothing beyond the lock.
pub(crate) fn assert_founded(document: &Document, scene: &Scene, held: &CurrentGrants) {
    for grant in CurrentGrants::of(document).grants() {
        let target = grant.target().unwrap();
        let answer = scene.answers.targets.get(&target);
        if target.owned(&scene.intent.claim.account).is_some()
            && let Some(Ok(tags)) = scene.answers.tags.get(&target)
        {
            let consent = scene.intent.claim.tenant.consent(tags);
            assert_eq!(consent, Consent::Given, "{grant:?} against its tags");
        }
        let granted: Vec<Option<&Region>> = match &grant {
            Grant::Profile { arn, models } => {
                let answered: &[String] = match answer {
                    Some(Answer::Profile { arn: given, models }) if *given == arn.to_string() => models,
                    _ => &[],
                };
                let held = held.models(arn);
                let is_founded = |model: &&FoundationModelArn| {
                    held.contains(*model) || answered.contains(&model.to_string())
                };
                assert!(models.iter().all(|model| is_founded(&model)), "{grant:?} was never answered");
                models.iter().map(|model| model.region.as_ref()).collect()
            }
            Grant::OnDemand { model } => {
                let is_answered = matches!(answer, Some(Answer::Model { arn, inference_types })
                    if *arn == model.to_string() && inference_types.iter().any(|kind| kind == ON_DEMAND));
                assert!(is_answered || held.on_demand(model), "{grant:?} was never answered");
                vec![model.region.as_ref()]
            }
            Grant::OwnModel { arn } => {
                let has_leave = scene.answers.tags.contains_key(&target);
                assert!(has_leave || held.own_model(arn), "{grant:?} without leave");
                vec![Some(&arn.region)]
            }
        };
        if let Some(lock) = &scene.intent.allowed_destination_regions {
            let is_within = |region: Option<&Region>| region.is_some_and(|region| lock.contains(region));
            assert!(granted.into_iter().all(is_within), "{grant:?} reaches beyond the lock");
        }
    }
}
