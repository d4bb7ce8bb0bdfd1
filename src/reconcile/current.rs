use kube::{Api, ResourceExt};

use super::{Context, Error};
use crate::api::v1alpha1::BedrockAccess;

/// Lets a write to AWS through only for the object as the cluster holds it now: a list or watch that lags must not bring
/// back an older manifest, nor take an object for another of the same name.
pub(super) async fn confirm(object: &BedrockAccess, cx: &Context) -> Result<(), Error> {
    let api: Api<BedrockAccess> = Api::namespaced(cx.client.clone(), &object.namespace().unwrap_or_default());
    match api.get_opt(&object.name_any()).await? {
        Some(now) if wants_the_same(object, &now) => Ok(()),
        _ => Err(Error::Outdated),
    }
}

/// A deletion is a generation of its own.
fn wants_the_same(known: &BedrockAccess, now: &BedrockAccess) -> bool {
    let accepted = |object: &BedrockAccess| {
        object.status.as_ref().and_then(|status| status.last_accepted_shrink.clone())
    };
    known.uid() == now.uid()
        && known.metadata.generation == now.metadata.generation
        && known.annotations() == now.annotations()
        && accepted(known) == accepted(now)
}
