//! A policy that holds none of it is written as it was before any of it could be granted.

use bedrock_iam::decide::Cause;
use bedrock_iam::policy::Form;
use bedrock_iam::*;
use testing::world::*;

use super::world::{answer, plan, wanting, written};

/// Written by the release before, a policy in each form: profiles of two scopes, a family's other member, an application profile, a model
/// on demand and one of the account's own, in two projects, with a denied scope; and without and with a guardrail.
const BEFORE: &str = include_str!("before.txt");

fn grants() -> Vec<Grant> {
    let routed = [
        (US, "us-east-1", &["us-east-1", "us-east-2", "us-west-2"][..]),
        ("global.amazon.nova-2-lite-v1:0", "us-east-1", &["*"]),
        ("eu.amazon.nova-pro-v1:0", "eu-west-1", &["eu-west-1", "eu-central-1"]),
    ];
    let mut grants: Vec<Grant> = routed
        .into_iter()
        .map(|(id, source, destinations)| {
            let Answer::Profile { arn, models } = routes(id, source, destinations) else { panic!() };
            let models = models.iter().map(|model| model.parse().unwrap()).collect();
            Grant::Profile { arn: arn.parse().unwrap(), models }
        })
        .collect();
    let application = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefghijkl";
    let models = [model_arn("amazon.nova-micro-v1:0", "us-east-1").parse().unwrap()].into();
    grants.push(Grant::Profile { arn: application.parse().unwrap(), models });
    grants.push(Grant::OnDemand { model: model_arn(NOVA, "eu-west-1").parse().unwrap() });
    let own = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl";
    grants.push(Grant::OwnModel { arn: own.parse().unwrap() });
    grants
}

#[test]
fn a_policy_without_extras_is_the_same_to_the_byte_as_before() {
    let projects = ["us-east-1", "eu-west-1"].map(|name| DefaultProjectArn::of(&account(), &region(name)));
    let denied_scopes = ["apac".parse().unwrap()].into();
    let plain = Terms { projects: projects.into(), denied_scopes, ..Terms::default() };
    let arn = "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1".parse().unwrap();
    let guarded = Terms { guardrails: [Guardrail { arn, version: Some(2) }].into(), ..plain.clone() };
    let written = [plain, guarded].into_iter().flat_map(|terms| {
        [Form::Explicit, Form::Factored].map(|form| {
            let document = policy::document(&claim().identity, &account(), &grants(), &terms, form);
            document.unwrap().to_json()
        })
    });
    let written: Vec<String> = written.collect();
    assert_eq!(written, BEFORE.lines().collect::<Vec<_>>());
}

/// As this release would read what the next one wrote, and as the one before read what this one writes.
#[test]
fn what_another_release_grants_beside_it_takes_no_grant_away_and_is_no_drift() {
    let document = written(Extras::default());
    let mut later = document.clone();
    let unknown = document.statement[0].clone();
    let (action, resource) = (vec!["bedrock:InvokeLater".to_owned()], vec!["*".to_owned()]);
    later.statement.push(document::Statement { action, resource, ..unknown });
    let digest = CanonicalPolicy::of(&later).digest().to_string();
    later.statement[0].sid = Some(format!("{}{}", claim().identity.marker(), &digest[..10]));
    let last = later.statement.len() - 1;
    later.statement[last].sid = Some(format!("BedrockAccess{last}"));
    let read = PolicyState::of(&later.to_json(), &claim().identity);
    assert_eq!(read, PolicyState::Ours(later.clone()));
    assert_eq!(CurrentGrants::of(&later), CurrentGrants::of(&document));
    let plan = plan(&wanting(Extras::default()), &answer(), Some(&later));
    assert_eq!((plan.steps()[0].cause(), &put(&plan).document), (Some(Cause::Changed), &document));
    assert_eq!(plan.findings, []);
}
