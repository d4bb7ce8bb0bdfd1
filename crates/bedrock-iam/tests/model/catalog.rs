//! What there is in Bedrock, what an object may want of it, and what it then may be granted.

use bedrock_iam::answer::{Answer, Answers};
use bedrock_iam::{
    CanonicalPolicy, Document, FoundationModelArn, Grant, Operations, Region, Tags, Target, Terms,
    authorisation,
};
use testing::world::{self, NOVA, US};

use crate::aws::{self, Route};

const SOURCE: &str = "us-east-1";
const MICRO: &str = "us.amazon.nova-micro-v1:0";

/// What an object wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Spec {
    Nothing,
    Us,
    UsAndMicro,
    /// With an application profile, whose owner has to consent too.
    UsAndApplication,
}

/// One permission each: a profile's model in one destination Region.
pub(crate) const US_EAST_1: u8 = 1;
pub(crate) const US_EAST_2: u8 = 2;
pub(crate) const MICRO_EAST_1: u8 = 4;
pub(crate) const APPLICATION: u8 = 8;

impl Spec {
    /// The permissions that it wants, as far as Bedrock routes there.
    pub(crate) fn wanted(self) -> u8 {
        let us = US_EAST_1 | US_EAST_2;
        match self {
            Self::Nothing => 0,
            Self::Us => us,
            Self::UsAndMicro => us | MICRO_EAST_1,
            Self::UsAndApplication => us | APPLICATION,
        }
    }

    pub(crate) fn targets(self) -> Vec<Target> {
        let us = || world::profile(US, SOURCE);
        match self {
            Self::Nothing => Vec::new(),
            Self::Us => vec![us()],
            Self::UsAndMicro => vec![us(), world::profile(MICRO, SOURCE)],
            Self::UsAndApplication => vec![us(), application()],
        }
    }
}

impl Route {
    /// The permissions that Bedrock answers for.
    pub(crate) fn answered(self) -> u8 {
        match self {
            Self::Narrow => US_EAST_1 | MICRO_EAST_1 | APPLICATION,
            Self::Wide => US_EAST_1 | US_EAST_2 | MICRO_EAST_1 | APPLICATION,
            Self::Unavailable => 0,
        }
    }

    /// What Bedrock answers about a target.
    pub(crate) fn answer(self, target: &Target) -> Answer {
        let us: &[&str] = match self {
            Self::Narrow => &["us-east-1"],
            Self::Wide => &["us-east-1", "us-east-2"],
            Self::Unavailable => return world::unavailable(),
        };
        match target {
            Target::Profile { id, .. } if id.as_str() == US => world::routes(US, SOURCE, us),
            Target::Profile { .. } => world::routes(MICRO, SOURCE, &["us-east-1"]),
            _ => {
                Answer::Profile { arn: application_arn(), models: vec![world::model_arn(NOVA, "us-east-1")] }
            }
        }
    }
}

/// Answers to everything that is asked of Bedrock, as the driver asks.
pub(crate) fn answer(
    questions: bedrock_iam::Questions,
    route: Route,
    application: &Tags,
    answers: &mut Answers,
) {
    let tags = || match route.answer(&self::application()) {
        Answer::Fault(fault) => Err(fault),
        _ => Ok(application.clone()),
    };
    answers.tags.extend(questions.tags.into_iter().map(|target| (target, tags())));
    let targets = questions.targets.into_iter();
    answers.targets.extend(targets.map(|target| (target.clone(), route.answer(&target))));
}

pub(crate) fn application() -> Target {
    let source: Region = world::region(SOURCE);
    Target::ApplicationProfile { source, id: "a1b2c3d4e5f6".parse().unwrap() }
}

fn application_arn() -> String {
    application().owned(&world::account()).unwrap()
}

/// What IAM lets through by this document.
pub(crate) fn permissions(document: &Document) -> u8 {
    let grants = [
        (US_EAST_1, grant(&world::profile_arn(US, SOURCE), US, &["us-east-1"])),
        (US_EAST_2, grant(&world::profile_arn(US, SOURCE), US, &["us-east-2"])),
        (MICRO_EAST_1, grant(&world::profile_arn(MICRO, SOURCE), MICRO, &["us-east-1"])),
        (APPLICATION, grant(&application_arn(), US, &["us-east-1"])),
    ];
    let allowed = grants.iter().filter(|(_, grant)| authorisation::covers(&[document], grant, &terms()));
    allowed.map(|(permission, _)| permission).sum()
}

/// What a policy of exactly these permissions means.
pub(crate) fn exactly(policy: usize, permissions: u8) -> Option<CanonicalPolicy> {
    document(policy, permissions).as_ref().map(CanonicalPolicy::of)
}

/// A policy of exactly these permissions, by grants that are written down here and not resolved.
pub(crate) fn document(policy: usize, permissions: u8) -> Option<Document> {
    let regions = |of: &[(u8, &'static str)]| {
        let held = of.iter().filter(|(permission, _)| permissions & permission != 0);
        held.map(|(_, region)| *region).collect::<Vec<_>>()
    };
    let grants: Vec<Grant> = [
        (world::profile_arn(US, SOURCE), US, regions(&[(US_EAST_1, "us-east-1"), (US_EAST_2, "us-east-2")])),
        (world::profile_arn(MICRO, SOURCE), MICRO, regions(&[(MICRO_EAST_1, "us-east-1")])),
        (application_arn(), US, regions(&[(APPLICATION, "us-east-1")])),
    ]
    .into_iter()
    .filter(|(.., regions)| !regions.is_empty())
    .map(|(arn, id, regions)| grant(&arn, id, &regions))
    .collect();
    let form = bedrock_iam::policy::Form::Explicit;
    bedrock_iam::policy::document(&aws::identity(policy), &world::account(), &grants, &terms(), form)
}

fn grant(arn: &str, id: &str, regions: &[&str]) -> Grant {
    let model = |region: &&str| -> FoundationModelArn {
        world::model_arn(id.split_once('.').unwrap().1, region).parse().unwrap()
    };
    Grant::Profile { arn: arn.parse().unwrap(), models: regions.iter().map(model).collect() }
}

fn terms() -> Terms {
    world::terms(Operations::Both)
}
