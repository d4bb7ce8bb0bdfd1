//! How long it stays: as long as it is wanted, and it comes with the first grant.

use bedrock_iam::decide::{Cause, Change, cut};
use bedrock_iam::revocation::Revoked;
use bedrock_iam::*;
use testing::world::*;

use super::world::*;

/// Each extra by itself, then all of them.
pub(crate) fn every() -> Vec<Extras> {
    let discovery = Extras { discovery: in_sources(), ..Extras::default() };
    let count_tokens = Extras { count_tokens: true, ..Extras::default() };
    let stored_responses = Extras { stored_responses: default_projects(), ..Extras::default() };
    let all = Extras { count_tokens: true, ..discovery.clone() };
    let api_keys = Extras { api_keys: true, ..Extras::default() };
    let all = Extras { stored_responses: default_projects(), api_keys: true, ..all };
    vec![discovery, count_tokens, stored_responses, api_keys, all]
}

#[test]
fn what_is_written_is_read_back_and_then_stays() {
    for extras in every() {
        let document = written(extras.clone());
        let held = CurrentGrants::of(&document);
        let terms = wanting(extras.clone()).terms;
        assert_eq!(*held.extras(), Extra::of(&held.grants(), &terms));
        assert_eq!(held.count(), 2 + held.extras().len());
        assert_eq!(
            held.grants(),
            CurrentGrants::of(&written(Extras::default())).grants(),
            "grants are read as before"
        );
        assert_eq!(plan(&wanting(extras), &answer(), Some(&document)).steps(), []);
    }
}

#[test]
fn it_is_added_to_a_policy_and_taken_back_and_neither_is_called_drift() {
    let without = written(Extras::default());
    for extras in every() {
        let with = written(extras.clone());
        let added = plan(&wanting(extras), &answer(), Some(&without));
        let shrunk = plan(&wanting(Extras::default()), &answer(), Some(&with));
        for (plan, expected) in [(added, &with), (shrunk, &without)] {
            assert_eq!((plan.steps()[0].cause(), &put(&plan).document), (Some(Cause::Changed), expected));
            assert_eq!(plan.findings, []);
        }
    }
}

#[test]
fn an_edit_of_it_is_drift_that_names_its_statement() {
    for extras in every() {
        let document = written(extras.clone());
        let mut edited = document.clone();
        let gone = edited.statement.pop().unwrap();
        let plan = plan(&wanting(extras), &answer(), Some(&edited));
        assert_eq!((plan.steps()[0].cause(), &put(&plan).document), (Some(Cause::Drift), &document));
        let told = diff::drift(&claim().identity, &document, Some(&edited));
        assert_eq!(told, format!("{} had been removed", gone.sid.unwrap()));
    }
}

#[test]
fn where_nothing_may_be_called_nothing_new_is_granted() {
    for extras in every() {
        let plan = plan(&wanting(extras), &no_answer(), None);
        assert_eq!((plan.steps(), plan.findings.is_empty()), (&[][..], false));
    }
}

#[test]
fn models_that_no_longer_resolve_take_away_nothing_and_add_nothing() {
    for extras in every() {
        let held = written(extras.clone());
        assert_eq!(plan(&wanting(extras.clone()), &no_answer(), Some(&held)).steps(), []);
        // Another manifest, with a typo in every model.
        let typo = profile("us.amazon.typo-v1:0", "us-east-1");
        let typo_only = Intent { targets: [typo.clone()].into(), ..wanting(extras) };
        let not_found = answers([(typo, Answer::NotFound)]);
        let plan_for = |held: &Document| plan(&typo_only, &not_found, Some(held));
        if Extra::of(&[], &typo_only.terms).is_empty() {
            assert_eq!(
                change(&plan_for(&held)),
                Some(Change::Delete),
                "it is about the granted models alone"
            );
            continue;
        }
        let left = &put(&plan_for(&held)).document.clone();
        assert_eq!(CurrentGrants::of(left).grants(), []);
        assert_eq!(CurrentGrants::of(left).extras(), &Extra::of(&[], &typo_only.terms), "it is still wanted");
        assert_eq!(plan_for(left).steps(), []);
        assert_eq!(change(&plan_for(&written(Extras::default()))), Some(Change::Delete));
    }
}

#[test]
fn while_bedrock_is_out_an_edited_policy_loses_no_grant_for_it() {
    for extras in every() {
        let mut edited = written(extras.clone());
        // Nothing is read of a profile's models without the condition.
        edited.statement.iter_mut().for_each(|statement| {
            statement.condition.retain(|_, keys| keys.remove("bedrock:InferenceProfileArn").is_none());
        });
        let out = answers(targets().map(|target| (target, unavailable())));
        assert_eq!(plan(&wanting(extras), &out, Some(&edited)).steps(), []);
    }
}

#[test]
fn a_withdrawal_leaves_what_is_not_about_the_withdrawn_target() {
    let is_about = |document: &Document, source: &str| document.to_json().contains(&model_arn(NOVA, source));
    for extras in every() {
        let policy = PolicyState::Ours(written(extras.clone()));
        let targets = [profile_arn(US, "us-east-1")];
        let step =
            cut(&claim(), &policy, &Revoked { targets: targets.into(), ..Revoked::default() }).unwrap();
        let Change::Put { desired, .. } = step.change else { panic!() };
        assert_eq!(CurrentGrants::of(&desired.document).grants().len(), 1);
        assert!(is_about(&desired.document, "eu-west-1") && !is_about(&desired.document, "us-east-1"));
        let left = CurrentGrants::of(&desired.document);
        assert_eq!(left.extras(), &Extra::of(&left.grants(), &wanting(extras).terms));
    }
}

#[test]
fn without_the_role_s_consent_and_with_the_object_it_goes() {
    for extras in every() {
        let policy = PolicyState::Ours(written(extras.clone()));
        let withdrawn = planned(&wanting(extras), &answer(), &on(role(&[]), policy.clone()), None);
        let deleted = planned_for(&Wish::Gone(claim()), &Answers::default(), &observed(policy));
        for plan in [withdrawn, deleted] {
            assert_eq!(change(&plan), Some(Change::Delete));
        }
    }
}

#[test]
fn neither_a_lock_nor_a_denied_scope_changes_by_it() {
    for extras in every() {
        let locked = |extras| Intent {
            allowed_destination_regions: lock(&["eu-west-1", "eu-central-1"]),
            ..wanting(extras)
        };
        let grants =
            |extras| CurrentGrants::of(&put(&plan(&locked(extras), &answer(), None)).document).grants();
        assert_eq!(grants(extras.clone()), grants(Extras::default()));
        let denied_scopes: std::collections::BTreeSet<Scope> =
            ["apac", "global"].map(|scope| scope.parse().unwrap()).into();
        let denials = |extras| {
            let terms = Terms { denied_scopes: denied_scopes.clone(), extras, ..Terms::default() };
            let grants = CurrentGrants::of(&written(Extras::default())).grants();
            let document =
                policy::document(&claim().identity, &account(), &grants, &terms, policy::Form::Explicit);
            let denying =
                document.unwrap().statement.into_iter().filter(|s| s.effect == document::Effect::Deny);
            denying.collect::<Vec<_>>()
        };
        assert_eq!(denials(extras), denials(Extras::default()));
    }
}
