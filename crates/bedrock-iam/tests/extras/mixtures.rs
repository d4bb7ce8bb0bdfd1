//! Random mixtures of all that can be granted: each request is allowed if and only if it was asked for.

use std::collections::BTreeSet;

use bedrock_iam::authorisation::requests;
use bedrock_iam::evaluate::{Request, evaluate};
use bedrock_iam::policy::{self, Form};
use bedrock_iam::*;
use proptest::prelude::*;
use proptest::sample::subsequence;
use testing::real_grants;
use testing::world::*;

use super::world::{allows, calls_with_key};

const LIST: [&str; 3] = [
    "bedrock:ListFoundationModels",
    "bedrock:ListInferenceProfiles",
    "bedrock:GetFoundationModelAvailability",
];

const STORED: [&str; 3] = ["bedrock:GetInvoke", "bedrock:CancelInvoke", "bedrock:DeleteInvoke"];

const REGIONS: [&str; 6] =
    ["us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-northeast-1"];

/// Models on demand and of the account's own, and an application profile over a real route.
fn other_grants() -> Vec<Grant> {
    let on_demand = ["us-east-1", "eu-west-1"].map(|source| Grant::OnDemand {
        model: model_arn("amazon.nova-micro-v1:0", source).parse().unwrap(),
    });
    let own = format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:imported-model/abcdefghijkl");
    let Grant::Profile { arn, models } = real_grants().swap_remove(7) else { panic!() };
    let profile = Profile::Application("abcdefghijkl".parse().unwrap());
    let application = Grant::Profile { arn: InferenceProfileArn { profile, ..arn }, models };
    on_demand.into_iter().chain([Grant::OwnModel { arn: own.parse().unwrap() }, application]).collect()
}

fn extras() -> impl Strategy<Value = Extras> {
    let regions =
        || subsequence(REGIONS.to_vec(), 0..4).prop_map(|names| names.into_iter().map(region).collect());
    (regions(), any::<bool>(), regions(), any::<bool>()).prop_map(
        |(discovery, count_tokens, storing, api_keys): (_, bool, BTreeSet<Region>, bool)| Extras {
            discovery,
            count_tokens,
            stored_responses: storing
                .iter()
                .map(|source| DefaultProjectArn::of(&account(), source))
                .collect(),
            api_keys,
        },
    )
}

fn terms() -> impl Strategy<Value = Terms> {
    let operations = prop_oneof![Just(Operations::Invoke), Just(Operations::Stream), Just(Operations::Both)];
    let arn: GuardrailArn = "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1".parse().unwrap();
    let guardrails = subsequence(vec![Guardrail { arn, version: Some(2) }], 0..=1);
    let denied = subsequence(vec!["apac", "global"], 0..=2);
    let project = subsequence(vec!["us-east-1", "eu-west-1"], 0..=2);
    (operations, guardrails, denied, project, extras()).prop_map(
        |(operations, guardrails, denied, projects, extras)| Terms {
            operations,
            guardrails: guardrails.into_iter().collect(),
            denied_scopes: denied.into_iter().map(|scope| scope.parse().unwrap()).collect(),
            projects: projects
                .into_iter()
                .map(|source| DefaultProjectArn::of(&account(), &region(source)))
                .collect(),
            extras,
            ..Terms::default()
        },
    )
}

/// The foundation models to which the grants lead from this source Region.
fn called(grants: &[Grant], source: &str) -> BTreeSet<ModelId> {
    let here = grants.iter().filter(|grant| grant.target().unwrap().source().as_str() == source);
    let models = here.flat_map(|grant| match grant {
        Grant::Profile { models, .. } => models.iter().map(|model| model.model.clone()).collect(),
        Grant::OnDemand { model } => vec![model.model.clone()],
        Grant::OwnModel { .. } => Vec::new(),
    });
    models.collect()
}

