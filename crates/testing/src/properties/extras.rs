//! What may stand in a policy of ours beside grants, read from its statements alone.

use std::collections::BTreeSet;

use bedrock_iam::document::{Effect, Statement, Values};
use bedrock_iam::policy::REQUESTED_REGION;
use bedrock_iam::{CurrentGrants, Document, FoundationModelArn, Grant};

use super::exactness::exact;
use super::scene::Scene;

/// Fails where a statement is not what it must be, in this scene and beside these grants.
type Check = fn(&Statement, &Scene, &[Grant]);

/// Actions that no other statement may hold, and what such a statement must be.
const RULES: [(&[&str], Check); 4] = [
    (&["bedrock:CallWithBearerToken"], is_for_short_term_keys),
    (
        &[
            "bedrock:ListFoundationModels",
            "bedrock:ListInferenceProfiles",
            "bedrock:GetFoundationModelAvailability",
        ],
        lists_in_source_regions,
    ),
    (&["bedrock:GetInvoke", "bedrock:CancelInvoke", "bedrock:DeleteInvoke"], is_about_default_projects),
    (&["bedrock:GetFoundationModel", "bedrock:CountTokens"], is_about_granted_models),
];

/// Whether the statement is there for an extra; it then holds nothing else, and no more of it than was asked for.
pub(super) fn is_exact(statement: &Statement, document: &Document, scene: &Scene) -> bool {
    let Some((actions, check)) = RULES
        .iter()
        .find(|(actions, _)| statement.action.iter().any(|held| actions.contains(&held.as_str())))
    else {
        return false;
    };
    let is_one = |action: &String| actions.contains(&action.as_str());
    assert!(statement.action.iter().all(is_one), "{statement:?}");
    assert_eq!(statement.effect, Effect::Allow, "{statement:?}");
    check(statement, scene, &CurrentGrants::of(document).grants());
    true
}

fn lists_in_source_regions(statement: &Statement, scene: &Scene, _: &[Grant]) {
    assert_eq!(statement.resource[..], ["*"], "{statement:?}");
    assert_eq!(statement.action.len(), 3, "{statement:?}");
    let regions = the_condition(statement, REQUESTED_REGION);
    let wanted = &scene.intent.terms.extras.discovery;
    // What only has to be cut back keeps what it had.
    let is_wanted = |region: &String| wanted.iter().any(|source| source.as_str() == region);
    assert!(regions.iter().all(|region| is_wanted(region) || scene.held_before(region)), "{statement:?}");
}

fn is_about_default_projects(statement: &Statement, scene: &Scene, _: &[Grant]) {
    assert!(statement.action.len() == 3 && statement.condition.is_empty(), "{statement:?}");
    let wanted = &scene.intent.terms.extras.stored_responses;
    let is_wanted = |resource: &String| wanted.iter().any(|project| project.to_string() == *resource);
    let is_known = |resource: &String| is_wanted(resource) || scene.stored_before(resource);
    assert!(statement.resource.iter().all(is_known), "{statement:?}");
}

fn is_for_short_term_keys(statement: &Statement, scene: &Scene, _: &[Grant]) {
    assert_eq!(statement.resource[..], ["*"], "{statement:?}");
    assert_eq!(the_condition(statement, "bedrock:BearerTokenType")[..], ["SHORT_TERM"], "{statement:?}");
    assert!(scene.intent.terms.extras.api_keys || scene.had_api_keys(), "{statement:?}");
}

fn is_about_granted_models(statement: &Statement, scene: &Scene, grants: &[Grant]) {
    let counts = statement.action.iter().any(|action| action == "bedrock:CountTokens");
    let may_count = scene.intent.terms.extras.count_tokens || scene.counted_before();
    assert!(!counts || may_count, "{statement:?}");
    let called: BTreeSet<String> = grants.iter().flat_map(called).collect();
    for resource in &statement.resource {
        let Some((before, after)) = resource.split_once(":*::") else {
            assert!(statement.condition.is_empty(), "{statement:?}");
            assert!(exact::<FoundationModelArn>(resource).is_some(), "{statement:?}");
            assert!(called.contains(resource), "{resource} is not granted: {statement:?}");
            continue;
        };
        for region in the_condition(statement, REQUESTED_REGION) {
            let model = format!("{before}:{region}::{after}");
            assert!(called.contains(&model), "{model} is not granted: {statement:?}");
        }
    }
}

/// The models that a grant leads to, where the call is sent.
fn called(grant: &Grant) -> Vec<String> {
    let source = grant.target().unwrap().source().clone();
    let models = match grant {
        Grant::Profile { models, .. } => models.clone(),
        Grant::OnDemand { model } => [model.clone()].into(),
        Grant::OwnModel { .. } => BTreeSet::new(),
    };
    let in_source = |model: FoundationModelArn| FoundationModelArn { region: Some(source.clone()), ..model };
    models.into_iter().map(|model| in_source(model).to_string()).collect()
}

/// The values of the only condition.
fn the_condition<'a>(statement: &'a Statement, key: &str) -> &'a [String] {
    let keys: Vec<_> = statement
        .condition
        .iter()
        .flat_map(|(operator, keys)| {
            keys.iter().map(move |(key, Values(values))| (operator.as_str(), key.as_str(), values))
        })
        .collect();
    let [("StringEquals", only, values)] = keys[..] else { panic!("one condition: {statement:?}") };
    assert!(only == key && !values.is_empty(), "{statement:?}");
    values
}
