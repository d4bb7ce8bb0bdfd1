//! Which role is written to, and what is told of one that is not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use bedrock_iam::decide::{Change, step_failed, verify};
use bedrock_iam::*;
use testing::world::*;

#[test]
fn nothing_is_written_to_a_role_that_does_not_take_part() {
    let protected = |path: &str| {
        let RoleState::Found(mut role) = consenting() else { panic!() };
        role.arn.path = path.to_owned();
        RoleState::Found(role)
    };
    let fault = |class| RoleState::Fault(Fault { class, message: "m".to_owned() });
    let cases = [
        (RoleState::Missing, Reason::RoleNotFound),
        (protected("/aws-reserved/sso.amazonaws.com/"), Reason::RoleProtected),
        (protected("/aws-service-role/x.amazonaws.com/"), Reason::RoleProtected),
        (role(&[]), Reason::ConsentMissing),
        (role(&[("bedrockaccess.io/namespaces", "team-b")]), Reason::ConsentMissing),
        (fault(Class::Denied), Reason::RoleIamDenied),
        (fault(Class::Throttled), Reason::RoleIamUnavailable),
    ];
    for (role, reason) in cases {
        let plan = plan_on(&on(role, PolicyState::Absent));
        assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![reason]));
    }
}

#[test]
fn missing_consent_gives_the_exact_tag() {
    let plan = plan_on(&on(role(&[]), PolicyState::Absent));
    let message = &plan.findings[0].message;
    let command = "aws iam tag-role --role-name assistant --tags \"Key=bedrockaccess.io/namespaces,Value=";
    assert!(message.contains(command) && message.ends_with(" cluster/team-a\""), "{message}");
}

#[test]
fn nothing_is_told_of_a_role_that_does_not_consent_but_its_name_in_the_manifest() {
    let secret = [("bedrockaccess.io/namespaces", "prod/payroll deny:prod/security")];
    let RoleState::Found(mut found) = role(&secret) else { panic!() };
    found.arn.path = "/hidden/".to_owned();
    let in_manifest = "arn:aws:iam::111122223333:role/assistant".parse().unwrap();
    for role_arn in [None, Some(in_manifest)] {
        let asking = Intent { claim: Claim { role_arn, ..claim() }, ..intent([us()]) };
        let observed = on(RoleState::Found(found.clone()), PolicyState::Absent);
        let plan = planned(&asking, &us_answers(), &observed, None);
        for word in ["payroll", "security", "hidden", "AROA"] {
            assert!(!plan.findings[0].message.contains(word), "{:?}", plan.findings);
        }
    }
}

#[test]
fn an_answer_about_another_role_decides_nothing() {
    for (from, to) in [("assistant", "other"), ("111122223333", "999999999999"), (":aws:", ":aws-us-gov:")] {
        let RoleState::Found(mut found) = consenting() else { panic!() };
        found.arn = found.arn.to_string().replace(from, to).parse().unwrap();
        let policy = carried_out(&first_plan()).0;
        let plan = plan_on(&on(RoleState::Found(found), policy));
        assert_eq!(
            (change(&plan), reasons(&plan.findings)),
            (None, vec![Reason::RoleIamUnavailable]),
            "{to}"
        );
    }
    let RoleState::Found(mut found) = consenting() else { panic!() };
    found.arn.name = "Assistant".parse().unwrap();
    assert_eq!(plan_on(&on(RoleState::Found(found), PolicyState::Absent)).findings, []);
}

#[test]
fn withdrawn_consent_removes_the_grant_also_under_report_and_suspend() {
    let (policy, digest) = carried_out(&first_plan());
    let withdrawn = on(role(&[("bedrockaccess.io/namespaces", "@none")]), policy);
    let report = Intent { drift_policy: DriftPolicy::Report, ..intent([us()]) };
    let plan = planned(&report, &us_answers(), &withdrawn, Some(&digest));
    assert_eq!(
        (change(&plan), reasons(&plan.findings)),
        (Some(Change::Delete), vec![Reason::ConsentMissing])
    );
    assert_eq!(change(&suspended(&withdrawn)), Some(Change::Delete));
}

#[test]
fn a_suspended_object_changes_nothing_while_its_role_consents() {
    for role in [consenting(), RoleState::Missing] {
        let observed = on(role, PolicyState::Absent);
        assert_eq!(suspended(&observed), Plan::default());
    }
}

#[test]
fn a_role_that_outlives_its_tag_names_the_command_that_cleans_up() {
    let (policy, _) = carried_out(&first_plan());
    let plan = plan_on(&on(role(&[]), policy));
    let denied = Fault { class: Class::Denied, message: "denied".to_owned() };
    let finding = step_failed(&claim(), &plan, &plan.steps()[0], &denied, None);
    assert_eq!(finding.reason, Reason::ConsentMissing);
    assert!(
        finding
            .message
            .contains("aws iam delete-role-policy --role-name assistant --policy-name bedrock-access.team-a")
    );
}

