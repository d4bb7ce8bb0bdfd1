//! Statements that someone else puts into our policy: kept in meaning, told of, and no shield for ours.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use bedrock_iam::document::Statement;
use bedrock_iam::plan::{Cause, plan_withdrawal, release, teardown, verify};
use bedrock_iam::revocation::Revoked;
use bedrock_iam::*;
use testing::world::*;

const SOURCE: &str = "us-east-1";

/// In the version in which the variable is a plain text, and without a Sid as the console writes one.
const S3: &str =
    r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/${aws:username}"}"#;

fn written() -> Document {
    let plan = planned(&intent([us()]), &us_answers(), &observed(PolicyState::Absent), None);
    carried_out(&plan).0.document().unwrap().clone()
}

/// Our document with someone else's statement in the middle of it, in the old version of the grammar.
fn beside(mut ours: Document) -> PolicyState {
    "2008-10-17".clone_into(&mut ours.version);
    ours.statement.insert(1, serde_json::from_str(S3).unwrap());
    PolicyState::of(&ours.to_json(), &claim().identity)
}

fn after(plan: &Plan, policy: &PolicyState) -> Document {
    plan.step.as_ref().map_or_else(|| policy.whole().unwrap(), |step| step.text().unwrap())
}

fn assert_kept(document: &Document) {
    let theirs: Statement = serde_json::from_str(S3).unwrap();
    assert!(document.statement.contains(&theirs), "{}", document.to_json());
    assert_eq!(document.version, "2008-10-17", "the variable in it would begin to mean something");
}

fn ours_in(document: &Document) -> usize {
    PolicyState::of(&document.to_json(), &claim().identity).document().map_or(0, |ours| ours.statement.len())
}

#[test]
fn they_are_told_and_nothing_is_written_while_ours_are_exact() {
    let policy = beside(written());
    let plan = planned(&intent([us()]), &us_answers(), &observed(policy.clone()), None);
    assert_eq!((plan.step.clone(), reasons(&plan.findings)), (None, vec![Reason::ForeignStatements]));
    assert!(plan.findings[0].message.contains("one without a Sid"), "{:?}", plan.findings);
    assert_eq!(verify(&claim(), plan.desired.as_ref().unwrap(), &policy), None);
}

#[test]
fn ours_are_put_right_and_changed_around_them() {
    let mut edited = written();
    edited.statement[1].action = vec!["bedrock:*".to_owned()];
    let narrow = answers([(us(), routes(US, SOURCE, &["us-east-1"]))]);
    let accepted = Intent {
        accepted_shrink: Some(intent::AcceptedShrink { profile: US.to_owned(), source: None }),
        ..intent([us()])
    };
    for (policy, intent, answers, cause) in [
        (beside(edited), intent([us()]), us_answers(), Cause::Drift),
        (beside(written()), accepted, narrow, Cause::Changed),
    ] {
        let plan = planned(&intent, &answers, &observed(policy.clone()), None);
        assert!(matches!(plan.step, Some(Step::Put { cause: of, .. }) if of == cause), "{plan:?}");
        assert_eq!(reasons(&plan.findings), [Reason::ForeignStatements]);
        let left = after(&plan, &policy);
        assert_kept(&left);
        let read_back = PolicyState::of(&left.to_json(), &claim().identity);
        assert_eq!(read_back, plan.step.unwrap().leaves());
        assert_eq!(verify(&claim(), &plan.desired.unwrap(), &read_back), None);
    }
}

#[test]
fn ours_go_and_they_stay_when_consent_is_withdrawn_or_the_object_is_deleted_or_wants_nothing() {
    let policy = beside(written());
    let withdrawn = Observed { role: role(&[(consent::TAG, "@none")]), policy: policy.clone() };
    let nothing = planned(&intent([]), &Answers::default(), &observed(policy.clone()), None);
    let plans = [
        ("withdrawn", planned(&intent([us()]), &us_answers(), &withdrawn, None)),
        ("suspended", plan_withdrawal(&claim(), &account(), &withdrawn, &Revoked::default())),
        ("torn down", teardown(&policy)),
        ("deleted", release(&claim(), &account(), &observed(policy.clone()), None)),
        ("nothing wanted", nothing),
    ];
    for (what, plan) in plans {
        assert!(matches!(plan.step, Some(Step::CutOut { .. })), "{what}: {plan:?}");
        assert!(!reasons(&plan.findings).contains(&Reason::ForeignStatements), "{what}");
        let left = after(&plan, &policy);
        assert_kept(&left);
        assert_eq!((ours_in(&left), left.statement.len()), (0, 1), "{what}");
        let read_back = PolicyState::of(&left.to_json(), &claim().identity);
        assert_eq!(read_back, PolicyState::Foreign);
        assert_eq!(verify(&claim(), &plan.desired.unwrap(), &read_back), None, "{what}");
    }
}

#[test]
fn what_a_target_s_owner_withdraws_is_cut_out_around_them() {
    let policy = beside(written());
    let arn = profile_arn(US, SOURCE);
    let revoked = Revoked { targets: [arn].into(), ..Revoked::default() };
    let plan = plan_withdrawal(&claim(), &account(), &observed(policy.clone()), &revoked);
    assert!(plan.is_withdrawal);
    let left = after(&plan, &policy);
    assert_kept(&left);
    assert_eq!(ours_in(&left), 0);
}

#[test]
fn a_document_that_holds_theirs_alone_is_in_nobody_s_way_while_nothing_is_wanted() {
    let nothing = planned(&intent([]), &Answers::default(), &observed(PolicyState::Foreign), None);
    assert_eq!((nothing.step, nothing.findings), (None, vec![]));
    let wanted = planned(&intent([us()]), &us_answers(), &observed(PolicyState::Foreign), None);
    assert_eq!((wanted.step, reasons(&wanted.findings)), (None, vec![Reason::PolicyNameTaken]));
}

#[test]
fn a_grant_that_is_still_wanted_is_kept_by_our_statements_alone() {
    let mut theirs = written();
    theirs.statement.iter_mut().for_each(|statement| statement.sid = None);
    let mut document = written();
    document.statement.truncate(1);
    document.statement.extend(theirs.statement);
    let policy = PolicyState::of(&document.to_json(), &claim().identity);
    let narrow = answers([(us(), routes(US, SOURCE, &["us-east-1"]))]);
    let plan = planned(&intent([us()]), &narrow, &observed(policy), None);
    let Some(Step::Put { document, .. }) = plan.step else { panic!("{:?}", plan.findings) };
    let all = document.to_json();
    assert!(!all.contains("us-west-2"), "what a copy of theirs holds was never answered: {all}");
}

#[test]
fn a_stale_read_of_ours_brings_no_write_over_theirs() {
    let policy = beside(written());
    let withdrawn = Observed { role: role(&[(consent::TAG, "@none")]), policy: policy.clone() };
    let step = planned(&intent([us()]), &us_answers(), &withdrawn, None).step.unwrap();
    let mut unsettled = Unsettled::after(None, &withdrawn, &step).unwrap();
    assert_eq!(unsettled.believe_policy(policy), PolicyState::Foreign);
    assert!(unsettled.finding(&claim()).is_some());
    assert_eq!(unsettled.believe_policy(PolicyState::Foreign), PolicyState::Foreign);
    assert_eq!(unsettled.finding(&claim()), None);
}
