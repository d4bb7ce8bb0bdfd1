//! The right on a call's project, which goes with every grant and opens nothing by itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use bedrock_iam::authorisation::{covers, in_project};
use bedrock_iam::decide::{Cause, Change, cut};
use bedrock_iam::evaluate::{Decision, evaluate};
use bedrock_iam::revocation::Revoked;
use bedrock_iam::*;
use testing::world::*;

const SOURCE: &str = "us-east-1";

fn wanting(terms: Terms) -> Intent {
    Intent { terms, ..intent([profile(US, SOURCE)]) }
}

fn answer() -> Answers {
    answers([(profile(US, SOURCE), routes(US, SOURCE, &["us-east-1", "us-east-2"]))])
}

fn written(terms: Terms) -> Document {
    let plan = planned(&wanting(terms), &answer(), &observed(PolicyState::Absent), None);
    carried_out(&plan).0.document().unwrap().clone()
}

fn in_both() -> Terms {
    let projects = ["us-east-1", "eu-west-1"].map(|name| DefaultProjectArn::of(&account(), &region(name)));
    Terms { projects: projects.into(), ..Terms::default() }
}

#[test]
fn the_operations_are_allowed_on_the_default_project_of_each_source_region_and_on_no_other() {
    for operations in [Operations::Invoke, Operations::Stream, Operations::Both] {
        let document = written(Terms { operations, ..in_both() });
        for action in Operations::Both.actions() {
            let is_allowed = |project: &DefaultProjectArn| {
                evaluate(&[&document], &in_project(project, action)).unwrap() == Decision::Allowed
            };
            for project in in_both().projects {
                assert_eq!(is_allowed(&project), operations.actions().contains(action), "{operations:?}");
            }
            let other_region = DefaultProjectArn::of(&account(), &region("us-west-2"));
            let account = "999999999999".parse().unwrap();
            let other_account = DefaultProjectArn { account, ..other_region.clone() };
            assert!(!is_allowed(&other_region) && !is_allowed(&other_account));
        }
        assert!(!document.to_json().contains('*'));
    }
}

#[test]
fn a_guardrail_binds_the_models_and_not_the_project() {
    let arn = "arn:aws:bedrock:us-east-1:999999999999:guardrail/gr1".parse().unwrap();
    let guardrails = [Guardrail { arn, version: Some(2) }].into();
    let document = written(Terms { guardrails, ..in_default_project(SOURCE) });
    let of_project =
        document.statement.iter().find(|statement| statement.resource[0].ends_with("project/default"));
    assert!(of_project.unwrap().condition.is_empty());
}

#[test]
fn without_a_project_nothing_else_changes() {
    let (with, without) = (written(in_default_project(SOURCE)), written(Terms::default()));
    assert_eq!(with.statement.len(), without.statement.len() + 1);
    let grant = CurrentGrants::of(&without).grants().remove(0);
    assert!(covers(&[&without], &grant, &Terms::default()));
    assert!(!covers(&[&without], &grant, &in_default_project(SOURCE)), "the proof asks for the project too");
    assert!(covers(&[&with], &grant, &in_default_project(SOURCE)));
}

#[test]
fn a_policy_of_an_earlier_release_gets_the_project_once_and_is_not_called_drift() {
    let before = written(Terms::default());
    let digest = CanonicalPolicy::of(&before).digest();
    for drift_policy in [DriftPolicy::Enforce, DriftPolicy::Report] {
        let intent = Intent { drift_policy, ..wanting(in_default_project(SOURCE)) };
        let found = observed(PolicyState::Ours(before.clone()));
        let plan = planned(&intent, &answer(), &found, Some(&digest));
        assert!(matches!(change(&plan), Some(Change::Put { cause: Cause::Changed, .. })), "{plan:?}");
        assert_eq!(plan.findings, []);
        let (policy, digest) = carried_out(&plan);
        let next = planned(&intent, &answer(), &observed(policy), Some(&digest));
        assert_eq!((change(&next), next.findings), (None, vec![]));
    }
}

#[test]
fn nothing_to_grant_is_no_policy_and_a_withdrawal_leaves_no_project_behind() {
    let nothing = Intent { terms: in_default_project(SOURCE), ..intent([]) };
    assert_eq!(change(&planned(&nothing, &Answers::default(), &observed(PolicyState::Absent), None)), None);
    let policy = PolicyState::Ours(written(in_default_project(SOURCE)));
    let revoked = Revoked { targets: [profile_arn(US, SOURCE)].into(), ..Revoked::default() };
    let step = cut(&claim(), &policy, &revoked).unwrap();
    assert_eq!(step.change, Change::Delete);
}
