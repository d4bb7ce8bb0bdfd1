//! How long an object is taken on trust while AWS cannot be asked about it.
//!
//! A policy that was proven goes on granting when Bedrock's or IAM's control plane is out. Whoever waits for `Ready` must not see
//! every object turn red for it; but nobody may believe for ever what nobody could check.

use std::time::Duration;

use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::conditions::{self, READY, Status, Verdict};
use bedrock_iam::decide::Outcome;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

const STALE: &str = "Stale";

/// Keeps `Ready` as it was through an outage of AWS, and for `stale_after` at most.
pub(super) fn outlast(
    object: &BedrockAccess,
    stale_after: Duration,
    outcome: &Outcome,
    verdict: Verdict,
    now: Timestamp,
) -> Verdict {
    let is_outage = !outcome.findings.is_empty()
        && outcome.findings.iter().all(|finding| finding.reason.is_outage())
        && outcome.applied.failed.is_none();
    let Some(ready) = trusted(object).filter(|_| is_outage) else { return verdict };
    let is_stale = ready.reason == STALE || unknown_for(object, &verdict, now) >= stale_after;
    let ready = if is_stale {
        let hours = stale_after.as_secs() / 3600;
        let found = verdict.conditions.iter().find(|condition| condition.kind == READY);
        let why = found.map_or("", |found| found.message.as_str());
        let message =
            format!("the policy was last proven more than {hours} h ago, and AWS cannot be asked: {why}");
        conditions::Condition { kind: READY, status: Status::Unknown, reason: STALE, message }
    } else {
        conditions::Condition {
            kind: READY,
            status: Status::True,
            reason: conditions::RECONCILED,
            message: ready.message.clone(),
        }
    };
    conditions::through_outage(verdict, ready)
}

/// `Ready` of an object whose policy was proven for this very generation, or was until it became stale.
fn trusted(object: &BedrockAccess) -> Option<&Condition> {
    let ready = object.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == READY)?;
    let is_proven = ready.status == "True" || ready.reason == STALE;
    (is_proven && ready.observed_generation == object.metadata.generation).then_some(ready)
}

/// For how long one of the conditions that are Unknown now has been so.
fn unknown_for(object: &BedrockAccess, verdict: &Verdict, now: Timestamp) -> Duration {
    let unknown = verdict.conditions.iter().filter(|condition| condition.status == Status::Unknown);
    let unknown: Vec<&str> = unknown.map(|condition| condition.kind).filter(|kind| *kind != READY).collect();
    let before = object.status.iter().flat_map(|status| &status.conditions);
    let since = before
        .filter(|before| before.status == "Unknown" && unknown.contains(&before.type_.as_str()))
        .map(|before| before.last_transition_time.0)
        .min();
    let elapsed = since.map(|since| now.duration_since(since));
    elapsed.and_then(|elapsed| Duration::try_from(elapsed).ok()).unwrap_or_default()
}
