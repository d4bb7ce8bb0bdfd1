//! From answers to grants: what is believed, what is kept, what is refused.

mod world;

use bedrock_iam::intent::AcceptedShrink;
use bedrock_iam::*;
use world::*;

const US: &str = "us.amazon.nova-2-lite-v1:0";
const GLOBAL: &str = "global.amazon.nova-2-lite-v1:0";
const THREE: [&str; 3] = ["us-east-1", "us-east-2", "us-west-2"];

fn us() -> Target {
    profile(US, "us-east-1")
}

/// A role that holds the grant of `US` to three Regions, as we wrote it.
fn holding(destinations: &[&str]) -> (Observed, Digest) {
    let answers = answers([(us(), routes(US, "us-east-1", destinations))]);
    let (policy, digest) =
        carried_out(&planned(&intent([us()]), &answers, &observed(PolicyState::Absent), None));
    (observed(policy), digest)
}

fn message(plan: &Plan) -> &str {
    &plan.findings[0].message
}

#[test]
fn a_typo_does_not_take_the_other_models_away() {
    let typo = profile("us.amazon.nova-2-light-v1:0", "us-east-1");
    let answers = answers([(us(), routes(US, "us-east-1", &THREE)), (typo.clone(), Answer::NotFound)]);
    let plan = planned(&intent([us(), typo]), &answers, &observed(PolicyState::Absent), None);
    assert_eq!(reasons(&plan.findings), [Reason::ProfileNotFound]);
    let (PolicyState::Ours(document), _) = carried_out(&plan) else { panic!() };
    assert_eq!(Held::of(&document).grants().len(), 1);
}

#[test]
fn a_missing_profile_names_the_scopes_that_offer_the_model() {
    let eu = profile("eu.amazon.nova-2-lite-v1:0", "us-east-1");
    let mut answers = answers([(eu.clone(), Answer::NotFound)]);
    answers.listed.insert(region("us-east-1"), vec![US.parse().unwrap(), GLOBAL.parse().unwrap()]);
    let plan = planned(&intent([eu]), &answers, &observed(PolicyState::Absent), None);
    assert!(message(&plan).ends_with("is offered there in scope us, global"), "{}", message(&plan));
}

#[test]
fn a_typo_in_a_model_id_names_what_was_probably_meant() {
    let typo = profile("us.amazon.nova-2-light-v1:0", "us-east-1");
    let far = profile("us.mistral.nothing-like-it", "us-east-1");
    for (target, remedy) in
        [(typo, "did you mean amazon.nova-2-lite-v1:0?"), (far, "check the id and the Region")]
    {
        let mut answers = answers([(target.clone(), Answer::NotFound)]);
        let others = ["us.amazon.nova-lite-v1:0", US, "us.anthropic.claude-opus-4-7"];
        answers.listed.insert(region("us-east-1"), others.iter().map(|id| id.parse().unwrap()).collect());
        let plan = planned(&intent([target]), &answers, &observed(PolicyState::Absent), None);
        assert!(message(&plan).ends_with(remedy), "{}", message(&plan));
    }
}

#[test]
fn a_model_without_on_demand_names_the_profiles_to_use() {
    let target = on_demand(NOVA, "us-east-1");
    let model = Answer::Model {
        arn: model_arn(NOVA, "us-east-1"),
        inference_types: vec!["INFERENCE_PROFILE".to_owned()],
    };
    let mut answers = answers([(target.clone(), model)]);
    answers.listed.insert(region("us-east-1"), vec![US.parse().unwrap()]);
    let plan = planned(&intent([target]), &answers, &observed(PolicyState::Absent), None);
    assert_eq!(reasons(&plan.findings), [Reason::OnDemandNotSupported]);
    assert!(
        message(&plan).ends_with(&format!("use an inference profile instead: {US}")),
        "{}",
        message(&plan)
    );
}

