use bedrock_iam::orphan::ObjectName;
use bedrock_iam::{RoleArn, RoleName};
use kube::api::ListParams;
use kube::core::DeserializeGuard;
use kube::{Api, Client, ResourceExt};

use crate::api::v1alpha1::BedrockAccess;

/// An object that may not be readable.
pub(crate) type Guarded = DeserializeGuard<BedrockAccess>;

/// Objects of one answer of the API server.
const PAGE: u32 = 500;

/// Every object of the cluster, with the role that it names.
pub async fn list(client: &Client) -> Result<Vec<(ObjectName, Option<RoleName>)>, kube::Error> {
    let api: Api<Guarded> = Api::all(client.clone());
    let (mut objects, mut page) = (Vec::new(), ListParams::default().limit(PAGE));
    loop {
        let answer = api.list(&page).await?;
        objects.extend(answer.items.iter().map(named));
        match answer.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(objects),
        }
    }
}

/// Whether the object is there and looks after a policy on the role, asked of the API server.
pub(super) async fn looks_after(
    client: &Client,
    object: &ObjectName,
    role: &RoleName,
) -> Result<bool, kube::Error> {
    let api: Api<Guarded> = Api::namespaced(client.clone(), &object.namespace);
    let found = api.get_opt(&object.name).await?;
    Ok(found.is_some_and(|found| named(&found).1.is_none_or(|named| named == *role)))
}

/// The object's name and the role that it names; `None` where that cannot be read, so that it may be any.
pub(crate) fn named(object: &Guarded) -> (ObjectName, Option<RoleName>) {
    let name = ObjectName { namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
    let role = object.0.as_ref().ok().and_then(|object| {
        let role = &object.spec.role;
        let of_arn = |arn: &String| arn.parse::<RoleArn>().ok().map(|arn| arn.name);
        role.name.as_ref().and_then(|name| name.parse().ok()).or_else(|| role.arn.as_ref().and_then(of_arn))
    });
    (name, role)
}
