//! A call is allowed if and only if it was granted, decided by the evaluator over the real profiles.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the data is well-formed")]

use std::collections::BTreeSet;

use bedrock_iam::authorisation::{is_allowed, requests};
use bedrock_iam::evaluate::{Decision, Request, evaluate};
use bedrock_iam::policy::Form;
use bedrock_iam::*;
use proptest::prelude::*;
use proptest::sample::subsequence;
use testing::real_grants;
use testing::world::*;

const ACTIONS: [&str; 2] = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];

/// Application profiles over some of the real profiles, global ones among them, and models of the account's own.
fn owned_grants() -> Vec<Grant> {
    let every = real_grants();
    let wrapped = every.iter().step_by(29).enumerate().map(|(index, grant)| {
        let Grant::Profile { arn, models } = grant.clone() else { panic!() };
        let profile = Profile::Application(format!("app{index}").parse().unwrap());
        Grant::Profile { arn: InferenceProfileArn { profile, ..arn }, models }
    });
    let own = OwnModelKind::ALL.into_iter().flat_map(|kind| {
        ["us-east-1", "eu-west-1"].map(|region| {
            let arn = format!("arn:aws:bedrock:{region}:{ACCOUNT}:{}/abcdefghijkl", kind.resource_type());
            Grant::OwnModel { arn: arn.parse().unwrap() }
        })
    });
    wrapped.chain(own).collect()
}

fn on_demand_grant() -> Grant {
    Grant::OnDemand { model: model_arn("amazon.nova-micro-v1:0", "us-east-1").parse().unwrap() }
}

fn document(grants: &[Grant], operations: Operations, form: Form) -> Document {
    let terms = Terms { operations, ..in_default_project("us-east-1") };
    policy::document(&claim().identity, &account(), grants, &terms, form).unwrap()
}

fn allowed(document: &Document, grant: &Grant, action: &str) -> bool {
    is_allowed(&[document], grant, action, None).unwrap()
}

#[test]
fn each_pairs_policy_allows_its_call_and_no_other_pairs() {
    let every = real_grants();
    for (index, grant) in every.iter().enumerate() {
        let document = document(std::slice::from_ref(grant), Operations::Both, Form::Explicit);
        for action in ACTIONS {
            assert!(allowed(&document, grant, action), "{grant:?}");
        }
        // Each against a different stretch of the others, so that all together meet all kinds.
        for other in every.iter().cycle().skip(index + 1).step_by(37).take(40) {
            assert_eq!(allowed(&document, other, ACTIONS[0]), grant == other, "{grant:?} opens {other:?}");
        }
    }
}

#[test]
fn an_operation_that_was_not_granted_is_denied() {
    let grant = &real_grants()[0];
    for (operations, expected) in [
        (Operations::Invoke, [true, false]),
        (Operations::Stream, [false, true]),
        (Operations::Both, [true, true]),
    ] {
        let document = document(std::slice::from_ref(grant), operations, Form::Explicit);
        assert_eq!(ACTIONS.map(|action| allowed(&document, grant, action)), expected, "{operations:?}");
    }
}

