//! How much fits into a role, and what is done when it does not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use bedrock_iam::decide::{Cause, step_failed};
use bedrock_iam::policy::{Form, INLINE_QUOTA};
use bedrock_iam::size::cannot_fit;
use bedrock_iam::*;
use testing::real_profiles;
use testing::world::*;

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
    let explicit = largest(&|plan| change(plan).is_some() && !is_factored(plan));
    let factored = largest(&|plan| change(plan).is_some() && is_factored(plan));
    assert!(explicit > 0 && factored > explicit, "{explicit} explicit, {factored} factored");
    let (PolicyState::Ours(document), _) = carried_out(&plan_for(factored, None)) else { panic!() };
    assert!(document.characters() <= INLINE_QUOTA);
    let beyond = plan_for(factored + 1, None);
    assert_eq!((change(&beyond), reasons(&beyond.findings)), (None, vec![Reason::PolicyTooLarge]));
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
    let smaller = put(&plan_for(3, None)).smaller.clone().unwrap();
    let digest = CanonicalPolicy::of(&smaller).digest();
    let again = plan_for(3, Some(&digest));
    assert!(is_factored(&again), "what IAM took is restored after drift");
    assert_eq!((again.steps()[0].cause(), &put(&again).smaller), (Some(Cause::Drift), &None));
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
fn when_iam_has_no_room_the_sizes_and_what_would_fit_are_named() {
    let plan = plan_for(5, None);
    let quota = Fault { class: Class::Quota, message: "m".to_owned() };
    let with = |others| step_failed(&claim(), &plan, &plan.steps()[0], &quota, others);
    let finding = with(Some(9000));
    assert_eq!(finding.reason, Reason::PolicyTooLarge);
    for part in ["the 9000 of the other inline policies of role assistant", "2 of the 5 grants fit"] {
        assert!(finding.message.contains(part), "{part}: {}", finding.message);
    }
    assert!(with(Some(INLINE_QUOTA)).message.contains("0 of the 5 grants fit"));
    assert!(with(None).message.contains("do not fit beside the other inline policies"));
}

#[test]
fn what_a_policy_is_said_to_need_is_what_it_takes() {
    let largest =
        (1..95).rev().map(|count| plan_for(count, None)).find(|plan| change(plan).is_some()).unwrap();
    let quota = Fault { class: Class::Quota, message: "m".to_owned() };
    let finding = step_failed(&claim(), &largest, &largest.steps()[0], &quota, None);
    let smaller = put(&largest).smaller.as_ref().unwrap_or(&put(&largest).document);
    let needs = format!("the policy's {} characters", smaller.characters());
    assert!(finding.message.starts_with(&needs), "{needs}: {}", finding.message);
}