#[test]
fn a_role_arn_must_match_whole_and_lie_in_the_account() {
    let with_arn = |arn: &str| Intent {
        claim: Claim { role_arn: Some(arn.parse().unwrap()), ..claim() },
        ..intent([us()])
    };
    let cases = [
        ("arn:aws:iam::111122223333:role/assistant", None),
        ("arn:aws:iam::111122223333:role/path/assistant", Some(Reason::RoleArnDiffers)),
        ("arn:aws:iam::999999999999:role/assistant", Some(Reason::AccountNotServed)),
        ("arn:aws-us-gov:iam::111122223333:role/assistant", Some(Reason::AccountNotServed)),
    ];
    for (arn, reason) in cases {
        let plan = planned(&with_arn(arn), &us_answers(), &observed(PolicyState::Absent), None);
        assert_eq!(reasons(&plan.findings), Vec::from_iter(reason), "{arn}");
        assert_eq!(change(&plan).is_some(), reason.is_none(), "{arn}");
    }
}

#[test]
fn denied_scopes_need_leave_of_their_own_and_nothing_is_written_without_it() {
    let denying = Intent {
        terms: Terms { denied_scopes: ["apac".parse().unwrap()].into(), ..terms(Operations::Both) },
        ..intent([us()])
    };
    let without = planned(&denying, &us_answers(), &observed(PolicyState::Absent), None);
    assert_eq!((change(&without), reasons(&without.findings)), (None, vec![Reason::ConsentMissing]));
    assert!(without.findings[0].message.ends_with(" deny:cluster/team-a\""), "{:?}", without.findings);

    let leave = role(&[("bedrockaccess.io/namespaces", "deny:team-a")]);
    let plan = planned(&denying, &us_answers(), &on(leave, PolicyState::Absent), None);
    assert_eq!(plan.findings, []);
    let (written, _) = carried_out(&plan);
    assert_eq!(verify(&claim(), &desired(&plan), &written), None);
}

#[test]
fn a_policy_that_waits_for_consent_to_be_moved_is_counted() {
    let (policy, _) = carried_out(&first_plan());
    let tenant = consent::Tenant { cluster_id: "former".to_owned(), ..claim().tenant };
    let former =
        Claim { identity: PolicyIdentity::derive("former", "team-a", "assistant"), tenant, ..claim() };
    let tag = ("bedrockaccess.io/namespaces", "former/team-a");
    let mut observed = on(role(&[tag]), PolicyState::Absent);
    observed.policies.insert(former.policy(), policy);
    let claim = Claim { former: Some(Box::new(former)), ..claim() };
    let plan = planned(&Intent { claim, ..intent([us()]) }, &us_answers(), &observed, None);
    assert_eq!((change(&plan), reasons(&plan.findings)), (None, vec![Reason::ConsentMissing]));
    let message = &plan.findings[0].message;
    assert!(message.ends_with("moved from is still on the role and grants 1"), "{message}");
}

#[test]
fn a_role_that_keeps_what_nobody_asked_it_for_loses_what_a_target_s_owner_withdraws() {
    let target = Target::ApplicationProfile { source: region("us-east-1"), id: "app1".parse().unwrap() };
    let arn = target.owned(&account()).unwrap();
    let models = vec![model_arn(NOVA, "us-east-1")];
    let mut answers = answers([(target.clone(), Answer::Profile { arn: arn.clone(), models })]);
    let asking = |policy| {
        let tenant = consent::Tenant { policy, ..claim().tenant };
        Claim { tenant, ..claim() }
    };
    let wanting = |policy| Intent { claim: asking(policy), ..intent([target.clone()]) };
    let everything = wanting(consent::ConsentPolicy::None);
    let (policy, _) = carried_out(&planned(&everything, &answers, &on(role(&[]), PolicyState::Absent), None));
    let observed = on(role(&[]), policy);
    let unconfirmed = wanting(consent::ConsentPolicy::Unconfirmed);
    answers.tags.insert(target.clone(), Ok([(consent::TAG.to_owned(), "team-a".to_owned())].into()));
    assert_eq!(change(&planned(&unconfirmed, &answers, &observed, None)), None);
    answers.tags.insert(target.clone(), Ok([(consent::TAG.to_owned(), "@none".to_owned())].into()));
    assert_eq!(change(&planned(&unconfirmed, &answers, &observed, None)), Some(Change::Delete));
    let as_is = Wish::AsIs(asking(consent::ConsentPolicy::Unconfirmed), None);
    assert_eq!(change(&planned_for(&as_is, &answers, &observed)), Some(Change::Delete));
}