fn invocations(grants: &[Grant], terms: &Terms) -> Vec<Request> {
    let guardrails = [None, terms.guardrails.first()];
    let of_grant = |grant: &Grant| {
        let both = Operations::Both.actions().iter();
        let with = |action: &&str| guardrails.map(|guardrail| requests(grant, action, guardrail));
        both.flat_map(with).flatten().collect::<Vec<_>>()
    };
    grants.iter().flat_map(of_grant).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn in_a_random_mixture_exactly_what_was_asked_for_is_allowed_beside_the_calls(
        granted in subsequence(real_grants(), 0..8),
        granted_too in subsequence(other_grants(), 0..=4),
        asked in subsequence(real_grants(), 24),
        terms in terms(),
        form in prop_oneof![Just(Form::Explicit), Just(Form::Factored)],
    ) {
        let granted = [granted, granted_too].concat();
        let asked = [granted.clone(), asked, other_grants()].concat();
        let write = |terms: &Terms| {
            let document = policy::document(&claim().identity, &account(), &granted, terms, form);
            document.unwrap_or_else(|| Document::new(Vec::new()))
        };
        let document = write(&terms);
        let without = write(&Terms { extras: Extras::default(), ..terms.clone() });
        let sources: BTreeSet<Region> = asked.iter().map(|grant| grant.target().unwrap().source().clone()).collect();
        let models: BTreeSet<ModelId> = sources.iter().flat_map(|source| called(&asked, source.as_str())).collect();
        for source in sources.iter().cloned().chain(REGIONS.map(region)) {
            let discovers = terms.extras.discovery.contains(&source);
            for action in LIST {
                prop_assert_eq!(allows(&document, action, "*", source.as_str()), discovers, "{} {}", action, source);
            }
            for action in STORED {
                let project = DefaultProjectArn::of(&account(), &source);
                let is_allowed = |arn: String| allows(&document, action, &arn, source.as_str());
                let is_stored = terms.extras.stored_responses.contains(&project);
                prop_assert_eq!(is_allowed(project.to_string()), is_stored, "{} {}", action, project);
                prop_assert!(!is_allowed(project.to_string().replace("default", "proj-1")));
                prop_assert!(!is_allowed(project.to_string().replace(ACCOUNT, "999999999999")));
            }
            let called = called(&granted, source.as_str());
            for model in &models {
                let is_allowed = |action: &str, arn: String| allows(&document, action, &arn, source.as_str());
                let arn = || model_arn(model.as_str(), source.as_str());
                let is_called = called.contains(model);
                prop_assert_eq!(is_allowed("bedrock:GetFoundationModel", arn()), discovers && is_called, "{}", arn());
                let counts = terms.extras.count_tokens && is_called;
                prop_assert_eq!(is_allowed("bedrock:CountTokens", arn()), counts, "{}", arn());
                for action in ["bedrock:GetFoundationModel", "bedrock:CountTokens"] {
                    prop_assert!(!is_allowed(action, arn() + "-v2"), "{}", action);
                }
            }
        }
        prop_assert_eq!(calls_with_key(&document, Some("SHORT_TERM")), terms.extras.api_keys);
        prop_assert!(!calls_with_key(&document, Some("LONG_TERM")) && !calls_with_key(&document, None));
        for grant in &asked {
            let target = match grant {
                Grant::Profile { arn, .. } => arn.to_string(),
                Grant::OwnModel { arn } => arn.to_string(),
                Grant::OnDemand { .. } => continue,
            };
            let source = grant.target().unwrap().source().clone();
            prop_assert!(!allows(&document, "bedrock:CountTokens", &target, source.as_str()), "{}", target);
        }
        // What may be called neither grows nor shrinks by it.
        for request in invocations(&asked, &terms) {
            prop_assert_eq!(evaluate(&[&document], &request), evaluate(&[&without], &request), "{:?}", request);
        }
    }

    #[test]
    fn both_forms_hold_the_same_extras_and_the_factored_one_is_never_larger(
        granted in subsequence(real_grants(), 1..40),
        granted_too in subsequence(other_grants(), 0..=4),
        terms in terms(),
    ) {
        let granted = [granted, granted_too].concat();
        let [explicit, factored] = [Form::Explicit, Form::Factored]
            .map(|form| policy::document(&claim().identity, &account(), &granted, &terms, form).unwrap());
        prop_assert_eq!(CurrentGrants::of(&explicit), CurrentGrants::of(&factored));
        let held = CurrentGrants::of(&explicit);
        prop_assert_eq!(held.extras(), &Extra::of(&granted, &terms));
        prop_assert!(factored.characters() <= explicit.characters());
    }
}
