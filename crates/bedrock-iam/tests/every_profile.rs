//! The policy of every real profile from every source Region, against the data that it was made from.

#![allow(clippy::unwrap_used, reason = "the data is well-formed")]

use std::collections::{BTreeMap, BTreeSet};

use bedrock_iam::CurrentGrants;
use bedrock_iam::Intent;
use bedrock_iam::document::{Effect, Statement};
use bedrock_iam::policy::Form;
use testing::real_profiles;
use testing::world::*;

#[test]
fn each_profile_from_each_source_region_gets_its_arn_and_exactly_its_models() {
    let mut pairs = 0;
    for (id, sources) in real_profiles() {
        for (source, destinations) in sources {
            let destinations: Vec<&str> = destinations.iter().map(String::as_str).collect();
            let target = profile(&id, &source);
            let terms = in_default_project(&source);
            let intent = Intent { terms, ..intent([target.clone()]) };
            let answers = answers([(target, routes(&id, &source, &destinations))]);
            let plan = planned(&intent, &answers, &observed(bedrock_iam::PolicyState::Absent), None);
            assert_eq!(plan.findings, [], "{id} in {source}");
            let document = &put(&plan).document;

            let [of_profile, of_models, of_project] = &document.statement[..] else {
                panic!("{id} in {source}: {} statements", document.statement.len())
            };
            assert_eq!(of_profile.resource, [profile_arn(&id, &source)], "{id} in {source}");
            assert!(of_profile.condition.is_empty(), "{id} in {source}: no condition on the profile");
            assert_eq!(set(&of_models.resource), expected_models(&id, &source, &destinations));
            assert_eq!(of_models.resource.len(), set(&of_models.resource).len(), "no duplicates");
            assert_eq!(
                conditions(of_models),
                [("StringEquals", profile_arn(&id, &source))],
                "{id} in {source}"
            );
            let project = format!("arn:aws:bedrock:{source}:{ACCOUNT}:project/default");
            assert_eq!(of_project.resource, [project], "{id} in {source}");
            assert!(of_project.condition.is_empty(), "{id} in {source}: no condition on the project");
            for statement in [of_profile, of_models, of_project] {
                assert_eq!(statement.effect, Effect::Allow);
                assert!(statement.resource.iter().all(|arn| !arn.contains('*')), "{id}: a wildcard");
            }
            assert_eq!(
                of_profile.action,
                [
                    "bedrock:InvokeModel",
                    "bedrock:InvokeModelWithResponseStream",
                    "bedrock:GetInferenceProfile"
                ]
            );
            for statement in [of_models, of_project] {
                let both = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];
                assert_eq!(statement.action, both);
            }
            pairs += 1;
        }
    }
    assert_eq!(pairs, 1492);
}

#[test]
fn all_profiles_of_one_source_region_together_hold_exactly_the_grants_of_each() {
    let sources: BTreeSet<String> = real_profiles().into_values().flat_map(BTreeMap::into_keys).collect();
    for source in sources {
        let mut grants = Vec::new();
        for (id, routes_of) in real_profiles() {
            let Some(destinations) = routes_of.get(&source) else { continue };
            let destinations: Vec<&str> = destinations.iter().map(String::as_str).collect();
            grants.push((profile(&id, &source), routes(&id, &source, &destinations)));
        }
        let intent = intent(grants.iter().map(|(target, _)| target.clone()));
        let resolution = bedrock_iam::resolve::resolve(&intent, &answers(grants), &CurrentGrants::default());
        let document = bedrock_iam::policy::document(
            &intent.claim.identity,
            &account(),
            &resolution.grants,
            &intent.terms,
            Form::Explicit,
        )
        .unwrap();
        assert_eq!(CurrentGrants::of(&document).grants(), resolution.grants, "{source}");
    }
}

fn expected_models(id: &str, source: &str, destinations: &[&str]) -> BTreeSet<String> {
    let model = id.split_once('.').unwrap().1;
    let regions = if destinations == ["*"] { vec!["", source] } else { destinations.to_vec() };
    regions.into_iter().map(|region| model_arn(model, region)).collect()
}

fn set(values: &[String]) -> BTreeSet<String> {
    values.iter().cloned().collect()
}

fn conditions(statement: &Statement) -> Vec<(&str, String)> {
    let keys =
        statement.condition.iter().flat_map(|(operator, keys)| keys.iter().map(move |key| (operator, key)));
    keys.map(|(operator, (key, values))| {
        assert_eq!(key, "bedrock:InferenceProfileArn");
        (operator.as_str(), values.0.join(" "))
    })
    .collect()
}
