//! Policies of ours whose object is gone, so that no reconcile looks after them: the finalizer was taken off, or the cluster
//! was restored from an older copy.

use std::collections::BTreeMap;

use crate::bedrock::answer::Answers;
use crate::iam::identity::PolicyIdentity;
use crate::iam::observed::PolicyState;
use crate::names::account::Account;
use crate::names::identifier::RoleName;
use crate::names::tags::Tags;
use crate::policy::current::CurrentGrants;
use crate::policy::revocation::Revoked;
use crate::resolve;
use crate::scan::ScannedRole;
use crate::want::consent::{ConsentPolicy, Tenant};
use crate::want::intent::Claim;

/// A `BedrockAccess`, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Its namespace.
    pub namespace: String,
    /// Its own name.
    pub name: String,
}

/// One cluster id, and the objects that look after what was written under it.
#[derive(Clone, Debug)]
pub struct Installation {
    cluster_id: String,
    account: Account,
    /// Another one, where this one was written under before.
    now: String,
    consent: ConsentPolicy,
    /// By policy name; the role that the object names, where that is known.
    looked_after: BTreeMap<String, Option<RoleName>>,
}

/// A policy of our shape that no object of the installation looks after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The policy, the role, and in whose name it was written.
    pub claim: Claim,
    /// The object that it was written for; a name that is too long for the policy's name stands here cut.
    pub object: ObjectName,
    /// How many grants it still holds.
    pub grants: usize,
    /// What may become of it.
    pub standing: Standing,
}

/// What may become of a policy without an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The role does not consent any more: it goes.
    Withdrawn,
    /// The role still consents, so a person decides.
    Consented,
    /// The role's owner lets it outlive its object: it stays.
    Retained,
    /// Another installation wrote it, whose objects are not known here: hands off.
    Elsewhere,
    /// Its name is cut, so it cannot be told who wrote it: hands off.
    Unknown,
}

impl Standing {
    /// That of a policy of the tenant's own, whose cluster id may be another one by `now`. Where nobody is asked for consent,
    /// nobody can be said to have let it outlive its object.
    pub fn of(tenant: &Tenant, now: &str, tags: &Tags) -> Self {
        let names = in_both_names(tenant, now);
        if tenant.policy != ConsentPolicy::None && names.iter().any(|name| name.may_retain(tags)) {
            return Self::Retained;
        }
        if names.iter().all(|name| name.is_withdrawn(tags)) { Self::Withdrawn } else { Self::Consented }
    }

    /// Whether someone has to do something about it.
    pub fn is_orphaned(self) -> bool {
        matches!(self, Self::Withdrawn | Self::Consented)
    }
}

/// What a policy without a reconcile of its own may no longer hold, because the owner of a target withdrew it from the tenant,
/// also in the name of the cluster id of `now`. Who did not answer withdrew nothing.
pub fn withdrawn(claim: &Claim, now: &str, answers: &Answers, held: &CurrentGrants) -> Revoked {
    let [before, now] = in_both_names(&claim.tenant, now).map(|tenant| {
        let claim = Claim { tenant, ..claim.clone() };
        resolve::withdrawn(&claim, answers, held).targets
    });
    Revoked { targets: &before & &now, ..Revoked::default() }
}

/// An owner may have rewritten an entry for the cluster id of now already, and not yet for the one before.
fn in_both_names(tenant: &Tenant, now: &str) -> [Tenant; 2] {
    [tenant.clone(), Tenant { cluster_id: now.to_owned(), ..tenant.clone() }]
}

/// The policies on the role that carry a mark of ours and that no object of any of the installations looks after, each as it
/// stands with the installation that wrote it.
pub fn orphans(installations: &[Installation], role: &ScannedRole) -> Vec<Orphan> {
    let orphan = |(name, document): &(String, String)| {
        let views = installations.iter().map(|one| one.orphan(role, name, document));
        let views = views.collect::<Option<Vec<_>>>()?;
        let is_unknown = |orphan: &Orphan| matches!(orphan.standing, Standing::Elsewhere | Standing::Unknown);
        views.into_iter().min_by_key(is_unknown)
    };
    role.policies.iter().filter_map(orphan).collect()
}

impl Installation {
    /// The installation of a cluster id with its objects; a role of `None` is one that could not be read.
    pub fn new(
        cluster_id: &str,
        account: &Account,
        consent: ConsentPolicy,
        objects: impl IntoIterator<Item = (ObjectName, Option<RoleName>)>,
    ) -> Self {
        let policy = |object: &ObjectName| {
            PolicyIdentity::derive(cluster_id, &object.namespace, &object.name).policy_name().to_owned()
        };
        let looked_after = objects.into_iter().map(|(object, role)| (policy(&object), role)).collect();
        let cluster_id = cluster_id.to_owned();
        Self { now: cluster_id.clone(), cluster_id, account: account.clone(), consent, looked_after }
    }

    /// The same, where policies are written under another cluster id by now.
    #[must_use]
    pub fn succeeded_by(self, now: &str) -> Self {
        Self { now: now.to_owned(), ..self }
    }

    /// The claim of an object on a role.
    pub fn claim(&self, object: &ObjectName, role: &RoleName) -> Claim {
        Claim {
            identity: PolicyIdentity::derive(&self.cluster_id, &object.namespace, &object.name),
            tenant: self.tenant(&object.namespace),
            account: self.account.clone(),
            role: role.clone(),
            role_arn: None,
            former: None,
        }
    }

    /// Whether an object looks after that policy on that role. One that was created anew may name another role.
    pub fn looks_after(&self, identity: &PolicyIdentity, role: &RoleName) -> bool {
        let known = self.looked_after.get(identity.policy_name());
        known.is_some_and(|named| named.as_ref().is_none_or(|named| named.is_same(role)))
    }

    fn orphan(&self, role: &ScannedRole, policy_name: &str, document: &str) -> Option<Orphan> {
        let identity = PolicyIdentity::of_policy_name(policy_name)?;
        let (namespace, name, is_cut) = identity.object()?;
        if self.looks_after(&identity, &role.role.arn.name) {
            return None;
        }
        let policy = PolicyState::of(document, &identity);
        let grants = CurrentGrants::of(policy.document()?).count();
        let tenant = self.tenant(namespace);
        let standing = if PolicyIdentity::derive(&self.cluster_id, namespace, name) == identity {
            Standing::of(&tenant, &self.now, &role.role.tags)
        } else if is_cut {
            Standing::Unknown
        } else {
            Standing::Elsewhere
        };
        let object = ObjectName { namespace: namespace.to_owned(), name: name.to_owned() };
        let claim = Claim {
            identity,
            tenant,
            account: self.account.clone(),
            role: role.role.arn.name.clone(),
            role_arn: None,
            former: None,
        };
        Some(Orphan { claim, object, grants, standing })
    }

    fn tenant(&self, namespace: &str) -> Tenant {
        Tenant { cluster_id: self.cluster_id.clone(), namespace: namespace.to_owned(), policy: self.consent }
    }
}