#[test]
fn an_on_demand_grant_opens_nothing_through_a_profile() {
    let target = on_demand("amazon.nova-micro-v1:0", "us-east-1");
    let model = Answer::Model {
        arn: model_arn("amazon.nova-micro-v1:0", "us-east-1"),
        inference_types: vec!["ON_DEMAND".to_owned(), "INFERENCE_PROFILE".to_owned()],
    };
    let plan =
        planned(&intent([target.clone()]), &answers([(target, model)]), &observed(PolicyState::Absent), None);
    let (PolicyState::Ours(document), _) = carried_out(&plan) else { panic!() };
    let [statement] = &document.statement[..] else { panic!("{document:?}") };
    assert_eq!(statement.condition["Null"]["bedrock:InferenceProfileArn"].0, ["true"]);
    assert_eq!(statement.action, ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]);
}

#[test]
fn an_answer_is_believed_only_as_far_as_its_type_allows() {
    let lies = [
        ("another model", vec![model_arn("anthropic.claude-opus-4-7", "us-east-1")]),
        ("a Region wildcard", vec![model_arn(NOVA, "*")]),
        ("a model wildcard", vec!["arn:aws:bedrock:us-east-1::foundation-model/*".to_owned()]),
        ("everything", vec!["*".to_owned()]),
        ("another partition", vec![format!("arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/{NOVA}")]),
        ("an account", vec![format!("arn:aws:bedrock:us-east-1:999999999999:foundation-model/{NOVA}")]),
        ("a quote", vec![format!("arn:aws:bedrock:us-east-1::foundation-model/{NOVA}\",\"*")]),
    ];
    for (what, models) in lies {
        let answer = Answer::Profile { arn: profile_arn(US, "us-east-1"), models };
        let plan = planned(&intent([us()]), &answers([(us(), answer)]), &observed(PolicyState::Absent), None);
        assert_eq!(plan.step, None, "{what}");
        assert_eq!(reasons(&plan.findings), [Reason::BedrockUnavailable], "{what}");
    }
    let other_account = profile_arn(US, "us-east-1").replace(ACCOUNT, "999999999999");
    let answer = Answer::Profile { arn: other_account, models: vec![model_arn(NOVA, "us-east-1")] };
    let plan = planned(&intent([us()]), &answers([(us(), answer)]), &observed(PolicyState::Absent), None);
    assert_eq!(plan.step, None);
}

#[test]
fn a_profile_that_answers_less_or_not_at_all_keeps_its_grant() {
    let (observed, digest) = holding(&THREE);
    let cases = [
        ("shorter", routes(US, "us-east-1", &["us-east-1"]), Reason::ProfileShrunk),
        ("empty", routes(US, "us-east-1", &[]), Reason::ProfileShrunk),
        ("gone", Answer::NotFound, Reason::ProfileShrunk),
        ("silent", unavailable(), Reason::BedrockUnavailable),
        ("nonsense", routes("us.amazon.other", "us-east-1", &THREE), Reason::BedrockUnavailable),
    ];
    for (what, answer, reason) in cases {
        let plan = planned(&intent([us()]), &answers([(us(), answer)]), &observed, Some(&digest));
        assert_eq!(plan.step, None, "{what}");
        assert_eq!(reasons(&plan.findings), [reason], "{what}");
        assert!(message(&plan).contains("is kept"), "{what}: {}", message(&plan));
    }
}

#[test]
fn a_profile_that_is_broken_when_the_object_is_new_waits() {
    for (answer, reason) in
        [(routes(US, "us-east-1", &[]), Reason::ProfileShrunk), (unavailable(), Reason::BedrockUnavailable)]
    {
        let plan = planned(&intent([us()]), &answers([(us(), answer)]), &observed(PolicyState::Absent), None);
        assert_eq!((plan.step.clone(), reasons(&plan.findings)), (None, vec![reason]));
    }
}

