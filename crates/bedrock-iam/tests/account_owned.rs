//! Targets that belong to an account: application inference profiles, and models that are invoked by their own ARN. They
//! consent by a tag of their own.

#![allow(clippy::unwrap_used, clippy::panic, clippy::unnecessary_wraps, reason = "a fixture may fail loudly")]

use bedrock_iam::consent::ConsentPolicy;
use bedrock_iam::decide::Change;
use bedrock_iam::intent::AcceptedShrink;
use bedrock_iam::*;
use testing::real_profiles;
use testing::world::*;

const ID: &str = "a1b2c3d4e5f6";
const THREE: [&str; 3] = ["us-east-1", "us-east-2", "us-west-2"];

fn application() -> Target {
    Target::ApplicationProfile { source: region("us-east-1"), id: ID.parse().unwrap() }
}

fn provisioned() -> Target {
    own(OwnModelKind::ProvisionedModel)
}

fn own(kind: OwnModelKind) -> Target {
    Target::OwnModel { source: region("us-east-1"), kind, id: "abcdefghijkl".parse().unwrap() }
}

fn application_arn() -> String {
    format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/{ID}")
}

/// What GetInferenceProfile answers for the application profile; `""` is the region-less ARN.
fn leads_to(model: &str, regions: &[&str]) -> Answer {
    let models = regions.iter().map(|region| model_arn(model, region)).collect();
    Answer::Profile { arn: application_arn(), models }
}

fn tags(namespaces: &str) -> Result<Tags, Fault> {
    Ok([("bedrockaccess.io/namespaces".to_owned(), namespaces.to_owned())].into())
}

fn failed(class: Class) -> Result<Tags, Fault> {
    Err(Fault { class, message: "bedrock:ListTagsForResource failed".to_owned() })
}

fn answered(target: &Target, answer: Answer, tags: Result<Tags, Fault>) -> Answers {
    Answers { tags: [(target.clone(), tags)].into(), ..answers([(target.clone(), answer)]) }
}

fn new(target: &Target, answer: Answer, tags: Result<Tags, Fault>) -> Plan {
    planned(&intent([target.clone()]), &answered(target, answer, tags), &observed(PolicyState::Absent), None)
}

/// What becomes of a grant that was written while all was well.
fn later(target: &Target, answer: Answer, tags_now: Result<Tags, Fault>) -> Plan {
    let well = if *target == application() { leads_to(NOVA, &THREE) } else { Answer::Unasked };
    let (policy, digest) = carried_out(&new(target, well, tags("team-a")));
    let answers = answered(target, answer, tags_now);
    planned(&intent([target.clone()]), &answers, &observed(policy), Some(&digest))
}

fn written(plan: &Plan) -> Document {
    let (PolicyState::Ours(document), _) = carried_out(plan) else { panic!() };
    document
}

fn message(plan: &Plan) -> &str {
    &plan.findings[0].message
}

#[test]
fn an_application_profile_is_granted_with_its_own_arn_as_the_conditions_value() {
    let plan = new(&application(), leads_to(NOVA, &THREE), tags("team-a"));
    assert_eq!(plan.findings, []);
    let [profile, models] = &written(&plan).statement[..] else { panic!("{plan:?}") };
    assert_eq!(profile.resource, [application_arn()]);
    assert!(profile.action.contains(&"bedrock:GetInferenceProfile".to_owned()));
    assert_eq!(models.resource, THREE.map(|region| model_arn(NOVA, region)));
    assert_eq!(models.condition["StringEquals"]["bedrock:InferenceProfileArn"].0, [application_arn()]);
}

#[test]
fn an_application_profile_over_a_global_one_opens_the_region_less_model() {
    let plan = new(&application(), leads_to(NOVA, &["", "us-east-1"]), tags("team-a"));
    let models = &written(&plan).statement[1];
    assert!(models.resource.contains(&model_arn(NOVA, "")), "{models:?}");
}

#[test]
fn an_application_profile_and_the_system_profile_below_it_share_one_statement() {
    let system = profile("us.amazon.nova-2-lite-v1:0", "us-east-1");
    let mut answers = answered(&application(), leads_to(NOVA, &THREE), tags("team-a"));
    answers.targets.insert(system.clone(), routes("us.amazon.nova-2-lite-v1:0", "us-east-1", &THREE));
    let both = intent([application(), system]);
    let document = written(&planned(&both, &answers, &observed(PolicyState::Absent), None));
    let [_, models] = &document.statement[..] else { panic!("{document:?}") };
    assert_eq!(models.condition["StringEquals"]["bedrock:InferenceProfileArn"].0.len(), 2);
    assert_eq!(CurrentGrants::of(&document).grants().len(), 2);
}

