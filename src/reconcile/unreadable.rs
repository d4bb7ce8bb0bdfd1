use bedrock_access_api::v1alpha1::{BedrockAccess, BedrockAccessSpec, BedrockAccessStatus};
use bedrock_iam::{Finding, Reason};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::{ApiResource, DynamicObject};

use super::{Context, Error, FINALIZER, report, status};

/// Says on the object itself that its spec cannot be read.
pub async fn report_unreadable(metadata: &ObjectMeta, error: &str, cx: &Context) -> Result<(), Error> {
    let (namespace, name) = (metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_deref());
    let resource = ApiResource::erase::<BedrockAccess>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(cx.client.clone(), namespace, &resource);
    let Some(stored) = api.get_opt(name.unwrap_or_default()).await? else { return Ok(()) };
    let status: Option<BedrockAccessStatus> =
        stored.data.get("status").and_then(|status| serde_json::from_value(status.clone()).ok());
    let object = BedrockAccess { metadata: metadata.clone(), spec: BedrockAccessSpec::default(), status };
    let message = format!(
        "the object cannot be read: {error}; correct it, or to let it be deleted as it is, take its finalizer {FINALIZER} out (the chart's admission policy allows that to \
         the operator and to whom alsoAllow names)"
    );
    tell(&object, Finding::new(Reason::InvalidSpec, message), cx).await
}

/// Says on the object itself that the code failed on it.
pub async fn report_panic(object: &BedrockAccess, cx: &Context) -> Result<(), Error> {
    let message = "the operator failed on this object, which is a defect of the operator: its log says where; other objects are \
                   served, and this one is tried again";
    tell(object, Finding::new(Reason::InternalError, message), cx).await
}

async fn tell(object: &BedrockAccess, finding: Finding, cx: &Context) -> Result<(), Error> {
    report::write(object, cx, &status::blocked(object, finding, Timestamp::now())).await
}
