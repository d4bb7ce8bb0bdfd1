//! From what is wanted and what is there to the one write.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use bedrock_iam::plan::{Cause, plan_withdrawal, step_failed, teardown, verify};
use bedrock_iam::policy::{Form, INLINE_QUOTA};
use bedrock_iam::revocation::Revoked;
use bedrock_iam::size::cannot_fit;
use bedrock_iam::*;
use testing::real_profiles;
use testing::world::*;

const US: &str = "us.amazon.nova-2-lite-v1:0";

fn us() -> Target {
    profile(US, "us-east-1")
}

fn answer() -> Answers {
    answers([(us(), routes(US, "us-east-1", &["us-east-1", "us-east-2", "us-west-2"]))])
}

fn fresh() -> Plan {
    planned(&intent([us()]), &answer(), &observed(PolicyState::Absent), None)
}

fn refused(observed: &Observed) -> Plan {
    planned(&intent([us()]), &answer(), observed, None)
}

#[test]
fn a_new_object_gets_its_policy_and_then_stays() {
    let first = fresh();
    assert!(matches!(first.step, Some(Step::Put { cause: Cause::New, .. })));
    let (policy, digest) = carried_out(&first);
    let second = planned(&intent([us()]), &answer(), &observed(policy), Some(&digest));
    assert_eq!((second.step, second.findings), (None, Vec::new()));
}

#[test]
fn what_someone_removed_or_edited_is_restored() {
    let (policy, digest) = carried_out(&fresh());
    let PolicyState::Ours(mut edited) = policy else { panic!() };
    edited.statement[1].resource.pop();
    for found in [PolicyState::Absent, PolicyState::Ours(edited)] {
        let plan = planned(&intent([us()]), &answer(), &observed(found), Some(&digest));
        assert!(matches!(plan.step, Some(Step::Put { cause: Cause::Drift, .. })), "{plan:?}");
    }
}

#[test]
fn under_report_drift_is_reported_and_left_but_a_changed_spec_is_written() {
    let report =
        |operations| Intent { drift_policy: DriftPolicy::Report, terms: terms(operations), ..intent([us()]) };
    let both = report(Operations::Both);
    assert!(planned(&both, &answer(), &observed(PolicyState::Absent), None).step.is_some(), "new");

    let (_, digest) = carried_out(&fresh());
    let drifted = planned(&both, &answer(), &observed(PolicyState::Absent), Some(&digest));
    assert_eq!((drifted.step, reasons(&drifted.findings)), (None, vec![Reason::DriftDetected]));

    let changed = report(Operations::Invoke);
    let plan = planned(&changed, &answer(), &observed(PolicyState::Absent), Some(&digest));
    assert!(matches!(plan.step, Some(Step::Put { cause: Cause::Changed, .. })));
}

#[test]
fn while_bedrock_does_not_answer_an_edited_policy_is_neither_removed_nor_under_report_rewritten() {
    let (written, digest) = carried_out(&fresh());
    let PolicyState::Ours(mut document) = written.clone() else { panic!() };
    document.statement.truncate(1);
    for drift_policy in [DriftPolicy::Enforce, DriftPolicy::Report] {
        let intent = Intent { drift_policy, ..intent([us()]) };
        let silent = answers([(us(), unavailable())]);
        let cut = observed(PolicyState::Ours(document.clone()));
        let plan = planned(&intent, &silent, &cut, Some(&digest));
        assert_eq!((plan.step, reasons(&plan.findings)), (None, vec![Reason::BedrockUnavailable]));
    }
    let micro = profile("us.amazon.nova-micro-v1:0", "us-east-1");
    let report = Intent { drift_policy: DriftPolicy::Report, ..intent([us(), micro.clone()]) };
    let both = answers([
        (us(), routes(US, "us-east-1", &["us-east-1"])),
        (micro.clone(), routes("us.amazon.nova-micro-v1:0", "us-east-1", &["us-east-1"])),
    ]);
    let (_, digest) = carried_out(&planned(&report, &both, &observed(PolicyState::Absent), None));
    let one =
        Answers { targets: [(micro, unavailable())].into_iter().chain(answer().targets).collect(), ..both };
    let removed = planned(&report, &one, &observed(PolicyState::Absent), Some(&digest));
    assert_eq!(removed.step, None, "someone removed it, and Report only reports");
}

