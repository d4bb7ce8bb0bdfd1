use std::time::Duration;

use bedrock_access_api::v1alpha1::{BedrockAccess, BedrockAccessStatus};
use bedrock_iam::conditions::{KINDS, READY, RECONCILED, RECONCILING, STALLED, SUSPENDED};
use bedrock_iam::decide::{Cause, Change};
use bedrock_iam::{Claim, CurrentGrants, PolicyState, Reason, Step, diff};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams};
use kube::runtime::events::EventType;
use kube::{Api, Resource, ResourceExt};
use serde_json::json;

use super::event::publish;
use super::status::{NewStatus, changes};
use super::{Context, Error, NextLook, failures};
use crate::metrics::{Ending, PolicyWrite};

/// The field manager of every status that we write.
const FIELD_MANAGER: &str = "bedrock-access";

/// Told once, when a policy comes to hold both.
const RESPONSES: &str = "responses is true beside a global route: a response that is stored stays in the Region that ran the call, which may \
    be any commercial Region, and is read, cancelled and deleted there; send store: false with calls whose answers must not stay, or \
    take the scope global out";

/// Tells Kubernetes what became of the object, and when to look again.
pub(super) async fn report(
    object: &BedrockAccess,
    cx: &Context,
    told: NewStatus,
    interval: Duration,
) -> Result<NextLook, Error> {
    write(object, cx, &told).await?;
    cx.metrics.reconciled(ending(&told.status));
    Ok(NextLook::After(failures::delay(object, cx, &told, interval)))
}

/// Writes the status, and an Event where `Ready` changes; nothing that is already there, or that the Event of a write has said.
pub(super) async fn write(object: &BedrockAccess, cx: &Context, told: &NewStatus) -> Result<(), Error> {
    told.reasons.iter().for_each(|reason| cx.metrics.found(*reason));
    let status = &told.status;
    if !object.status.as_ref().is_some_and(|old| says_the_same(old, status)) {
        patch_status(object, cx, status).await?;
    }
    let old = object.status.as_ref().and_then(ready);
    if let Some(new) = ready(status)
        && old.is_none_or(|old| old.status != new.status || old.reason != new.reason)
        && !(told.follows_a_write && follows(new))
    {
        publish(object, cx, severity(status), &new.reason, "Reconcile", &new.message).await;
    }
    Ok(())
}

/// Tells of a write to AWS as soon as it is done, whatever becomes of the status.
pub(super) async fn publish_write(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    step: &Step,
    found: &PolicyState,
) {
    if !changes(step, found) {
        return;
    }
    let own = claim.policy();
    let claim = claim.in_whose_name(&step.policy);
    let (role, mut policy) = (&claim.role, step.policy.name.clone());
    if step.policy != own {
        policy = format!("{policy}, written under the cluster id {},", claim.tenant.cluster_id);
    }
    let mut type_ = EventType::Normal;
    let (write, reason, note) = match &step.change {
        Change::Put { desired, cause, .. } => {
            let characters = desired.document.characters();
            let text = |verb| format!("{verb} policy {policy} on role {role} ({characters} characters)");
            match cause {
                Cause::New => (PolicyWrite::New, "PolicyWritten", text("created")),
                Cause::Changed => (PolicyWrite::Changed, "PolicyWritten", text("changed")),
                Cause::Withdrawn => {
                    let note = format!("{}, since consent for the rest was withdrawn", text("cut back"));
                    (PolicyWrite::Changed, "PolicyWritten", note)
                }
                Cause::Drift => {
                    type_ = EventType::Warning;
                    let drift = diff::drift(&claim.identity, &desired.document, found.document());
                    let note = format!("{}: {drift} by someone else", text("restored"));
                    (PolicyWrite::Drift, "DriftRepaired", note)
                }
            }
        }
        Change::Delete => {
            (PolicyWrite::Removed, "PolicyRemoved", format!("removed policy {policy} from role {role}"))
        }
        Change::CutOut { foreign } => {
            let note = format!(
                "took the operator's statements out of policy {policy} on role {role}; what someone else put there stays: {}",
                foreign.names()
            );
            (PolicyWrite::Removed, "PolicyRemoved", note)
        }
    };
    cx.metrics.wrote(write);
    publish(object, cx, type_, reason, "Write", &note).await;
    let stores_anywhere = |policy: &PolicyState| CurrentGrants::in_policy(policy).stores_responses_anywhere();
    if stores_anywhere(&step.leaves()) && !stores_anywhere(found) {
        publish(object, cx, EventType::Warning, "ResponsesStayWhereTheyRan", "Write", RESPONSES).await;
    }
}

async fn patch_status(
    object: &BedrockAccess,
    cx: &Context,
    status: &BedrockAccessStatus,
) -> Result<(), Error> {
    let api: Api<BedrockAccess> = Api::namespaced(cx.client.clone(), &object.namespace().unwrap_or_default());
    let name = object.name_any();
    let patch = json!({
        "apiVersion": BedrockAccess::api_version(&()),
        "kind": BedrockAccess::kind(&()),
        // The UID makes the server refuse to give this status to another object of the same name.
        "metadata": { "name": name, "uid": object.uid() },
        "status": status,
    });
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    match api.patch_status(&name, &parameters, &Patch::Apply(&patch)).await {
        Ok(_) => Ok(()),
        // The object is gone: nobody is left to tell.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether an object is told what it is told already, and that it is Ready.
pub(super) fn is_ready_as_before(object: &BedrockAccess, told: &NewStatus) -> bool {
    let is_told = object.status.as_ref().is_some_and(|old| says_the_same(old, &told.status));
    is_told && is_ready(&told.status)
}

pub(super) fn is_ready(status: &BedrockAccessStatus) -> bool {
    ending(status) == Ending::Ready
}

/// What another writer put into the status is not compared. Server-side apply keeps conditions in the order in which they first
/// appeared, which is not ours.
fn says_the_same(old: &BedrockAccessStatus, new: &BedrockAccessStatus) -> bool {
    let ours = |status: &BedrockAccessStatus| {
        let mut status = status.clone();
        status.conditions.retain(|condition| KINDS.contains(&condition.type_.as_str()));
        status.conditions.sort_by(|one, other| one.type_.cmp(&other.type_));
        status
    };
    let (mut old, new) = (ours(old), ours(new));
    if new.last_handled_reconcile_at.is_none() {
        old.last_handled_reconcile_at = None;
    }
    old == new
}

/// Whether `Ready` says no more than that IAM shows what was written, or does not yet.
fn follows(ready: &Condition) -> bool {
    [RECONCILED, Reason::Progressing.as_str()].contains(&ready.reason.as_str())
}

fn ready(status: &BedrockAccessStatus) -> Option<&Condition> {
    status.conditions.iter().find(|condition| condition.type_ == READY)
}

pub(super) fn ending(status: &BedrockAccessStatus) -> Ending {
    let is_true = |kind| {
        status.conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True")
    };
    match (is_true(SUSPENDED), is_true(READY)) {
        (true, _) => Ending::Suspended,
        (false, true) => Ending::Ready,
        (false, false) => Ending::NotReady,
    }
}

fn severity(status: &BedrockAccessStatus) -> EventType {
    let wrong = [STALLED, RECONCILING];
    let is_wrong = status.conditions.iter().any(|condition| wrong.contains(&condition.type_.as_str()));
    if is_wrong { EventType::Warning } else { EventType::Normal }
}