#[test]
fn another_account_region_or_partition_is_denied() {
    for grant in real_grants().into_iter().step_by(41).chain(owned_grants()) {
        for form in [Form::Explicit, Form::Factored] {
            let document = document(std::slice::from_ref(&grant), Operations::Both, form);
            for request in requests(&grant, ACTIONS[0], None) {
                assert_eq!(evaluate(&[&document], &request), Ok(Decision::Allowed), "{request:?}");
                for (from, to) in [
                    (ACCOUNT, "999999999999"),
                    ("arn:aws:", "arn:aws-us-gov:"),
                    (":bedrock:us-", ":bedrock:mx-"),
                    (":bedrock:eu-", ":bedrock:mx-"),
                    (":bedrock:ap-", ":bedrock:mx-"),
                ] {
                    let mut changed = request.clone();
                    changed.resource = request.resource.replace(from, to);
                    if changed.resource != request.resource {
                        // In the factored form the Region is bound by what the request says of itself.
                        changed.context.entry("aws:requestedregion".to_owned()).and_modify(|region| {
                            *region =
                                region.replace("us-", "mx-").replace("eu-", "mx-").replace("ap-", "mx-");
                        });
                        let decision = evaluate(&[&document], &changed);
                        assert_ne!(decision, Ok(Decision::Allowed), "{form:?} {changed:?}");
                    }
                }
            }
        }
    }
    let grant = real_grants().swap_remove(0);
    let document = document(std::slice::from_ref(&grant), Operations::Both, Form::Explicit);
    let Grant::Profile { arn, models } = grant else { panic!() };
    let changed: [fn(&mut InferenceProfileArn); 3] = [
        |arn| arn.account = "999999999999".parse().unwrap(),
        |arn| arn.region = "us-gov-west-1".parse().unwrap(),
        |arn| arn.partition = "aws-us-gov".parse().unwrap(),
    ];
    for change in changed {
        let mut other = arn.clone();
        change(&mut other);
        let other = Grant::Profile { arn: other, models: models.clone() };
        assert!(!allowed(&document, &other, ACTIONS[0]), "{other:?}");
    }
}

fn guardrail(version: &str) -> Guardrail {
    let arn = "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1".parse().unwrap();
    Guardrail { arn, version: version.parse().ok() }
}

#[test]
fn under_guardrails_a_call_must_name_one_of_them_in_both_forms() {
    let terms = Terms { guardrails: [guardrail("2"), guardrail("DRAFT")].into(), ..terms(Operations::Both) };
    let grants = real_grants().into_iter().step_by(97).chain(owned_grants()).chain([on_demand_grant()]);
    for (grant, form) in grants.flat_map(|grant| [(grant.clone(), Form::Explicit), (grant, Form::Factored)]) {
        let of_grant = std::slice::from_ref(&grant);
        let document = policy::document(&claim().identity, &account(), of_grant, &terms, form).unwrap();
        for action in ACTIONS {
            let with =
                |guardrail: Option<&Guardrail>| is_allowed(&[&document], &grant, action, guardrail).unwrap();
            assert!(with(Some(&guardrail("2"))) && with(Some(&guardrail("DRAFT"))), "{form:?} {grant:?}");
            assert!(!with(Some(&guardrail("3"))) && !with(None), "{form:?} {grant:?}");
        }
        // Each request by itself too: a call is denied as a whole as soon as one of its parts is.
        for request in requests(&grant, ACTIONS[0], None) {
            assert_ne!(evaluate(&[&document], &request), Ok(Decision::Allowed), "{form:?} {request:?}");
        }
        let ask = |action: &str, resource: String| {
            let request = Request { action: action.to_owned(), resource, context: [].into() };
            evaluate(&[&document], &request).unwrap()
        };
        if let Grant::Profile { arn, .. } = &grant {
            assert_eq!(ask("bedrock:GetInferenceProfile", arn.to_string()), Decision::Allowed);
        }
        assert_eq!(ask("bedrock:ApplyGuardrail", guardrail("2").arn.to_string()), Decision::Allowed);
    }
}

#[test]
fn global_routes_are_denied_through_application_profiles_too() {
    let terms = Terms { denied_scopes: ["global".parse().unwrap()].into(), ..terms(Operations::Both) };
    let (mut global, mut others) = (0, 0);
    for grant in owned_grants() {
        let Grant::Profile { models, .. } = &grant else { continue };
        let of_grant = std::slice::from_ref(&grant);
        let document =
            policy::document(&claim().identity, &account(), of_grant, &terms, Form::Explicit).unwrap();
        let is_global = models.iter().any(|model| model.region.is_none());
        assert_eq!(allowed(&document, &grant, ACTIONS[0]), !is_global, "{grant:?}");
        *(if is_global { &mut global } else { &mut others }) += 1;
    }
    assert!(global > 0 && others > 0, "{global} global, {others} others");
}