#[test]
fn a_policy_that_says_the_same_differently_is_not_rewritten() {
    let (PolicyState::Ours(document), digest) = carried_out(&fresh()) else { panic!() };
    let mut other = document;
    other.statement.reverse();
    for statement in &mut other.statement {
        statement.resource.reverse();
        statement.action = statement.action.iter().map(|action| action.to_uppercase()).collect();
    }
    let plan = planned(&intent([us()]), &answer(), &observed(PolicyState::Ours(other)), Some(&digest));
    assert_eq!(plan.step, None);
}

#[test]
fn a_policy_of_our_name_that_is_not_ours_is_never_touched() {
    for (what, plan) in [
        ("kept", refused(&observed(PolicyState::Foreign))),
        ("withdrawn", refused(&Observed { role: role(&[]), policy: PolicyState::Foreign })),
        ("deleted", teardown(&PolicyState::Foreign)),
    ] {
        assert_eq!(plan.step, None, "{what}");
    }
    assert_eq!(reasons(&refused(&observed(PolicyState::Foreign)).findings), [Reason::PolicyNameTaken]);
}

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
        let plan = refused(&Observed { role, policy: PolicyState::Absent });
        assert_eq!((plan.step, reasons(&plan.findings)), (None, vec![reason]));
    }
}

#[test]
fn missing_consent_gives_the_exact_tag() {
    let plan = refused(&Observed { role: role(&[]), policy: PolicyState::Absent });
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
        let observed = Observed { role: RoleState::Found(found.clone()), policy: PolicyState::Absent };
        let plan = planned(&asking, &answer(), &observed, None);
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
        let policy = carried_out(&fresh()).0;
        let plan = refused(&Observed { role: RoleState::Found(found), policy });
        assert_eq!((plan.step, reasons(&plan.findings)), (None, vec![Reason::RoleIamUnavailable]), "{to}");
    }
    let RoleState::Found(mut found) = consenting() else { panic!() };
    found.arn.name = "Assistant".parse().unwrap();
    assert_eq!(
        refused(&Observed { role: RoleState::Found(found), policy: PolicyState::Absent }).findings,
        []
    );
}

#[test]
fn withdrawn_consent_removes_the_grant_also_under_report_and_suspend() {
    let (policy, digest) = carried_out(&fresh());
    let withdrawn = Observed { role: role(&[("bedrockaccess.io/namespaces", "@none")]), policy };
    let report = Intent { drift_policy: DriftPolicy::Report, ..intent([us()]) };
    let plan = planned(&report, &answer(), &withdrawn, Some(&digest));
    assert_eq!((plan.step, reasons(&plan.findings)), (Some(Step::Delete), vec![Reason::ConsentMissing]));
    assert_eq!(
        plan_withdrawal(&claim(), &account(), &withdrawn, &Revoked::default()).step,
        Some(Step::Delete)
    );
}

#[test]
fn a_suspended_object_changes_nothing_while_its_role_consents() {
    for role in [consenting(), RoleState::Missing] {
        let observed = Observed { role, policy: PolicyState::Absent };
        assert_eq!(plan_withdrawal(&claim(), &account(), &observed, &Revoked::default()), Plan::default());
    }
}

#[test]
fn a_role_that_outlives_its_tag_names_the_command_that_cleans_up() {
    let (policy, _) = carried_out(&fresh());
    let plan = refused(&Observed { role: role(&[]), policy });
    let denied = Fault { class: Class::Denied, message: "denied".to_owned() };
    let finding = step_failed(&claim(), &account(), &plan, &denied, None);
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
        let plan = planned(&with_arn(arn), &answer(), &observed(PolicyState::Absent), None);
        assert_eq!(reasons(&plan.findings), Vec::from_iter(reason), "{arn}");
        assert_eq!(plan.step.is_some(), reason.is_none(), "{arn}");
    }
}

