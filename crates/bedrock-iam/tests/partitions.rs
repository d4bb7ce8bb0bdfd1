//! The partition is the account's, never written down; and a prefix needs no release to be known.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use bedrock_iam::policy::Form;
use bedrock_iam::resolve::resolve;
use bedrock_iam::*;
use testing::world::*;

/// Each partition with two of its Regions, and a prefix that its profiles may have.
const PARTITIONS: [(&str, [&str; 2], &str); 6] = [
    ("aws", ["us-east-1", "eu-central-1"], "us"),
    ("aws", ["us-east-1", "us-west-2"], "moon"),
    ("aws-us-gov", ["us-gov-west-1", "us-gov-east-1"], "us-gov"),
    ("aws-eusc", ["eusc-de-east-1", "eusc-de-east-2"], "eusc"),
    ("aws-iso", ["us-iso-east-1", "us-iso-west-1"], "us-iso"),
    ("aws-iso-b", ["us-isob-east-1", "us-isob-west-1"], "us-isob"),
];

/// A profile, an application profile and a model of the account, each with what Bedrock answers in that partition.
fn wanted(partition: &str, regions: [&str; 2], scope: &str) -> (Intent, Answers) {
    let account = Account { id: ACCOUNT.parse().unwrap(), partition: partition.parse().unwrap() };
    let source = region(regions[0]);
    let id = format!("{scope}.{NOVA}");
    let models: Vec<String> = regions
        .iter()
        .map(|region| format!("arn:{partition}:bedrock:{region}::foundation-model/{NOVA}"))
        .collect();
    let answer = |kind: &str| Answer::Profile {
        arn: format!("arn:{partition}:bedrock:{source}:{ACCOUNT}:{kind}"),
        models: models.clone(),
    };
    let system = profile(&id, regions[0]);
    let application = Target::ApplicationProfile { source: source.clone(), id: "app1".parse().unwrap() };
    let kind = OwnModelKind::ImportedModel;
    let own = Target::OwnModel { source: source.clone(), kind, id: "own1".parse().unwrap() };
    let consent: Tags = [("bedrockaccess.io/namespaces".to_owned(), "team-a".to_owned())].into();
    let answers = Answers {
        tags: [(application.clone(), Ok(consent.clone())), (own.clone(), Ok(consent))].into(),
        ..answers([
            (system.clone(), answer(&format!("inference-profile/{id}"))),
            (application.clone(), answer("application-inference-profile/app1")),
        ])
    };
    let claim = Claim { account, ..claim() };
    (Intent { claim, ..intent([system, application, own]) }, answers)
}

#[test]
fn every_arn_of_a_policy_is_of_the_accounts_partition() {
    for (partition, regions, scope) in PARTITIONS {
        let (mut intent, answers) = wanted(partition, regions, scope);
        intent.terms.denied_scopes = ["apac".parse().unwrap()].into();
        let resolution = resolve(&intent, &answers, &CurrentGrants::default());
        assert_eq!((resolution.grants.len(), resolution.findings.len()), (3, 0), "{partition}");
        for form in [Form::Explicit, Form::Factored] {
            let document = policy::document(
                &intent.claim.identity,
                &intent.claim.account,
                &resolution.grants,
                &intent.terms,
                form,
            )
            .unwrap();
            let arns = document.statement.iter().flat_map(|statement| &statement.resource);
            for arn in arns {
                assert!(arn.starts_with(&format!("arn:{partition}:bedrock:")), "{arn}");
            }
            for grant in &resolution.grants {
                assert!(authorisation::covers(&[&document], grant, &intent.terms), "{form:?}: {grant:?}");
            }
        }
    }
}

#[test]
fn a_role_and_an_answer_of_another_partition_are_refused() {
    for (partition, regions, scope) in PARTITIONS {
        let other = if partition == "aws" { "aws-us-gov" } else { "aws" };
        let (mut intent, _) = wanted(partition, regions, scope);
        let (_, foreign) = wanted(other, regions, scope);
        let resolution = resolve(&intent, &foreign, &CurrentGrants::default());
        let granted: Vec<Option<Target>> = resolution.grants.iter().map(Grant::target).collect();
        assert!(
            matches!(granted[..], [Some(Target::OwnModel { .. })]),
            "it alone is not looked up: {granted:?}"
        );

        intent.claim.role_arn = Some(format!("arn:{other}:iam::{ACCOUNT}:role/assistant").parse().unwrap());
        let plan = planned(&intent, &foreign, &observed(PolicyState::Absent), None);
        assert_eq!((change(&plan), plan.findings[0].reason), (None, Reason::AccountNotServed));
    }
}
