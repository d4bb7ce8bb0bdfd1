use bedrock_access_api::annotations::{self, ACCEPT_SHRINK, LEAVE_POLICY};
use bedrock_access_api::parse;
use bedrock_access_api::v1alpha1::{BedrockAccess, BedrockAccessStatus};
use bedrock_iam::conditions::{self, Verdict};
use jiff::{Timestamp, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::ResourceExt;

/// So many ignored annotations are told.
const MOST_REMARKS: usize = 3;

pub(super) fn set_conditions(
    object: &BedrockAccess,
    status: &mut BedrockAccessStatus,
    verdict: &Verdict,
    now: Timestamp,
) {
    status.conditions = verdict.conditions.iter().map(|verdict| condition(object, verdict, now)).collect();
    let remarks = remarks(object);
    if let Some(ready) = status.conditions.iter_mut().find(|condition| condition.type_ == conditions::READY)
        && !remarks.is_empty()
    {
        ready.message = format!("{}; ignored: {remarks}", ready.message);
    }
}

/// Annotations that look like ours and say nothing to the operator: a person who misspelt one would wait for ever.
fn remarks(object: &BedrockAccess) -> String {
    let remark = |(key, value): (&String, &String)| match key.as_str() {
        LEAVE_POLICY if value != "true" => {
            Some(format!("annotation {key}, which means something as \"true\" alone"))
        }
        ACCEPT_SHRINK if !parse::is_acceptance(value) => {
            Some(format!("annotation {key}, which is not shaped like PROFILE[@REGION][#N]"))
        }
        other if other.starts_with(annotations::PREFIX) && !annotations::ALL.contains(&other) => {
            Some(format!("annotation {key}, which is none of {}", annotations::ALL.join(", ")))
        }
        _ => None,
    };
    let remarks: Vec<String> = object.annotations().iter().filter_map(remark).take(MOST_REMARKS).collect();
    remarks.join("; ")
}

/// The condition as Kubernetes stores it; its time changes only when its status flips.
pub(super) fn condition(
    object: &BedrockAccess,
    verdict: &conditions::Condition,
    now: Timestamp,
) -> Condition {
    let old = object.status.iter().flat_map(|status| &status.conditions);
    let unchanged = old
        .filter(|old| old.type_ == verdict.kind && old.status == verdict.status.as_str())
        .map(|old| old.last_transition_time.clone())
        .next();
    Condition {
        type_: verdict.kind.to_owned(),
        status: verdict.status.as_str().to_owned(),
        reason: verdict.reason.to_owned(),
        message: verdict.message.clone(),
        observed_generation: object.metadata.generation,
        last_transition_time: unchanged.unwrap_or_else(|| whole_seconds(now)),
    }
}

/// So that it equals what is read back.
fn whole_seconds(now: Timestamp) -> Time {
    Time(now.round(Unit::Second).unwrap_or(now))
}