#[test]
fn a_model_of_the_account_gets_the_invoke_actions_alone_and_is_not_looked_up() {
    for kind in OwnModelKind::ALL {
        let plan = new(&own(kind), Answer::NotFound, tags("team-a"));
        assert_eq!(plan.findings, []);
        let [statement] = &written(&plan).statement[..] else { panic!("{plan:?}") };
        assert_eq!(statement.action, ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]);
        let arn = format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:{}/abcdefghijkl", kind.resource_type());
        assert_eq!(statement.resource, [arn]);
        assert!(statement.condition.is_empty(), "{statement:?}");
    }
}

#[test]
fn without_its_own_consent_a_target_is_not_granted_and_the_command_is_named() {
    for (target, answer) in [(application(), leads_to(NOVA, &THREE)), (provisioned(), Answer::Unasked)] {
        for withheld in [tags("team-b"), tags("@none"), Ok(Tags::new())] {
            let plan = new(&target, answer.clone(), withheld);
            assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::TargetNotAllowed]));
            let arn = target.owned(&account()).unwrap();
            let command =
                format!("aws bedrock tag-resource --region us-east-1 --resource-arn {arn} --tags \"key=");
            assert!(message(&plan).contains(&command), "{}", message(&plan));
        }
    }
}

#[test]
fn consent_that_a_target_withdraws_takes_the_grant_away_whatever_else_is_known() {
    for (target, answers) in [
        (application(), vec![leads_to(NOVA, &THREE), unavailable(), Answer::NotFound]),
        (provisioned(), vec![Answer::Unasked]),
    ] {
        for answer in answers {
            let plan = later(&target, answer, tags("@none"));
            assert_eq!(
                (change(&plan), reasons(&plan.findings)),
                (Some(Change::Delete), vec![Reason::TargetNotAllowed])
            );
        }
    }
}

/// A role that holds the grants of both targets, and what is planned once the manifest is changed.
fn later_with(change: impl FnOnce(&mut Intent, &mut Answers, &mut Observed)) -> Plan {
    let mut answers = answered(&application(), leads_to(NOVA, &THREE), tags("team-a"));
    answers.tags.insert(provisioned(), tags("team-a"));
    let mut intent = intent([application(), provisioned()]);
    let mut observed = observed(PolicyState::Absent);
    let (policy, digest) = carried_out(&planned(&intent, &answers, &observed, None));
    observed.policies.insert(claim().policy(), policy);
    change(&mut intent, &mut answers, &mut observed);
    planned(&intent, &answers, &observed, Some(&digest))
}

fn held_after(plan: &Plan) -> Vec<Target> {
    CurrentGrants::of(&written(plan)).targets().collect()
}

/// What keeps the rest of a manifest from being served.
type Block<'a> = &'a dyn Fn(&mut Intent, &mut Answers);

