//! Whether what a reconcile decided by is still what the cluster holds, and the object still this shard's.

use std::collections::BTreeMap;
use std::time::Duration;

use bedrock_access_api::annotations;
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::Plan;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use tokio::time::Instant;

use super::{Context, Error};
use crate::orphans::Guarded;

/// For so long an answer of the API server is as good as a new one: a change that comes later wakes the object.
const FRESH: Duration = Duration::from_secs(5);

/// Whether the object need not be read again; `read_at` is when the API server answered it, if it did. That answer does not say
/// whether a selector still matches, and the change that takes an object out of a shard wakes another operator.
pub(super) fn is_fresh(cx: &Context, read_at: Option<Instant>) -> bool {
    cx.shard.selector().is_none() && read_at.is_some_and(|at| at.elapsed() < FRESH)
}

/// Lets a write to AWS through only for the object as the cluster holds it now: a list or watch that lags must not bring
/// back an older manifest, nor take an object for another of the same name.
///
/// What only carries out an owner's withdrawal, or a deletion, waits for nothing that the tenant can go on changing.
pub(super) async fn confirm(object: &BedrockAccess, cx: &Context, plan: &Plan) -> Result<(), Error> {
    match read(object, cx).await? {
        Some(Guarded(Ok(now)))
            if is_the_same(object, &now) && (plan.is_withdrawal || wants_the_same(object, &now)) =>
        {
            Ok(())
        }
        Some(_) | None => Err(Error::Outdated),
    }
}

/// The object as the watch reads it, so that both are cut alike; `None` too where it is another shard's by now.
async fn read(object: &BedrockAccess, cx: &Context) -> Result<Option<Guarded>, kube::Error> {
    let api: Api<Guarded> = Api::namespaced(cx.client.clone(), &object.namespace().unwrap_or_default());
    let Some(selector) = cx.shard.selector() else { return api.get_opt(&object.name_any()).await };
    // Only the API server judges by labels.
    let this_one =
        ListParams::default().fields(&format!("metadata.name={}", object.name_any())).labels(selector);
    Ok(api.list(&this_one).await?.items.pop())
}

/// A deletion is never taken back.
pub(super) fn is_the_same(known: &BedrockAccess, now: &BedrockAccess) -> bool {
    let is_deleted = |object: &BedrockAccess| object.metadata.deletion_timestamp.is_some();
    known.uid() == now.uid() && (is_deleted(now) || !is_deleted(known))
}

/// A deletion is a generation of its own.
pub(super) fn wants_the_same(known: &BedrockAccess, now: &BedrockAccess) -> bool {
    let accepted = |object: &BedrockAccess| {
        object.status.as_ref().and_then(|status| status.last_accepted_shrink.clone())
    };
    known.metadata.generation == now.metadata.generation
        && ours(known) == ours(now)
        && accepted(known) == accepted(now)
}

/// The annotations that say something to the operator; others may change at any rate.
fn ours(object: &BedrockAccess) -> BTreeMap<&String, &String> {
    object.annotations().iter().filter(|(key, _)| annotations::ALL.contains(&key.as_str())).collect()
}
