use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::orphan::ObjectName;
use bedrock_iam::{RoleArn, RoleName};
use kube::api::ListParams;
use kube::core::DeserializeGuard;
use kube::{Api, Client, Resource, ResourceExt};

use crate::cluster_id::Told;
use crate::reconcile::FINALIZER;

/// An object that may not be readable.
pub(crate) type Guarded = DeserializeGuard<BedrockAccess>;

/// Objects of one answer of the API server.
const PAGE: u32 = 500;

/// Every object of the cluster, with the role that it names.
pub async fn list(client: &Client) -> Result<Vec<(ObjectName, Option<RoleName>)>, kube::Error> {
    let mut objects = Vec::new();
    each(client, |object| objects.extend(keeper(object))).await?;
    Ok(objects)
}

/// The object with its role, if it looks after a policy at all: one whose deletion we finished does not, however long a finalizer
/// of somebody else keeps it there.
pub(crate) fn keeper(object: &Guarded) -> Option<(ObjectName, Option<RoleName>)> {
    let is_released = object.meta().deletion_timestamp.is_some()
        && !object.finalizers().iter().any(|name| name == FINALIZER);
    (!is_released).then(|| named(object))
}

/// Every readable object of the cluster, with the policies that its status tells of.
pub(crate) async fn told(client: &Client) -> Result<Vec<Told>, kube::Error> {
    let mut all = Vec::new();
    let read = |object: &Guarded| {
        let status = object.0.as_ref().ok().and_then(|object| object.status.as_ref());
        let policies = status.iter().flat_map(|status| &status.policies);
        let policies = policies.map(|policy| policy.name.clone()).collect();
        all.push(Told { object: named(object).0, policies });
    };
    each(client, read).await?;
    Ok(all)
}

/// Shows every object, a page at a time.
async fn each(client: &Client, mut see: impl FnMut(&Guarded)) -> Result<(), kube::Error> {
    let api: Api<Guarded> = Api::all(client.clone());
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let answer = api.list(&page).await?;
        answer.items.iter().for_each(&mut see);
        match answer.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(()),
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
    let keeper = found.as_ref().and_then(keeper);
    Ok(keeper.is_some_and(|(_, named)| named.is_none_or(|named| named == *role)))
}

/// The object's name and the role that it names; `None` where that cannot be read, so that it may be any.
fn named(object: &Guarded) -> (ObjectName, Option<RoleName>) {
    let name = ObjectName { namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
    let role = object.0.as_ref().ok().and_then(|object| {
        let role = &object.spec.role;
        let of_arn = |arn: &String| arn.parse::<RoleArn>().ok().map(|arn| arn.name);
        role.name.as_ref().and_then(|name| name.parse().ok()).or_else(|| role.arn.as_ref().and_then(of_arn))
    });
    (name, role)
}
