//! A role as one look at the whole account shows it. What it shows may be older than our own last write, and decides none.

use crate::iam::observed::{Observed, PolicyState, Role, RoleState};
use crate::want::intent::Claim;

/// A role as GetAccountAuthorizationDetails answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScannedRole {
    /// The role.
    pub role: Role,
    /// Its inline policies: name and document, perhaps percent-encoded.
    pub policies: Vec<(String, String)>,
}

impl ScannedRole {
    /// What GetRole and GetRolePolicy would have answered for a claim, also for the policy of the former cluster id.
    pub fn observed(&self, claim: &Claim) -> Observed {
        let policies = claim.with_former().map(|claim| (claim.policy(), self.policy(claim)));
        Observed { role: RoleState::Found(self.role.clone()), policies: policies.collect() }
    }

    fn policy(&self, claim: &Claim) -> PolicyState {
        let named = self.policies.iter().find(|(name, _)| name == claim.identity.policy_name());
        named.map_or(PolicyState::Absent, |(_, document)| PolicyState::of(document, &claim.identity))
    }
}
