//! From answers to grants: what is believed, what is kept, what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use bedrock_iam::decide::Change;
use bedrock_iam::intent::AcceptedShrink;
use bedrock_iam::*;
use testing::world::*;

const GLOBAL: &str = "global.amazon.nova-2-lite-v1:0";
const THREE: [&str; 3] = ["us-east-1", "us-east-2", "us-west-2"];

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
    assert_eq!(CurrentGrants::of(&document).grants().len(), 1);
}

#[test]
fn of_a_region_that_is_not_known_nothing_is_asked_and_what_the_role_holds_stays() {
    let (source, elsewhere) = ("us-east-1", "us-west-2");
    let there = profile(US, elsewhere);
    let terms = || {
        let projects = [source, elsewhere].map(|name| DefaultProjectArn::of(&account(), &region(name)));
        Terms { projects: projects.into(), ..Terms::default() }
    };
    let known = Intent { terms: terms(), ..intent([us(), there.clone()]) };
    let all = answers([(us(), routes(US, source, &THREE)), (there, routes(US, elsewhere, &THREE))]);
    let (held, _) = carried_out(&planned(&known, &all, &observed(PolicyState::Absent), None));

    let said = Finding::new(Reason::ProfileNotFound, "no such Region");
    let unknown =
        Intent { unknown_sources: [region(elsewhere)].into(), refused: vec![said.clone()], ..known.clone() };
    let questions = next_questions(&unknown, &Answers::default()).unwrap();
    assert_eq!(questions.targets, [us()].into());
    let answered = answers([(us(), routes(US, source, &THREE))]);
    let plan = planned(&unknown, &answered, &observed(held), None);
    assert!(plan.steps().is_empty(), "{:?}", plan.steps());
    assert_eq!(plan.findings, [said]);

    let plan = planned(&unknown, &answered, &observed(PolicyState::Absent), None);
    let text = carried_out(&plan).0.document().unwrap().to_json();
    assert!(
        text.contains(":us-east-1:111122223333:project/") && !text.contains(":us-west-2:111122223333:"),
        "{text}"
    );
}

#[test]
fn a_missing_profile_names_the_scopes_that_offer_the_model() {
    let eu = profile("eu.amazon.nova-2-lite-v1:0", "us-east-1");
    let mut answers = answers([(eu.clone(), Answer::NotFound)]);
    answers.profiles.insert(region("us-east-1"), Ok(vec![US.parse().unwrap(), GLOBAL.parse().unwrap()]));
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
        answers
            .profiles
            .insert(region("us-east-1"), Ok(others.iter().map(|id| id.parse().unwrap()).collect()));
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
    answers.profiles.insert(region("us-east-1"), Ok(vec![US.parse().unwrap()]));
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
        assert_eq!(change(&plan), None, "{what}");
        assert_eq!(reasons(&plan.findings), [Reason::BedrockUnavailable], "{what}");
    }
    let other_account = profile_arn(US, "us-east-1").replace(ACCOUNT, "999999999999");
    let answer = Answer::Profile { arn: other_account, models: vec![model_arn(NOVA, "us-east-1")] };
    let plan = planned(&intent([us()]), &answers([(us(), answer)]), &observed(PolicyState::Absent), None);
    assert_eq!(change(&plan), None);
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
        assert_eq!(change(&plan), None, "{what}");
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
        assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![reason]));
    }
}

#[test]
fn an_accepted_shrink_is_followed() {
    let (observed, digest) = holding(&THREE);
    let accept = |source: Option<&str>| Intent {
        accepted_shrink: Some(AcceptedShrink { profile: US.to_owned(), source: source.map(region) }),
        ..intent([us()])
    };
    let shorter = answers([(us(), routes(US, "us-east-1", &["us-east-1"]))]);
    for source in [None, Some("us-east-1")] {
        let plan = planned(&accept(source), &shorter, &observed, Some(&digest));
        assert_eq!(plan.findings, []);
        assert!(matches!(change(&plan), Some(Change::Put { .. })));
    }
    let elsewhere = planned(&accept(Some("us-west-2")), &shorter, &observed, Some(&digest));
    assert_eq!(reasons(&elsewhere.findings), [Reason::ProfileShrunk]);
    let gone = planned(&accept(None), &answers([(us(), Answer::NotFound)]), &observed, Some(&digest));
    assert_eq!(
        (change(&gone), reasons(&gone.findings)),
        (Some(Change::Delete), vec![Reason::ProfileNotFound])
    );
}

#[test]
fn a_wider_route_is_followed() {
    let (observed, digest) = holding(&["us-east-1"]);
    let wider = answers([(us(), routes(US, "us-east-1", &THREE))]);
    let plan = planned(&intent([us()]), &wider, &observed, Some(&digest));
    assert_eq!(plan.findings, []);
    assert!(matches!(change(&plan), Some(Change::Put { cause: decide::Cause::Changed, .. })));
}

