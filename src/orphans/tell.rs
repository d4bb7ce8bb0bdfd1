use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::orphan::ObjectName;
use bedrock_iam::{Claim, CurrentGrants, PolicyState};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Resource;
use kube::runtime::events::EventType;

use super::suspect::is_former;
use crate::reconcile::{Context, counted, publish_about};

/// Tells of a policy that stays for now, and how a person removes it.
pub(super) async fn orphaned(
    cx: &Context,
    claim: &Claim,
    object: &ObjectName,
    policy: &PolicyState,
    why: &str,
) {
    let grants = CurrentGrants::in_policy(policy).count();
    let note = format!(
        "{}: its policy {} stays on role {} with {}, {why}; bedrock-access orphans --cluster-id {} --delete removes it, or {}",
        gone(cx, claim, object),
        claim.identity.policy_name(),
        claim.role,
        counted(grants, "grant"),
        claim.tenant.cluster_id,
        claim.removal_command()
    );
    publish(cx, object, EventType::Warning, "OrphanedPolicy", &note).await;
}

/// Tells of a policy that was removed, and why.
pub(super) async fn removed(cx: &Context, claim: &Claim, object: &ObjectName, why: &str) {
    let note = format!(
        "removed policy {} from role {}: {}, and {why}",
        claim.identity.policy_name(),
        claim.role,
        gone(cx, claim, object)
    );
    publish(cx, object, EventType::Normal, "PolicyRemoved", &note).await;
}

/// Tells of a policy that holds less than before.
pub(super) async fn cut_back(cx: &Context, claim: &Claim, object: &ObjectName) {
    let note = format!(
        "cut back policy {} on role {}, since consent for the rest was withdrawn: {}",
        claim.identity.policy_name(),
        claim.role,
        gone(cx, claim, object)
    );
    publish(cx, object, EventType::Normal, "PolicyWritten", &note).await;
}

/// Why no object looks after it.
fn gone(cx: &Context, claim: &Claim, ObjectName { namespace, name }: &ObjectName) -> String {
    let id = &claim.tenant.cluster_id;
    if is_former(cx, id) {
        return format!("BedrockAccess {namespace}/{name} was served under the former cluster id {id}");
    }
    format!("BedrockAccess {namespace}/{name} is gone")
}

/// An Event in the namespace of the object that is gone; where the namespace is gone too, the log has to do.
async fn publish(cx: &Context, object: &ObjectName, type_: EventType, reason: &str, note: &str) {
    let reference = ObjectReference {
        api_version: Some(BedrockAccess::api_version(&()).into_owned()),
        kind: Some(BedrockAccess::kind(&()).into_owned()),
        namespace: Some(object.namespace.clone()),
        name: Some(object.name.clone()),
        ..ObjectReference::default()
    };
    publish_about(reference, cx, type_, reason, "Sweep", note).await;
}
