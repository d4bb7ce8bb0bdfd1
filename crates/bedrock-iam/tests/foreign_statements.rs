//! Statements that someone else puts into our policy: kept in meaning, told of, and no shield for ours.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use std::collections::BTreeSet;

use bedrock_iam::decide::{Cause, Change, Remembered, cut, teardown, verify};
use bedrock_iam::document::Statement;
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
    plan.steps().first().map_or_else(|| policy.whole().unwrap(), |step| step.text().unwrap())
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
    assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::ForeignStatements]));
    assert!(plan.findings[0].message.contains("one without a Sid"), "{:?}", plan.findings);
    assert_eq!(verify(&claim(), &desired(&plan), &policy), None);
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
        assert!(matches!(change(&plan), Some(Change::Put { cause: of, .. }) if of == cause), "{plan:?}");
        assert_eq!(reasons(&plan.findings), [Reason::ForeignStatements]);
        let left = after(&plan, &policy);
        assert_kept(&left);
        let read_back = PolicyState::of(&left.to_json(), &claim().identity);
        assert_eq!(read_back, plan.steps()[0].leaves());
        assert_eq!(verify(&claim(), &desired(&plan), &read_back), None);
    }
}

#[test]
fn ours_go_and_they_stay_when_consent_is_withdrawn_or_the_object_is_deleted_or_wants_nothing() {
    let policy = beside(written());
    let withdrawn = on(role(&[(consent::TAG, "@none")]), policy.clone());
    let nothing = planned(&intent([]), &Answers::default(), &observed(policy.clone()), None);
    let plans = [
        ("withdrawn", planned(&intent([us()]), &us_answers(), &withdrawn, None)),
        ("suspended", suspended(&withdrawn)),
        ("torn down", teardown(&claim(), &policy)),
        ("deleted", planned_for(&Wish::Gone(claim()), &Answers::default(), &observed(policy.clone()))),
        ("nothing wanted", nothing),
    ];
    for (what, plan) in plans {
        assert!(matches!(change(&plan), Some(Change::CutOut { .. })), "{what}: {plan:?}");
        assert!(!reasons(&plan.findings).contains(&Reason::ForeignStatements), "{what}");
        let left = after(&plan, &policy);
        assert_kept(&left);
        assert_eq!((ours_in(&left), left.statement.len()), (0, 1), "{what}");
        let read_back = PolicyState::of(&left.to_json(), &claim().identity);
        assert!(read_back.is_foreign());
        assert_eq!(verify(&claim(), &desired(&plan), &read_back), None, "{what}");
    }
}

#[test]
fn what_a_target_s_owner_withdraws_is_cut_out_around_them() {
    let policy = beside(written());
    let revoked = Revoked { targets: [profile_arn(US, SOURCE)].into(), ..Revoked::default() };
    let left = cut(&claim(), &policy, &revoked).unwrap().text().unwrap();
    assert_kept(&left);
    assert_eq!(ours_in(&left), 0);
}