#[test]
fn a_route_beyond_the_lock_is_refused_and_named() {
    let locked = Intent { allowed_destination_regions: lock(&["us-east-1", "us-east-2"]), ..intent([us()]) };
    let answer = answers([(us(), routes(US, "us-east-1", &THREE))]);
    let plan = planned(&locked, &answer, &observed(PolicyState::Absent), None);
    assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::DestinationNotAllowed]));
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
    assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::DestinationNotAllowed]));
}

#[test]
fn a_route_that_widens_beyond_the_lock_keeps_its_grant_and_is_alarmed() {
    let (observed, digest) = holding(&["us-east-1", "us-east-2"]);
    let locked = Intent { allowed_destination_regions: lock(&["us-east-1", "us-east-2"]), ..intent([us()]) };
    let wider = answers([(us(), routes(US, "us-east-1", &THREE))]);
    let plan = planned(&locked, &wider, &observed, Some(&digest));
    assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::DestinationNotAllowed]));
}

#[test]
fn a_lock_that_the_user_adds_revokes_at_once_even_while_bedrock_is_silent() {
    let (observed, digest) = holding(&THREE);
    let locked = Intent { allowed_destination_regions: lock(&["us-east-1"]), ..intent([us()]) };
    for answer in [routes(US, "us-east-1", &THREE), unavailable()] {
        let plan = planned(&locked, &answers([(us(), answer)]), &observed, Some(&digest));
        assert_eq!(change(&plan), Some(Change::Delete));
    }
}

#[test]
fn what_someone_added_to_our_policy_is_drift_not_a_shrunken_profile() {
    let (mut edited, digest) = holding(&["us-east-1"]);
    let Some(PolicyState::Ours(document)) = edited.policies.get_mut(&claim().policy()) else { panic!() };
    document.statement[1].resource.extend(["us-east-2", "us-west-2"].map(|region| model_arn(NOVA, region)));
    let answer = answers([(us(), routes(US, "us-east-1", &["us-east-1"]))]);
    let plan = planned(&intent([us()]), &answer, &edited, Some(&digest));
    assert_eq!(plan.findings, []);
    assert!(matches!(change(&plan), Some(Change::Put { cause: decide::Cause::Drift, .. })));
}

/// `amazon.nova-*` in the scope `us`, and what Bedrock lists and answers for it.
fn family() -> (Intent, Answers) {
    let family = Family::Profiles {
        source: region("us-east-1"),
        scope: "us".to_owned(),
        prefix: "amazon.nova-".parse().unwrap(),
    };
    let intent = Intent { families: [family].into(), ..intent([]) };
    let members = ["us.amazon.nova-2-lite-v1:0", "us.amazon.nova-micro-v1:0"];
    let mut answers = answers(members.map(|id| (profile(id, "us-east-1"), routes(id, "us-east-1", &THREE))));
    let others = ["global.amazon.nova-2-lite-v1:0", "us.anthropic.claude-opus-4-7"];
    let listed = members.iter().chain(&others).map(|id| id.parse().unwrap()).collect();
    answers.profiles.insert(region("us-east-1"), Ok(listed));
    (intent, answers)
}

fn granted(plan: &Plan) -> Vec<String> {
    let (PolicyState::Ours(document), _) = carried_out(plan) else { panic!() };
    CurrentGrants::of(&document).targets().map(|target| target.id().to_owned()).collect()
}

#[test]
fn a_family_is_expanded_to_the_exact_profiles_of_its_scope() {
    let (intent, answers) = family();
    let plan = planned(&intent, &answers, &observed(PolicyState::Absent), None);
    assert_eq!(plan.findings, []);
    assert_eq!(granted(&plan), ["us.amazon.nova-2-lite-v1:0", "us.amazon.nova-micro-v1:0"]);
}

#[test]
fn a_family_on_demand_takes_the_models_that_are_listed_so() {
    let family = Family::OnDemand { source: region("us-east-1"), prefix: "amazon.nova-".parse().unwrap() };
    let intent = Intent { families: [family].into(), ..intent([]) };
    let micro = on_demand("amazon.nova-micro-v1:0", "us-east-1");
    let model = Answer::Model {
        arn: model_arn("amazon.nova-micro-v1:0", "us-east-1"),
        inference_types: vec!["ON_DEMAND".to_owned()],
    };
    let mut answers = answers([(micro, model)]);
    let listed = ["amazon.nova-micro-v1:0", "amazon.titan-embed-text-v2:0"].map(|id| id.parse().unwrap());
    answers.on_demand.insert(region("us-east-1"), Ok(listed.to_vec()));
    let plan = planned(&intent, &answers, &observed(PolicyState::Absent), None);
    assert_eq!(plan.findings, []);
    assert_eq!(granted(&plan), ["amazon.nova-micro-v1:0"]);
}

