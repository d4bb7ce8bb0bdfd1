//! What the history of a role must show: nothing foreign changed, and no wanted grant ever absent.

use std::collections::BTreeSet;

use aws_sandbox::Sandbox;
use bedrock_iam::authorisation::covers;
use bedrock_iam::{Document, Grant};
use testing::world::{in_default_project, model_arn, profile_arn};

use super::world::ROLE;

/// What someone else did to our policy: the states right after these changes are not our doing.
pub(crate) type Disturbances = BTreeSet<usize>;

/// The grant that Bedrock's present routes make of a profile.
pub(crate) fn grant(sandbox: &Sandbox, source: &str, profile: &str) -> Grant {
    let (_, model) = profile.split_once('.').unwrap();
    let routes = sandbox.profile(source, profile).unwrap();
    let regions = match routes[..] {
        [ref any] if any == "*" => vec![String::new(), source.to_owned()],
        _ => routes,
    };
    let models = regions.iter().map(|region| model_arn(model, region));
    Grant::Profile {
        arn: profile_arn(profile, source).parse().unwrap(),
        models: models.map(|arn| arn.parse().unwrap()).collect(),
    }
}

/// Nothing that the operator did not write has changed since the history was `begin` changes long.
pub(crate) fn assert_nothing_foreign_changed(sandbox: &Sandbox, begin: usize, ours: &[String], what: &str) {
    let history = sandbox.history(ROLE);
    let foreign: Vec<_> = history[begin..].iter().filter(|change| !ours.contains(&change.policy)).collect();
    assert!(foreign.is_empty(), "{what}: changed what others wrote: {foreign:#?}");
}

/// A statement that someone puts beside ours.
pub(crate) const BESIDE: &str =
    r#"{"Sid":"Theirs","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::theirs/*"}"#;

/// Once someone put a statement beside ours, it stays for good.
pub(crate) fn assert_statement_beside_stays(sandbox: &Sandbox, policy: &str, what: &str) {
    let history = sandbox.history(ROLE);
    let of_policy = history.iter().filter(|change| change.policy == policy);
    let mut with =
        of_policy.map(|change| change.document.as_deref().is_some_and(|text| text.contains(BESIDE)));
    if with.any(|is_there| is_there) {
        assert!(with.all(|is_there| is_there), "{what}: someone else's statement was lost");
    }
}

/// Each grant comes, and once it was there it stays for good, whatever happens in between.
pub(crate) fn assert_never_absent(
    sandbox: &Sandbox,
    policy: &str,
    wanted: &[Grant],
    disturbances: &Disturbances,
    what: &str,
) {
    for grant in wanted {
        let terms = in_default_project(grant.target().unwrap().source().as_str());
        let mut was_there = false;
        for (number, change) in sandbox.history(ROLE).iter().enumerate() {
            if change.policy != policy || disturbances.contains(&number) {
                continue;
            }
            let document = change.document.as_deref().map(|text| Document::parse(text).unwrap());
            let is_there = document.is_some_and(|document| covers(&[&document], grant, &terms));
            assert!(is_there || !was_there, "{what}: change {number} took away {grant:?}");
            was_there |= is_there;
        }
        assert!(was_there, "{what}: {grant:?} never came");
    }
}