#[test]
fn one_whose_sid_looks_like_ours_is_theirs_all_the_same_and_no_sid_stands_twice() {
    for (sid, effect) in
        [("BedrockAccess3", "Allow"), ("BedrockAccess3", "Deny"), ("BedrockAccess9", "Allow")]
    {
        let mut document = written();
        let theirs = S3.replacen('{', &format!(r#"{{"Sid":"{sid}","#), 1).replace("Allow", effect);
        let ours = document.statement.len();
        document.statement.push(serde_json::from_str(&theirs).unwrap());
        let policy = PolicyState::of(&document.to_json(), &claim().identity);
        assert_eq!(policy.document().unwrap().statement.len(), ours, "{sid}");
        let unchanged = planned(&intent([us()]), &us_answers(), &observed(policy.clone()), None);
        assert_eq!(
            (change(&unchanged), reasons(&unchanged.findings)),
            (None, vec![Reason::ForeignStatements])
        );

        let more = |name: &str| (profile(name, SOURCE), routes(name, SOURCE, &["us-east-1", "us-west-2"]));
        let names = ["us.amazon.nova-micro-v1:0", "us.amazon.nova-pro-v1:0"];
        let wanted = intent(names.map(|name| profile(name, SOURCE)).into_iter().chain([us()]));
        let answers =
            answers(names.map(more).into_iter().chain([(us(), routes(US, SOURCE, &["us-east-1"]))]));
        let left = after(&planned(&wanted, &answers, &observed(policy.clone()), None), &policy);
        let sids: Vec<_> = left.statement.iter().filter_map(|statement| statement.sid.clone()).collect();
        assert_eq!(sids.iter().collect::<BTreeSet<_>>().len(), sids.len(), "{sids:?}");
        let kept = Statement { sid: None, ..serde_json::from_str(&theirs).unwrap() };
        let is_kept = |found: &Statement| Statement { sid: None, ..found.clone() } == kept;
        assert!(left.statement.iter().any(is_kept), "{}", left.to_json());
    }
}

#[test]
fn where_the_seal_covers_no_row_of_ours_one_was_edited_and_all_that_look_like_ours_are_put_right() {
    let mut document = written();
    document.statement[1].action = vec!["bedrock:*".to_owned()];
    let all = document.statement.len();
    let policy = PolicyState::of(&document.to_json(), &claim().identity);
    assert_eq!(policy.document().unwrap().statement.len(), all);
    assert!(matches!(
        change(&planned(&intent([us()]), &us_answers(), &observed(policy), None)),
        Some(Change::Put { .. })
    ));
}

#[test]
fn a_policy_that_lost_our_mark_is_counted_and_told_of_although_it_is_left_alone() {
    let mut document = written();
    document.statement[0].sid = Some("Anything".to_owned());
    let policy = PolicyState::of(&document.to_json(), &claim().identity);
    let wanted = planned(&intent([us()]), &us_answers(), &observed(policy.clone()), None);
    assert!(wanted.findings[0].message.contains("grants 1 of"), "{:?}", wanted.findings);
    let withdrawn = on(role(&[(consent::TAG, "@none")]), policy);
    let refused = planned(&intent([us()]), &us_answers(), &withdrawn, None);
    assert_eq!((change(&refused), reasons(&refused.findings)), (None, vec![Reason::ConsentMissing]));
    let message = &refused.findings[0].message;
    assert!(
        message.contains("is still on the role without this operator's mark and grants 1: remove it with aws iam delete-role-policy"),
        "{message}"
    );
}

#[test]
fn a_document_that_holds_theirs_alone_is_in_nobody_s_way_while_nothing_is_wanted() {
    let nothing = planned(&intent([]), &Answers::default(), &observed(PolicyState::Foreign(None)), None);
    assert_eq!((change(&nothing), nothing.findings), (None, vec![]));
    let wanted = planned(&intent([us()]), &us_answers(), &observed(PolicyState::Foreign(None)), None);
    assert_eq!((change(&wanted), reasons(&wanted.findings)), (None, vec![Reason::PolicyNameTaken]));
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
    let all = put(&plan).document.to_json();
    assert!(!all.contains("us-west-2"), "what a copy of theirs holds was never answered: {all}");
}

#[test]
fn a_stale_read_of_ours_brings_no_write_over_theirs() {
    let policy = beside(written());
    let withdrawn = on(role(&[(consent::TAG, "@none")]), policy.clone());
    let wish = Wish::InStep(Box::new(intent([us()])));
    let first = decide(&wish, &us_answers(), &withdrawn, &Remembered::default(), &pace());
    let mut remembered = first.remembered;
    remembered.wrote(&first.believed, &first.plan.steps()[0], None);
    let stale = decide(&wish, &us_answers(), &withdrawn, &remembered, &pace());
    assert!(stale.believed.policy(&claim().policy()).is_foreign());
    assert_eq!(reasons(&stale.plan.findings), [Reason::ConsentMissing, Reason::Progressing]);
    let shown = on(role(&[(consent::TAG, "@none")]), PolicyState::Foreign(None));
    let later = decide(&wish, &us_answers(), &shown, &stale.remembered, &pace());
    assert_eq!(reasons(&later.plan.findings), [Reason::ConsentMissing]);
}