#[test]
fn a_family_without_a_member_is_said_to_have_none() {
    let (intent, mut answers) = family();
    answers.profiles.insert(region("us-east-1"), Ok(vec!["us.anthropic.claude-opus-4-7".parse().unwrap()]));
    let plan = planned(&intent, &answers, &observed(PolicyState::Absent), None);
    assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::ProfileNotFound]));
    assert!(
        message(&plan).contains("of scope us in us-east-1 begins with amazon.nova-"),
        "{}",
        message(&plan)
    );
}

#[test]
fn a_member_that_vanishes_and_a_list_that_fails_keep_their_grants() {
    let (intent, answers) = family();
    let (policy, digest) = carried_out(&planned(&intent, &answers, &observed(PolicyState::Absent), None));
    let one = vec!["us.amazon.nova-micro-v1:0".parse().unwrap()];
    let fault = Fault { class: Class::Throttled, message: "throttled".to_owned() };
    for (listed, expected) in [
        (Ok(one), vec![Reason::ProfileShrunk]),
        (Ok(Vec::new()), vec![Reason::ProfileShrunk, Reason::ProfileShrunk]),
        (Err(fault), vec![Reason::BedrockUnavailable; 3]),
    ] {
        let mut answers = answers.clone();
        answers.profiles.insert(region("us-east-1"), listed);
        let plan = planned(&intent, &answers, &observed(policy.clone()), Some(&digest));
        assert_eq!((change(&plan), reasons(&plan.findings)), (None, expected));
    }
}

#[test]
fn a_model_that_can_no_longer_be_called_on_demand_keeps_its_grant_until_accepted() {
    let target = on_demand("amazon.nova-micro-v1:0", "us-east-1");
    let model = |kind: &str| Answer::Model {
        arn: model_arn("amazon.nova-micro-v1:0", "us-east-1"),
        inference_types: vec![kind.to_owned()],
    };
    let asked = |answer| answers([(target.clone(), answer)]);
    let intent = intent([target.clone()]);
    let first = planned(&intent, &asked(model("ON_DEMAND")), &observed(PolicyState::Absent), None);
    let (policy, digest) = carried_out(&first);
    for (answer, reason) in
        [(model("PROVISIONED"), Reason::OnDemandNotSupported), (Answer::NotFound, Reason::ModelNotFound)]
    {
        let kept = planned(&intent, &asked(answer.clone()), &observed(policy.clone()), Some(&digest));
        assert_eq!((change(&kept), reasons(&kept.findings)), (None, vec![reason]));
        let accepted_shrink =
            Some(AcceptedShrink { profile: "amazon.nova-micro-v1:0".to_owned(), source: None });
        let accepted = Intent { accepted_shrink, ..intent.clone() };
        let released = planned(&accepted, &asked(answer), &observed(policy.clone()), Some(&digest));
        assert_eq!(change(&released), Some(Change::Delete));
    }
}

#[test]
fn a_member_that_someone_added_to_our_policy_is_drift_not_a_vanished_profile() {
    let (intent, answers) = family();
    let written = planned(&intent, &answers, &observed(PolicyState::Absent), None);
    let (PolicyState::Ours(mut edited), digest) = carried_out(&written) else { panic!() };
    let evil = "us.amazon.nova-evil-v1:0";
    edited.statement[0].resource.push(profile_arn(evil, "us-east-1"));
    edited.statement[1].resource.push(model_arn("amazon.nova-evil-v1:0", "us-east-1"));
    let plan = planned(&intent, &answers, &observed(PolicyState::Ours(edited)), Some(&digest));
    assert_eq!(plan.findings, []);
    assert!(!granted(&plan).contains(&evil.to_owned()));
}

#[test]
fn what_a_status_says_was_written_neither_keeps_nor_drops_a_grant() {
    let (observed, digest) = holding(&THREE);
    let shorter = answers([(us(), routes(US, "us-east-1", &["us-east-1"]))]);
    for said in [None, Some(digest), Some(Digest::stored("forged"))] {
        let plan = planned(&intent([us()]), &shorter, &observed, said.as_ref());
        assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::ProfileShrunk]));
    }
}

#[test]
fn an_acceptance_is_used_up_only_once_it_was_weighed_against_an_answer() {
    let (observed, digest) = holding(&THREE);
    let accepted_shrink = Some(AcceptedShrink { profile: US.to_owned(), source: None });
    let accept = Intent { accepted_shrink, ..intent([us()]) };
    let settles =
        |answer| planned(&accept, &answers([(us(), answer)]), &observed, Some(&digest)).settles_acceptance;
    assert!(!settles(unavailable()));
    assert!(settles(routes(US, "us-east-1", &["us-east-1"])));
}
