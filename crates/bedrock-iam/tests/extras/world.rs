//! A manifest with two source Regions, and what is written for it.

use bedrock_iam::evaluate::{Decision, Request, evaluate};
use bedrock_iam::policy::REQUESTED_REGION;
use bedrock_iam::*;
use testing::world::*;

/// The source Regions of every manifest here.
pub(crate) const SOURCES: [&str; 2] = ["eu-west-1", "us-east-1"];

/// Calls one model from each source Region, through a profile of each.
pub(crate) fn wanting(extras: Extras) -> Intent {
    Intent { terms: Terms { extras, ..Terms::default() }, ..intent(targets()) }
}

pub(crate) fn targets() -> [Target; 2] {
    [profile("eu.amazon.nova-2-lite-v1:0", "eu-west-1"), us()]
}

pub(crate) fn answer() -> Answers {
    let eu = routes("eu.amazon.nova-2-lite-v1:0", "eu-west-1", &["eu-west-1", "eu-central-1"]);
    let us = routes(US, "us-east-1", &["us-east-1", "us-east-2"]);
    answers(targets().into_iter().zip([eu, us]))
}

/// Bedrock knows none of it.
pub(crate) fn no_answer() -> Answers {
    answers(targets().map(|target| (target, Answer::NotFound)))
}

pub(crate) fn plan(intent: &Intent, answers: &Answers, held: Option<&Document>) -> Plan {
    let policy = held.map_or(PolicyState::Absent, |held| PolicyState::Ours(held.clone()));
    planned(intent, answers, &observed(policy), None)
}

/// What is written for the manifest to a role that holds nothing.
pub(crate) fn written(extras: Extras) -> Document {
    put(&plan(&wanting(extras), &answer(), None)).document.clone()
}

pub(crate) fn in_sources() -> std::collections::BTreeSet<Region> {
    SOURCES.map(region).into()
}

pub(crate) fn default_projects() -> std::collections::BTreeSet<DefaultProjectArn> {
    SOURCES.map(|source| DefaultProjectArn::of(&account(), &region(source))).into()
}

/// Whether a call by a key of this kind is let in at all.
pub(crate) fn calls_with_key(document: &Document, kind: Option<&str>) -> bool {
    let kind = kind.map(|kind| ("bedrock:bearertokentype".to_owned(), kind.to_owned()));
    let (action, resource) = ("bedrock:CallWithBearerToken".to_owned(), "*".to_owned());
    let request = Request { action, resource, context: kind.into_iter().collect() };
    evaluate(&[document], &request).unwrap() == Decision::Allowed
}

pub(crate) fn allows(document: &Document, action: &str, resource: &str, from: &str) -> bool {
    let request = Request {
        action: action.to_owned(),
        resource: resource.to_owned(),
        context: [(REQUESTED_REGION.to_lowercase(), from.to_owned())].into(),
    };
    evaluate(&[document], &request).unwrap() == Decision::Allowed
}