/// The plan for the first `count` profiles that are visible in us-east-1.
fn plan_for(count: usize, last_written: Option<&Digest>) -> Plan {
    let mut grants = Vec::new();
    for (id, sources) in real_profiles().into_iter().take(152) {
        if let Some(destinations) = sources.get("us-east-1") {
            let destinations: Vec<&str> = destinations.iter().map(String::as_str).collect();
            grants.push((profile(&id, "us-east-1"), routes(&id, "us-east-1", &destinations)));
        }
    }
    grants.reverse();
    grants.truncate(count);
    let intent = intent(grants.iter().map(|(target, _)| target.clone()));
    planned(&intent, &answers(grants), &observed(PolicyState::Absent), last_written)
}

fn is_factored(plan: &Plan) -> bool {
    let (PolicyState::Ours(document), _) = carried_out(plan) else { panic!() };
    document.to_json().contains("aws:RequestedRegion")
}

#[test]
fn the_explicit_form_is_written_while_it_fits_then_the_factored_one_then_nothing() {
    let mut counts = (1..95).peekable();
    let mut largest = |fits: &dyn Fn(&Plan) -> bool| {
        let mut last = 0;
        while let Some(count) = counts.next_if(|count| fits(&plan_for(*count, None))) {
            last = count;
        }
        last
    };
    let explicit = largest(&|plan| plan.step.is_some() && !is_factored(plan));
    let factored = largest(&|plan| plan.step.is_some() && is_factored(plan));
    assert!(explicit > 0 && factored > explicit, "{explicit} explicit, {factored} factored");
    let (PolicyState::Ours(document), _) = carried_out(&plan_for(factored, None)) else { panic!() };
    assert!(document.characters() <= INLINE_QUOTA);
    let beyond = plan_for(factored + 1, None);
    assert_eq!((&beyond.step, reasons(&beyond.findings)), (&None, vec![Reason::PolicyTooLarge]));
    let what_fits = format!("into which {factored} of the grants fit");
    assert!(beyond.findings[0].message.contains(&what_fits), "{}", beyond.findings[0].message);
}

/// The most of these grants, in their order, that a role has room for.
fn fitting(grants: &[Grant], form: Form) -> usize {
    let size = |count: usize| {
        let document = bedrock_iam::policy::document(
            &intent([]).claim.identity,
            &account(),
            &grants[..count],
            &in_default_project("us-east-1"),
            form,
        );
        document.unwrap().characters()
    };
    (1..=grants.len()).take_while(|count| size(*count) <= INLINE_QUOTA).count()
}

#[test]
fn the_documentation_says_how_many_grants_fit_in_each_form() {
    let source = "us-east-1";
    let mut kinds: [(&str, Vec<Grant>); 4] = [
        ("geographic profiles (`us`)", Vec::new()),
        ("`global` profiles", Vec::new()),
        ("models on demand", Vec::new()),
        ("models of the account's own", Vec::new()),
    ];
    for (id, sources) in real_profiles() {
        let Some(destinations) = sources.get(source) else { continue };
        let destinations: Vec<&str> = destinations.iter().map(String::as_str).collect();
        let Answer::Profile { arn, models } = routes(&id, source, &destinations) else { panic!() };
        let models = models.iter().map(|model| model.parse().unwrap()).collect();
        let (scope, model) = id.split_once('.').unwrap();
        kinds[usize::from(scope == "global")].1.push(Grant::Profile { arn: arn.parse().unwrap(), models });
        kinds[2].1.push(Grant::OnDemand { model: model_arn(model, source).parse().unwrap() });
    }
    kinds[3].1.extend((100..200).map(|n| {
        let arn = format!("arn:aws:bedrock:{source}:{ACCOUNT}:provisioned-model/abcdefghi{n}");
        Grant::OwnModel { arn: arn.parse().unwrap() }
    }));
    let documentation = include_str!("../docs/grants.md");
    for (kind, grants) in kinds {
        let said =
            |count: usize| if count < grants.len() { count.to_string() } else { format!("all {count}") };
        let [explicit, factored] = [Form::Explicit, Form::Factored].map(|form| said(fitting(&grants, form)));
        let row = format!("| {kind} | {explicit} | {factored} |");
        println!("{row}");
        assert!(documentation.contains(&row), "docs/grants.md has no row {row}");
    }
}

