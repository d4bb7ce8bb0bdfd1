//! It counts against the quota like everything else.

use bedrock_iam::policy::{self, Form, INLINE_QUOTA};
use bedrock_iam::*;
use testing::real_grants;
use testing::world::*;

use super::life::every;
use super::world::*;

/// The plan for the first so many profiles in us-east-1.
fn plan_for(count: usize, extras: &Extras) -> Plan {
    let grants =
        real_grants().into_iter().filter(|grant| grant.target().unwrap().source().as_str() == "us-east-1");
    let answered = grants.take(count).map(|grant| {
        let Grant::Profile { arn, models } = &grant else { panic!() };
        let models = models.iter().map(ToString::to_string).collect();
        (grant.target().unwrap(), Answer::Profile { arn: arn.to_string(), models })
    });
    let answers = answers(answered);
    let wanted = Intent {
        terms: Terms { extras: extras.clone(), ..Terms::default() },
        ..intent(answers.targets.keys().cloned())
    };
    plan(&wanted, &answers, None)
}

#[test]
fn a_policy_that_it_makes_too_large_is_refused_before_the_call() {
    let fits = |count, extras: &Extras| change(&plan_for(count, extras)).is_some();
    let most = |extras: &Extras| (1..95).take_while(|count| fits(*count, extras)).last().unwrap();
    let all = every().pop().unwrap();
    let (without, with) = (most(&Extras::default()), most(&all));
    assert!(with < without, "{with} grants with it, {without} without");
    let refused = plan_for(without, &all);
    assert_eq!((refused.steps(), reasons(&refused.findings)), (&[][..], vec![Reason::PolicyTooLarge]));
    let told = &refused.findings[0].message;
    assert!(told.contains(&format!("into which {with} of the grants fit")), "{told}");
    let fitting = plan_for(with, &all);
    assert!(put(&fitting).document.characters() <= INLINE_QUOTA);
}

#[test]
fn models_of_the_same_regions_share_a_statement_in_the_factored_form() {
    let sources = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "eu-north-1"];
    let grants: Vec<Grant> = ["amazon.nova-micro-v1:0", NOVA, "amazon.nova-pro-v1:0"]
        .into_iter()
        .flat_map(|model| {
            sources.map(|source| Grant::OnDemand { model: model_arn(model, source).parse().unwrap() })
        })
        .collect();
    let discovery = sources.map(region).into();
    let terms = Terms { extras: Extras { discovery, ..Extras::default() }, ..Terms::default() };
    let [explicit, factored] = [Form::Explicit, Form::Factored]
        .map(|form| policy::document(&claim().identity, &account(), &grants, &terms, form).unwrap());
    assert!(factored.characters() + 500 < explicit.characters(), "{}", factored.characters());
    for (source, model) in
        sources.iter().flat_map(|source| [(source, NOVA), (source, "amazon.nova-pro-v1:0")])
    {
        assert!(allows(&factored, "bedrock:GetFoundationModel", &model_arn(model, source), source));
    }
    assert!(!allows(&factored, "bedrock:GetFoundationModel", &model_arn(NOVA, "eu-west-3"), "eu-west-3"));
    assert!(!allows(&factored, "bedrock:GetFoundationModel", &model_arn(NOVA, ""), "unspecified"));
}
