//! One policy of a role, by all that tells it from every other one.

use super::identifier::{AccountId, RoleName};

/// Which policy on which role: what a step writes, and what is remembered of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyRef {
    /// The role's account.
    pub account: AccountId,
    /// The role.
    pub role: RoleName,
    /// How the policy hangs on the role.
    pub kind: PolicyKind,
    /// The policy's name.
    pub name: String,
}

/// How a policy hangs on a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// It is part of the role (PutRolePolicy).
    Inline,
}

impl PolicyKind {
    /// As the status names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "Inline",
        }
    }
}
