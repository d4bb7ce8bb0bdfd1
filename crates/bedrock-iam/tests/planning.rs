//! From what is wanted and what is there to the one write.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use bedrock_iam::decide::{Cause, Change, step_failed, teardown, verify};
use bedrock_iam::*;
use testing::world::*;

#[test]
fn a_new_object_gets_its_policy_and_then_stays() {
    let first = first_plan();
    assert!(matches!(change(&first), Some(Change::Put { cause: Cause::New, .. })));
    let (policy, digest) = carried_out(&first);
    let second = planned(&intent([us()]), &us_answers(), &observed(policy), Some(&digest));
    assert_eq!((change(&second), second.findings), (None, Vec::new()));
}

#[test]
fn what_someone_removed_or_edited_is_restored() {
    let (policy, digest) = carried_out(&first_plan());
    let PolicyState::Ours(mut edited) = policy else { panic!() };
    edited.statement[1].resource.pop();
    for found in [PolicyState::Absent, PolicyState::Ours(edited)] {
        let plan = planned(&intent([us()]), &us_answers(), &observed(found), Some(&digest));
        assert!(matches!(change(&plan), Some(Change::Put { cause: Cause::Drift, .. })), "{plan:?}");
    }
}

#[test]
fn under_report_drift_is_reported_and_left_but_a_changed_spec_is_written() {
    let report =
        |operations| Intent { drift_policy: DriftPolicy::Report, terms: terms(operations), ..intent([us()]) };
    let both = report(Operations::Both);
    assert!(change(&planned(&both, &us_answers(), &observed(PolicyState::Absent), None)).is_some(), "new");

    let (_, digest) = carried_out(&first_plan());
    let drifted = planned(&both, &us_answers(), &observed(PolicyState::Absent), Some(&digest));
    assert_eq!((change(&drifted), reasons(&drifted.findings)), (None, vec![Reason::DriftDetected]));

    let changed = report(Operations::Invoke);
    let plan = planned(&changed, &us_answers(), &observed(PolicyState::Absent), Some(&digest));
    assert!(matches!(change(&plan), Some(Change::Put { cause: Cause::Changed, .. })));
}

#[test]
fn while_bedrock_does_not_answer_an_edited_policy_is_neither_removed_nor_under_report_rewritten() {
    let (written, digest) = carried_out(&first_plan());
    let PolicyState::Ours(mut document) = written.clone() else { panic!() };
    document.statement.truncate(1);
    for drift_policy in [DriftPolicy::Enforce, DriftPolicy::Report] {
        let intent = Intent { drift_policy, ..intent([us()]) };
        let silent = answers([(us(), unavailable())]);
        let cut = observed(PolicyState::Ours(document.clone()));
        let plan = planned(&intent, &silent, &cut, Some(&digest));
        assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::BedrockUnavailable]));
    }
    let micro = profile("us.amazon.nova-micro-v1:0", "us-east-1");
    let report = Intent { drift_policy: DriftPolicy::Report, ..intent([us(), micro.clone()]) };
    let both = answers([
        (us(), routes(US, "us-east-1", &["us-east-1"])),
        (micro.clone(), routes("us.amazon.nova-micro-v1:0", "us-east-1", &["us-east-1"])),
    ]);
    let (_, digest) = carried_out(&planned(&report, &both, &observed(PolicyState::Absent), None));
    let one = Answers {
        targets: [(micro, unavailable())].into_iter().chain(us_answers().targets).collect(),
        ..both
    };
    let removed = planned(&report, &one, &observed(PolicyState::Absent), Some(&digest));
    assert_eq!(change(&removed), None, "someone removed it, and Report only reports");
}

#[test]
fn a_policy_that_says_the_same_differently_is_not_rewritten() {
    let (PolicyState::Ours(document), digest) = carried_out(&first_plan()) else { panic!() };
    let mut other = document;
    other.statement.reverse();
    for statement in &mut other.statement {
        statement.resource.reverse();
        statement.action = statement.action.iter().map(|action| action.to_uppercase()).collect();
    }
    let plan = planned(&intent([us()]), &us_answers(), &observed(PolicyState::Ours(other)), Some(&digest));
    assert_eq!(change(&plan), None);
}

#[test]
fn a_policy_of_our_name_that_is_not_ours_is_never_touched() {
    for (what, plan) in [
        ("kept", plan_on(&observed(PolicyState::Foreign(None)))),
        ("withdrawn", plan_on(&on(role(&[]), PolicyState::Foreign(None)))),
        ("deleted", teardown(&claim(), &PolicyState::Foreign(None))),
    ] {
        assert_eq!(change(&plan), None, "{what}");
    }
    assert_eq!(reasons(&plan_on(&observed(PolicyState::Foreign(None))).findings), [Reason::PolicyNameTaken]);
}

#[test]
fn a_write_counts_only_once_it_reads_back_whole() {
    let plan = first_plan();
    let (written, _) = carried_out(&plan);
    let desired = &desired(&plan);
    assert_eq!(verify(&claim(), desired, &written), None);
    let PolicyState::Ours(mut partial) = written else { panic!() };
    partial.statement[1].resource.pop();
    for (found, reason) in [
        (PolicyState::Absent, Reason::Progressing),
        (PolicyState::Ours(partial), Reason::Progressing),
        (PolicyState::Foreign(None), Reason::PolicyNameTaken),
    ] {
        assert_eq!(verify(&claim(), desired, &found).map(|finding| finding.reason), Some(reason));
    }
}

#[test]
fn iams_own_refusals_become_reasons() {
    let plan = first_plan();
    for (class, reason) in [
        (Class::Quota, Reason::PolicyTooLarge),
        (Class::NotFound, Reason::RoleNotFound),
        (Class::Protected, Reason::RoleProtected),
        (Class::Denied, Reason::PolicyIamDenied),
        (Class::Unavailable, Reason::PolicyIamUnavailable),
    ] {
        let fault = Fault { class, message: "m".to_owned() };
        assert_eq!(step_failed(&claim(), &plan, &plan.steps()[0], &fault, None).reason, reason);
    }
}

#[test]
fn what_an_owner_withdrew_and_someone_put_back_goes_though_drift_is_only_reported() {
    let target = Target::ApplicationProfile { source: region("us-east-1"), id: "app1".parse().unwrap() };
    let arn = target.owned(&account()).unwrap();
    let consenting = |value: &str| {
        let models = vec![model_arn(NOVA, "us-east-1")];
        let mut answers = us_answers();
        answers.targets.insert(target.clone(), Answer::Profile { arn: arn.clone(), models });
        answers.tags.insert(target.clone(), Ok([(consent::TAG.to_owned(), value.to_owned())].into()));
        answers
    };
    let report = Intent { drift_policy: DriftPolicy::Report, ..intent([us(), target.clone()]) };
    let absent = observed(PolicyState::Absent);
    let (PolicyState::Ours(both), _) = carried_out(&planned(&report, &consenting("team-a"), &absent, None))
    else {
        panic!()
    };
    let (PolicyState::Ours(mut edited), digest) = carried_out(&first_plan()) else { panic!() };
    edited.statement.extend(both.statement);
    let plan = planned(&report, &consenting("@none"), &observed(PolicyState::Ours(edited)), Some(&digest));
    let Some(document) = plan.steps().first().and_then(Step::text) else { panic!("it stays: {plan:?}") };
    let left = document.to_json();
    assert!(!left.contains("app1") && left.contains(US), "{left}");
}
