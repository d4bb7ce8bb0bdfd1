//! What a manifest wants, once it is parsed: no options, no strings that could be anything.

use std::collections::BTreeSet;

use super::terms::Terms;
use crate::bedrock::family::Family;
use crate::bedrock::target::Target;
use crate::iam::identity::PolicyIdentity;
use crate::names::account::Account;
use crate::names::arn::RoleArn;
use crate::names::identifier::{Region, RoleName};
use crate::names::policy_ref::{PolicyKind, PolicyRef};
use crate::say::finding::Finding;
use crate::want::consent::Tenant;

/// Which policy on which role, and in whose name: all that is needed to take a policy away again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Under which name we write.
    pub identity: PolicyIdentity,
    /// Whose consent the role must have given.
    pub tenant: Tenant,
    /// The account that the operator works in for the object.
    pub account: Account,
    /// The role, in that account.
    pub role: RoleName,
    /// The whole ARN that the role must have, where the manifest gave one.
    pub role_arn: Option<RoleArn>,
    /// In whose name it was written before, while policies are moved from another cluster id.
    pub former: Option<Box<Claim>>,
}

impl Claim {
    /// Whether the manifest names a role of another account or partition, in which nothing is ever written.
    pub fn is_elsewhere(&self) -> bool {
        let Account { id, partition } = &self.account;
        let is_elsewhere = |arn: &RoleArn| arn.account != *id || arn.partition != *partition;
        self.role_arn.as_ref().is_some_and(is_elsewhere)
    }

    /// The claim, and that in whose name the policy was written before.
    pub fn with_former(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.former.as_deref())
    }

    /// In whose name one of the object's policies is written: that of before, or its own.
    pub fn in_whose_name(&self, policy: &PolicyRef) -> &Self {
        self.former.as_deref().filter(|former| former.policy() == *policy).unwrap_or(self)
    }

    /// The policy by itself.
    pub fn policy(&self) -> PolicyRef {
        PolicyRef {
            account: self.account.id.clone(),
            role: self.role.clone(),
            kind: PolicyKind::Inline,
            name: self.identity.policy_name().to_owned(),
        }
    }

    /// The command by which the role's owner removes the policy.
    pub fn removal_command(&self) -> String {
        let (role, policy) = (&self.role, self.identity.policy_name());
        format!("aws iam delete-role-policy --role-name {role} --policy-name {policy}")
    }
}

/// Everything that a manifest asks of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Where it is to be written.
    pub claim: Claim,
    /// What the role may call, and from where.
    pub targets: BTreeSet<Target>,
    /// Of which models every member is wanted.
    pub families: BTreeSet<Family>,
    /// Source Regions of which it is not known whether they exist: nothing is asked there, and what the role holds of them stays.
    pub unknown_sources: BTreeSet<Region>,
    /// What stands against single entries of the manifest; the others are served all the same.
    pub refused: Vec<Finding>,
    /// On what terms.
    pub terms: Terms,
    /// The residency lock: no grant may reach a Region outside it.
    pub allowed_destination_regions: Option<BTreeSet<Region>>,
    /// What to do about someone else's changes.
    pub drift_policy: DriftPolicy,
    /// The profile whose shorter answer the user accepts, if any.
    pub accepted_shrink: Option<AcceptedShrink>,
}

impl Intent {
    /// Whether Bedrock may be asked in a source Region.
    pub fn knows(&self, source: &Region) -> bool {
        !self.unknown_sources.contains(source)
    }
}

/// A user's word that a profile really became shorter, or that it or a model is gone: `PROFILE[@REGION]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedShrink {
    /// The profile's or the model's id.
    pub profile: String,
    /// The source Region; every one if absent.
    pub source: Option<Region>,
}

impl AcceptedShrink {
    /// Whether the word is about this profile or model in this source Region.
    pub fn covers(&self, profile: &str, source: &Region) -> bool {
        self.profile == profile && self.source.as_ref().is_none_or(|region| region == source)
    }
}

/// What to do when the policy on the role is no longer what we last wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftPolicy {
    /// Repair it.
    Enforce,
    /// Report it, and write only for a new object, a changed spec or a changed route.
    Report,
}
