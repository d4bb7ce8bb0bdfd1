use bedrock_iam::RoleName;
use bedrock_iam::orphan::ObjectName;
use kube::api::ListParams;
use kube::{Api, Client, Resource, ResourceExt};

use super::Guarded;
use crate::cluster_id::Told;
use crate::kubernetes::PAGE;
use crate::reconcile::is_held;

/// Every object of the cluster, with the role that it names.
pub async fn list(client: &Client) -> Result<Vec<(ObjectName, Option<RoleName>)>, kube::Error> {
    let mut objects = Vec::new();
    each(client, |object| objects.extend(keeper(object))).await?;
    Ok(objects)
}

/// The object with its role, if it looks after a policy at all: one whose deletion we finished does not, however long a finalizer
/// of somebody else keeps it there.
pub(crate) fn keeper(object: &Guarded) -> Option<(ObjectName, Option<RoleName>)> {
    let is_released = object.meta().deletion_timestamp.is_some() && !is_held(object);
    (!is_released).then(|| (name(object), object.role()))
}

/// Every readable object of the cluster, with the policies that its status tells of.
pub(crate) async fn told(client: &Client) -> Result<Vec<Told>, kube::Error> {
    let mut all = Vec::new();
    let read = |object: &Guarded| {
        let status = object.0.as_ref().ok().and_then(|object| object.status.as_ref());
        let policies = status.iter().flat_map(|status| &status.policies);
        let policies = policies.map(|policy| policy.name.clone()).collect();
        all.push(Told { object: name(object), policies });
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
    Ok(keeper.is_some_and(|(_, named)| named.is_none_or(|named| named.is_same(role))))
}

fn name(object: &Guarded) -> ObjectName {
    ObjectName { namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
}