#[test]
fn a_withdrawal_is_carried_out_though_the_rest_of_the_manifest_cannot_be() {
    let too_large = |intent: &mut Intent, answers: &mut Answers| {
        for (id, sources) in real_profiles() {
            let Some(destinations) = sources.get("us-east-1") else { continue };
            let destinations: Vec<&str> = destinations.iter().map(String::as_str).collect();
            intent.targets.insert(profile(&id, "us-east-1"));
            answers.targets.insert(profile(&id, "us-east-1"), routes(&id, "us-east-1", &destinations));
        }
    };
    let without_leave: Block<'_> = &|intent, _| intent.terms.denied_scopes = ["apac".parse().unwrap()].into();
    let blocked: [(&str, Reason, Block<'_>); 2] = [
        ("too large", Reason::PolicyTooLarge, &too_large),
        ("no leave to deny", Reason::ConsentMissing, without_leave),
    ];
    for (what, reason, block) in blocked {
        let unchanged = later_with(|intent, answers, _| block(intent, answers));
        assert_eq!((change(&unchanged), unchanged.findings[0].reason), (None, reason), "{what}");
        let plan = later_with(|intent, answers, _| {
            block(intent, answers);
            answers.tags.insert(application(), tags("@none"));
        });
        assert_eq!(held_after(&plan), [provisioned()], "{what}");
        assert!(reasons(&plan.findings).contains(&reason), "{what}");
        assert!(!plan.settles_acceptance, "{what}");
        let locked = later_with(|intent, answers, _| {
            block(intent, answers);
            intent.allowed_destination_regions = lock(&["us-east-1"]);
        });
        assert_eq!(held_after(&locked), [provisioned()], "{what}: a lock revokes at once");
    }
}

#[test]
fn a_withdrawal_is_carried_out_for_an_object_that_cannot_be_worked_with() {
    let mut answers = answered(&application(), leads_to(NOVA, &THREE), tags("team-a"));
    let plan = planned(&intent([application()]), &answers, &observed(PolicyState::Absent), None);
    let (policy, _) = carried_out(&plan);
    for (now, expected) in [("team-a", None), ("@none", Some(Change::Delete))] {
        answers.tags.insert(application(), tags(now));
        let wish = Wish::AsIs(claim(), None);
        let plan = planned_for(&wish, &answers, &observed(policy.clone()));
        assert_eq!(change(&plan), expected, "{now}");
    }
}

#[test]
fn what_is_left_after_a_withdrawal_is_ours_and_is_not_cut_back_again() {
    let withdraw = |_: &mut Intent, answers: &mut Answers, _: &mut Observed| {
        answers.tags.insert(provisioned(), tags("@none"));
    };
    let block = |intent: &mut Intent, answers: &mut Answers, observed: &mut Observed| {
        intent.terms.denied_scopes = ["apac".parse().unwrap()].into();
        withdraw(intent, answers, observed);
    };
    let first = later_with(block);
    let left = PolicyState::of(&written(&first).to_json(), &claim().identity);
    assert!(matches!(&left, PolicyState::Ours(_)), "{left:?}");
    let again = later_with(|intent, answers, observed| {
        block(intent, answers, observed);
        observed.policies.insert(claim().policy(), left);
    });
    assert_eq!(change(&again), None);
}

#[test]
fn what_someone_added_is_not_sealed_by_a_withdrawal() {
    let plan = later_with(|intent, answers, observed| {
        intent.terms.denied_scopes = ["apac".parse().unwrap()].into();
        answers.tags.insert(application(), tags("@none"));
        let Some(PolicyState::Ours(document)) = observed.policies.get_mut(&claim().policy()) else {
            panic!()
        };
        document.statement[1].resource.push("*".to_owned());
    });
    assert_eq!(change(&plan), Some(Change::Delete));
}

#[test]
fn leave_to_deny_that_is_taken_back_takes_the_denials_away() {
    let deny = |leave: &str| {
        let mut denying = intent([application()]);
        denying.terms.denied_scopes = ["apac".parse().unwrap()].into();
        let answers = answered(&application(), leads_to(NOVA, &THREE), tags("team-a"));
        let role = role(&[("bedrockaccess.io/namespaces", leave)]);
        (denying, answers, role)
    };
    let (intent, answers, with_leave) = deny("deny:team-a");
    let observed = on(with_leave, PolicyState::Absent);
    let (policy, digest) = carried_out(&planned(&intent, &answers, &observed, None));
    let (.., without) = deny("team-a");
    let plan = planned(&intent, &answers, &on(without, policy), Some(&digest));
    assert_eq!(reasons(&plan.findings), [Reason::ConsentMissing]);
    let document = written(&plan);
    assert!(document.statement.iter().all(|statement| statement.effect == document::Effect::Allow));
    assert_eq!(CurrentGrants::of(&document).grants().len(), 1);
}

#[test]
fn tags_that_cannot_be_read_keep_what_is_granted_and_grant_nothing_new() {
    for (target, answer) in [(application(), leads_to(NOVA, &THREE)), (provisioned(), Answer::Unasked)] {
        for (class, reason) in
            [(Class::Denied, Reason::BedrockDenied), (Class::Unavailable, Reason::BedrockUnavailable)]
        {
            let first = new(&target, answer.clone(), failed(class));
            assert_eq!((change(&first), reasons(&first.findings)), (None, vec![reason]));
            let plan = later(&target, answer.clone(), failed(class));
            assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![reason]));
            assert!(message(&plan).contains("is kept"), "{}", message(&plan));
        }
    }
}

#[test]
fn without_consent_in_the_cluster_no_tag_is_needed() {
    for (target, answer) in [(application(), leads_to(NOVA, &THREE)), (provisioned(), Answer::Unasked)] {
        let mut intent = intent([target.clone()]);
        intent.claim.tenant.policy = ConsentPolicy::None;
        let plan = planned(&intent, &answers([(target, answer)]), &observed(PolicyState::Absent), None);
        assert_eq!(plan.findings, []);
        assert!(matches!(change(&plan), Some(Change::Put { .. })));
    }
}