#[test]
fn an_accepted_shrink_is_followed() {
    let (observed, digest) = holding(&THREE);
    let accept = |source: Option<&str>| Intent {
        accepted_shrink: Some(AcceptedShrink { profile: US.parse().unwrap(), source: source.map(region) }),
        ..intent([us()])
    };
    let shorter = answers([(us(), routes(US, "us-east-1", &["us-east-1"]))]);
    for source in [None, Some("us-east-1")] {
        let plan = planned(&accept(source), &shorter, &observed, Some(&digest));
        assert_eq!(plan.findings, []);
        assert!(matches!(plan.step, Some(Step::Put { .. })));
    }
    let elsewhere = planned(&accept(Some("us-west-2")), &shorter, &observed, Some(&digest));
    assert_eq!(reasons(&elsewhere.findings), [Reason::ProfileShrunk]);
    let gone = planned(&accept(None), &answers([(us(), Answer::NotFound)]), &observed, Some(&digest));
    assert_eq!((gone.step, reasons(&gone.findings)), (Some(Step::Delete), vec![Reason::ProfileNotFound]));
}

#[test]
fn a_wider_route_is_followed() {
    let (observed, digest) = holding(&["us-east-1"]);
    let wider = answers([(us(), routes(US, "us-east-1", &THREE))]);
    let plan = planned(&intent([us()]), &wider, &observed, Some(&digest));
    assert_eq!(plan.findings, []);
    assert!(matches!(plan.step, Some(Step::Put { cause: plan::Cause::Changed, .. })));
}

#[test]
fn a_route_beyond_the_lock_is_refused_and_named() {
    let locked = Intent { allowed_destination_regions: lock(&["us-east-1", "us-east-2"]), ..intent([us()]) };
    let answer = answers([(us(), routes(US, "us-east-1", &THREE))]);
    let plan = planned(&locked, &answer, &observed(PolicyState::Absent), None);
    assert_eq!((plan.step.clone(), reasons(&plan.findings)), (None, vec![Reason::DestinationNotAllowed]));
    assert!(message(&plan).contains("may route to us-west-2"), "{}", message(&plan));
}

#[test]
fn a_lock_refuses_every_global_route() {
    let global = profile(GLOBAL, "us-east-1");
    let locked = Intent { allowed_destination_regions: lock(&["us-east-1"]), ..intent([global.clone()]) };
    let plan = planned(
        &locked,
        &answers([(global, routes(GLOBAL, "us-east-1", &["*"]))]),
        &observed(PolicyState::Absent),
        None,
    );
    assert_eq!((plan.step, reasons(&plan.findings)), (None, vec![Reason::DestinationNotAllowed]));
}

#[test]
fn a_route_that_widens_beyond_the_lock_keeps_its_grant_and_is_alarmed() {
    let (observed, digest) = holding(&["us-east-1", "us-east-2"]);
    let locked = Intent { allowed_destination_regions: lock(&["us-east-1", "us-east-2"]), ..intent([us()]) };
    let wider = answers([(us(), routes(US, "us-east-1", &THREE))]);
    let plan = planned(&locked, &wider, &observed, Some(&digest));
    assert_eq!((plan.step, reasons(&plan.findings)), (None, vec![Reason::DestinationNotAllowed]));
}

#[test]
fn a_lock_that_the_user_adds_revokes_at_once_even_while_bedrock_is_silent() {
    let (observed, digest) = holding(&THREE);
    let locked = Intent { allowed_destination_regions: lock(&["us-east-1"]), ..intent([us()]) };
    for answer in [routes(US, "us-east-1", &THREE), unavailable()] {
        let plan = planned(&locked, &answers([(us(), answer)]), &observed, Some(&digest));
        assert_eq!(plan.step, Some(Step::Delete));
    }
}

#[test]
fn what_someone_added_to_our_policy_is_drift_not_a_shrunken_profile() {
    let (_, digest) = holding(&["us-east-1"]);
    let (edited, _) = holding(&THREE);
    let answer = answers([(us(), routes(US, "us-east-1", &["us-east-1"]))]);
    let plan = planned(&intent([us()]), &answer, &edited, Some(&digest));
    assert_eq!(plan.findings, []);
    assert!(matches!(plan.step, Some(Step::Put { cause: plan::Cause::Drift, .. })));
}