#[test]
fn a_denied_scope_is_denied_above_every_other_policy_and_no_other_scope_is() {
    let everything = Document::parse(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"bedrock:*","Resource":"*"}}"#,
    )
    .unwrap();
    for denied in ["us", "eu", "apac", "global"] {
        let terms = Terms { denied_scopes: [denied.parse().unwrap()].into(), ..terms(Operations::Invoke) };
        let deny = policy::document(&claim().identity, &account(), &[], &terms, Form::Explicit).unwrap();
        for grant in real_grants() {
            let Grant::Profile { arn, .. } = &grant else { panic!() };
            for action in ACTIONS {
                let allowed = is_allowed(&[&everything, &deny], &grant, action, None).unwrap();
                let Profile::System(id) = &arn.profile else { panic!() };
                assert_eq!(allowed, id.scope() != denied, "{denied}: {grant:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Also on paper: no model request under another profile, without one, or in a Region beyond the grant is allowed.
    #[test]
    fn in_a_random_mixture_exactly_the_granted_calls_are_allowed(
        granted in subsequence(real_grants(), 1..12),
        granted_too in subsequence(owned_grants(), 0..6),
        asked in subsequence(real_grants(), 60),
        form in prop_oneof![Just(Form::Explicit), Just(Form::Factored)],
    ) {
        let granted = [granted, granted_too].concat();
        let granted = [granted, vec![on_demand_grant()]].concat();
        let asked = [asked, owned_grants()].concat();
        let document = document(&granted, Operations::Both, form);
        for through in granted.iter().chain(asked.iter().step_by(7)) {
            let Grant::Profile { arn: through, models: own } = through else { continue };
            // The model of every other grant, as if this profile led there.
            let others = granted.iter().filter_map(|grant| match grant {
                Grant::Profile { arn, models } if arn != through => Some(models),
                _ => None,
            });
            for model in others.flatten().filter(|model| !own.contains(model)) {
                let other = Grant::Profile { arn: through.clone(), models: [model.clone()].into() };
                let request = requests(&other, ACTIONS[0], None).pop().unwrap();
                prop_assert_ne!(evaluate(&[&document], &request), Ok(Decision::Allowed), "{:?}", request);
            }
        }
        let opened: BTreeSet<String> = granted.iter().flat_map(|grant| requests(grant, ACTIONS[0], None)).map(|r| format!("{r:?}")).collect();
        for grant in granted.iter().chain(&asked) {
            prop_assert_eq!(allowed(&document, grant, ACTIONS[1]), granted.contains(grant), "{:?}", grant);
            for request in requests(grant, ACTIONS[0], None) {
                let is_allowed = evaluate(&[&document], &request) == Ok(Decision::Allowed);
                prop_assert_eq!(is_allowed, opened.contains(&format!("{request:?}")), "{:?}", request);
                let mut bare = Request { context: request.context.clone(), ..request.clone() };
                if bare.context.remove("bedrock:inferenceprofilearn").is_some() {
                    let is_allowed = evaluate(&[&document], &bare) == Ok(Decision::Allowed);
                    prop_assert_eq!(is_allowed, opened.contains(&format!("{bare:?}")), "without a profile: {:?}", bare);
                }
            }
        }
    }

    #[test]
    fn both_forms_hold_the_same_grants_and_the_factored_one_is_never_larger(
        granted in subsequence(real_grants(), 1..40),
        granted_too in subsequence(owned_grants(), 0..6),
    ) {
        let granted = [granted, granted_too].concat();
        let explicit = document(&granted, Operations::Both, Form::Explicit);
        let factored = document(&granted, Operations::Both, Form::Factored);
        prop_assert_eq!(CurrentGrants::of(&explicit), CurrentGrants::of(&factored));
        prop_assert!(factored.characters() <= explicit.characters());
    }
}