#[test]
fn an_application_profile_that_answers_less_keeps_its_grant_until_accepted() {
    for answer in [leads_to(NOVA, &["us-east-1"]), leads_to(NOVA, &[]), Answer::NotFound] {
        let plan = later(&application(), answer.clone(), tags("team-a"));
        assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::ProfileShrunk]));
        assert!(message(&plan).contains(&format!("accept-shrink: {ID}@us-east-1")), "{}", message(&plan));

        let (policy, digest) = carried_out(&new(&application(), leads_to(NOVA, &THREE), tags("team-a")));
        let accepted = Intent {
            accepted_shrink: Some(AcceptedShrink { profile: ID.to_owned(), source: None }),
            ..intent([application()])
        };
        let answers = answered(&application(), answer, tags("team-a"));
        let plan = planned(&accepted, &answers, &observed(policy), Some(&digest));
        assert!(change(&plan).is_some() && plan.settles_acceptance, "{plan:?}");
    }
}

#[test]
fn a_model_of_the_account_that_vanishes_keeps_its_grant_until_accepted() {
    let plan = later(&provisioned(), Answer::Unasked, failed(Class::NotFound));
    assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::ModelNotFound]));
    assert!(message(&plan).ends_with("accept-shrink: abcdefghijkl@us-east-1"), "{}", message(&plan));
    let new = new(&provisioned(), Answer::Unasked, failed(Class::NotFound));
    assert_eq!((change(&new), reasons(&new.findings)), (None, vec![Reason::ModelNotFound]));
    let accepted = later_with(|intent, answers, _| {
        intent.accepted_shrink =
            Some(AcceptedShrink { profile: "abcdefghijkl".to_owned(), source: Some(region("us-east-1")) });
        answers.tags.insert(provisioned(), failed(Class::NotFound));
    });
    assert_eq!(held_after(&accepted), [application()]);
    assert!(accepted.settles_acceptance, "an acceptance releases once");
}

#[test]
fn an_application_profiles_answer_is_believed_for_one_model_of_the_partition_only() {
    let two = Answer::Profile {
        arn: application_arn(),
        models: vec![model_arn(NOVA, "us-east-1"), model_arn("amazon.nova-micro-v1:0", "us-east-1")],
    };
    let foreign = Answer::Profile {
        arn: application_arn(),
        models: vec![format!("arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/{NOVA}")],
    };
    let another = Answer::Profile {
        arn: application_arn().replace(ACCOUNT, "999999999999"),
        models: vec![model_arn(NOVA, "us-east-1")],
    };
    for answer in [two, foreign, another, leads_to("*", &["us-east-1"])] {
        let plan = new(&application(), answer, tags("team-a"));
        assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::BedrockUnavailable]));
    }
    let changed = later(&application(), leads_to("amazon.nova-micro-v1:0", &THREE), tags("team-a"));
    assert_eq!((change(&changed), reasons(&changed.findings)), (None, vec![Reason::BedrockUnavailable]));
}

#[test]
fn the_residency_lock_holds_for_them_too() {
    let locked =
        |target: Target| Intent { allowed_destination_regions: lock(&["us-east-2"]), ..intent([target]) };
    for (target, answer) in [(application(), leads_to(NOVA, &THREE)), (provisioned(), Answer::Unasked)] {
        let answers = answered(&target, answer, tags("team-a"));
        let plan = planned(&locked(target), &answers, &observed(PolicyState::Absent), None);
        assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::DestinationNotAllowed]));
    }
}

#[test]
fn an_application_profile_that_routes_globally_is_refused_where_global_is_denied() {
    let mut denying = intent([application()]);
    denying.terms.denied_scopes = ["global".parse().unwrap()].into();
    let answers = answered(&application(), leads_to(NOVA, &["", "us-east-1"]), tags("team-a"));
    let observed = on(role(&[("bedrockaccess.io/namespaces", "deny:team-a")]), PolicyState::Absent);
    let plan = planned(&denying, &answers, &observed, None);
    assert_eq!(reasons(&plan.findings), [Reason::DestinationNotAllowed]);
    assert!(message(&plan).contains("routing.deniedScopes denies"), "{}", message(&plan));
    assert_eq!(CurrentGrants::of(&written(&plan)).grants(), []);
}

#[test]
fn under_guardrails_a_model_of_the_account_needs_one_too() {
    let arn = format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/gr1");
    let guardrail = Guardrail { arn: arn.parse().unwrap(), version: Some(2) };
    let mut guarded = intent([provisioned()]);
    guarded.terms.guardrails = [guardrail.clone()].into();
    let answers = answered(&provisioned(), Answer::Unasked, tags("team-a"));
    let document = written(&planned(&guarded, &answers, &observed(PolicyState::Absent), None));
    let [grant] = &CurrentGrants::of(&document).grants()[..] else { panic!() };
    let with = |named| authorisation::is_allowed(&[&document], grant, "bedrock:InvokeModel", named).unwrap();
    assert!(with(Some(&guardrail)) && !with(None));
}
