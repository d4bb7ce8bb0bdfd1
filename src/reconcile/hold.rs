//! Our finalizer on a new object.

use std::sync::Arc;

use bedrock_access_api::v1alpha1::BedrockAccess;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::still_current::is_the_same;
use super::{Context, Error, FINALIZER};
use crate::orphans::Guarded;

/// An object, and since when it may be outdated.
pub(super) struct Held {
    pub(super) object: Arc<BedrockAccess>,
    /// When the API server answered it; `None` for one that the watch showed some time.
    pub(super) read_at: Option<Instant>,
}

/// The object with its finalizer, which may have changed since the watch showed it. kube's `finalizer` would put it there and have us
/// wait until the watch shows it: the object would stand in line a second time, and what the API server answers would be asked for
/// again before the first write.
pub(super) async fn hold(object: Arc<BedrockAccess>, cx: &Context) -> Result<Held, Error> {
    if is_held(&*object) {
        return Ok(Held { object, read_at: None });
    }
    let api: Api<Guarded> = Api::namespaced(cx.client.clone(), &object.namespace().unwrap_or_default());
    let failed = |error| Error::Finalizer(Box::new(error));
    let patch = serde_json::from_value(addition(object.finalizers()));
    let patch = Patch::Json::<()>(patch.map_err(|error| failed(kube::Error::SerdeError(error)))?);
    let name = object.name_any();
    let answer = match api.patch(&name, &PatchParams::default(), &patch).await {
        // They are not what the watch showed: ours may be there already.
        Err(kube::Error::Api(status)) if status.code == 422 => api.get(&name).await,
        answer => answer,
    };
    match answer.map_err(failed)? {
        Guarded(Ok(held)) if is_held(&held) && is_the_same(&object, &held) => {
            Ok(Held { object: Arc::new(held), read_at: Some(Instant::now()) })
        }
        // Another one of the same name, or what cannot be read any more: the watch will show it.
        Guarded(_) => Err(Error::Outdated),
    }
}

/// Whether our finalizer is on the object.
pub(crate) fn is_held(object: &impl ResourceExt) -> bool {
    object.finalizers().iter().any(|name| name == FINALIZER)
}

/// The steps of a JSON patch. They fail where the finalizers are not what the watch showed, so that ours is never there twice.
fn addition(finalizers: &[String]) -> Value {
    if finalizers.is_empty() {
        return json!([
            {"op": "test", "path": "/metadata/finalizers", "value": null},
            {"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]},
        ]);
    }
    json!([
        {"op": "test", "path": "/metadata/finalizers", "value": finalizers},
        {"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER},
    ])
}