#[test]
fn a_smaller_form_is_ready_for_when_iam_has_no_room_and_is_then_kept() {
    let Some(Step::Put { smaller: Some(smaller), .. }) = plan_for(3, None).step else { panic!() };
    let digest = Meaning::of(&smaller).digest();
    let again = plan_for(3, Some(&digest));
    assert!(is_factored(&again), "what IAM took is restored after drift");
    assert!(matches!(again.step, Some(Step::Put { cause: Cause::Drift, smaller: None, .. })));
    assert!(!is_factored(&plan_for(2, Some(&digest))), "a changed spec tries the explicit form again");
}

#[test]
fn an_absurd_number_of_targets_is_refused_before_bedrock_is_asked() {
    let sources: Vec<String> = (0..32).map(|n| format!("us-east-{n}")).collect();
    let many = (0..100)
        .flat_map(|n| sources.iter().map(move |source| profile(&format!("us.amazon.model-{n}"), source)));
    assert_eq!(cannot_fit(&many.collect()).map(|finding| finding.reason), Some(Reason::PolicyTooLarge));
    assert_eq!(cannot_fit(&[us()].into()), None);
}

#[test]
fn a_write_counts_only_once_it_reads_back_whole() {
    let plan = fresh();
    let (written, _) = carried_out(&plan);
    let desired = plan.desired.unwrap();
    assert_eq!(verify(&claim(), &desired, &written), None);
    let PolicyState::Ours(mut partial) = written else { panic!() };
    partial.statement[1].resource.pop();
    for (found, reason) in [
        (PolicyState::Absent, Reason::Progressing),
        (PolicyState::Ours(partial), Reason::Progressing),
        (PolicyState::Foreign, Reason::PolicyNameTaken),
    ] {
        assert_eq!(verify(&claim(), &desired, &found).map(|finding| finding.reason), Some(reason));
    }
}

#[test]
fn iams_own_refusals_become_reasons() {
    let plan = fresh();
    for (class, reason) in [
        (Class::Quota, Reason::PolicyTooLarge),
        (Class::NotFound, Reason::RoleNotFound),
        (Class::Protected, Reason::RoleProtected),
        (Class::Denied, Reason::PolicyIamDenied),
        (Class::Unavailable, Reason::PolicyIamUnavailable),
    ] {
        let fault = Fault { class, message: "m".to_owned() };
        assert_eq!(step_failed(&claim(), &account(), &plan, &fault, None).reason, reason);
    }
}

#[test]
fn denied_scopes_need_leave_of_their_own_and_nothing_is_written_without_it() {
    let denying = Intent {
        terms: Terms { denied_scopes: ["apac".parse().unwrap()].into(), ..terms(Operations::Both) },
        ..intent([us()])
    };
    let without = planned(&denying, &answer(), &observed(PolicyState::Absent), None);
    assert_eq!((without.step.clone(), reasons(&without.findings)), (None, vec![Reason::ConsentMissing]));
    assert!(without.findings[0].message.ends_with(" deny:cluster/team-a\""), "{:?}", without.findings);

    let leave = role(&[("bedrockaccess.io/namespaces", "deny:team-a")]);
    let plan = planned(&denying, &answer(), &Observed { role: leave, policy: PolicyState::Absent }, None);
    assert_eq!(plan.findings, []);
    let (written, _) = carried_out(&plan);
    assert_eq!(verify(&claim(), &plan.desired.unwrap(), &written), None);
}

#[test]
fn when_iam_has_no_room_the_sizes_and_what_would_fit_are_named() {
    let plan = plan_for(5, None);
    let quota = Fault { class: Class::Quota, message: "m".to_owned() };
    let with = |others| step_failed(&claim(), &account(), &plan, &quota, others);
    let finding = with(Some(9000));
    assert_eq!(finding.reason, Reason::PolicyTooLarge);
    for part in ["the 9000 of the other inline policies of role assistant", "2 of the 5 grants fit"] {
        assert!(finding.message.contains(part), "{part}: {}", finding.message);
    }
    assert!(with(Some(INLINE_QUOTA)).message.contains("0 of the 5 grants fit"));
    assert!(with(None).message.contains("do not fit beside the other inline policies"));
}
