//! What IAM holds, as plain values.

use std::collections::BTreeMap;

use crate::iam::document::Document;
use crate::iam::foreign::ForeignStatements;
use crate::iam::identity::PolicyIdentity;
use crate::names::arn::RoleArn;
use crate::names::fault::Fault;
use crate::names::policy_ref::PolicyRef;
use crate::names::tags::Tags;

/// The role and our policies on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The role.
    pub role: RoleState,
    /// The policies of our names; one that was not read counts as absent.
    pub policies: BTreeMap<PolicyRef, PolicyState>,
}

impl Observed {
    /// A role with one policy of ours.
    pub fn new(role: RoleState, policy: PolicyRef, state: PolicyState) -> Self {
        Self { role, policies: [(policy, state)].into() }
    }

    /// One of our policies.
    pub fn policy(&self, policy: &PolicyRef) -> &PolicyState {
        self.policies.get(policy).unwrap_or(&PolicyState::Absent)
    }
}

/// GetRole's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleState {
    /// The role exists.
    Found(Role),
    /// NoSuchEntity.
    Missing,
    /// No answer.
    Fault(Fault),
}

/// What matters of a role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// Name, path, account and partition.
    pub arn: RoleArn,
    /// `AROA…`; changes when a role is deleted and created again.
    pub id: String,
    /// The role's tags.
    pub tags: Tags,
}

impl Role {
    /// Whether AWS alone may modify the role: service-linked roles and the roles of IAM Identity Center.
    pub fn is_protected(&self) -> bool {
        ["/aws-reserved/", "/aws-service-role/"].iter().any(|path| self.arn.path.starts_with(path))
    }
}

/// GetRolePolicy's answer for our policy's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyState {
    /// There is no policy of that name, or no role.
    Absent,
    /// A policy that we wrote, perhaps edited since.
    Ours(Document),
    /// A policy that we wrote, and into which someone else put statements of their own.
    Shared {
        /// Our statements.
        ours: Document,
        /// The others.
        foreign: ForeignStatements,
    },
    /// A policy of our name without our mark; `None` where it cannot be read as a policy.
    Foreign(Option<Document>),
    /// No answer.
    Fault(Fault),
}

impl PolicyState {
    /// Our statements, where there are any.
    pub fn document(&self) -> Option<&Document> {
        match self {
            Self::Ours(document) | Self::Shared { ours: document, .. } => Some(document),
            Self::Absent | Self::Foreign(_) | Self::Fault(_) => None,
        }
    }

    /// What someone else put beside our statements, if anything.
    pub fn foreign(&self) -> Option<&ForeignStatements> {
        match self {
            Self::Shared { foreign, .. } => Some(foreign),
            Self::Absent | Self::Ours(_) | Self::Foreign(_) | Self::Fault(_) => None,
        }
    }

    /// Why it is not known what stands there.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            Self::Absent | Self::Ours(_) | Self::Shared { .. } | Self::Foreign(_) => None,
        }
    }

    /// Whether someone else's policy stands under our name.
    pub fn is_foreign(&self) -> bool {
        matches!(self, Self::Foreign(_))
    }

    /// All that stands under our name, whoever wrote it: what IAM decides by.
    pub fn whole(&self) -> Option<Document> {
        match self {
            Self::Ours(document) => Some(document.clone()),
            Self::Shared { ours, foreign } => Some(foreign.beside(ours)),
            Self::Foreign(document) => document.clone(),
            Self::Absent | Self::Fault(_) => None,
        }
    }

    /// Judges the document that stands under our name: ours if one Sid carries our hash. Its statements are ours by their Sids,
    /// and every other one is someone else's.
    pub fn of(text: &str, identity: &PolicyIdentity) -> Self {
        let Ok(mut document) = Document::parse(text) else {
            return Self::Foreign(None);
        };
        let mut sids = document.statement.iter().filter_map(|statement| statement.sid.as_deref());
        if !sids.any(|sid| identity.is_marker(sid)) {
            return Self::Foreign(Some(document));
        }
        match ForeignStatements::take_from(&mut document, identity) {
            None => Self::Ours(document),
            Some(foreign) => Self::Shared { ours: document, foreign },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(sids: &[&str]) -> PolicyState {
        let statements: Vec<String> = sids
            .iter()
            .map(|sid| format!(r#"{{"Sid":"{sid}","Effect":"Allow","Action":"a:b","Resource":"*"}}"#))
            .collect();
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        PolicyState::of(&text, &identity())
    }

    fn identity() -> PolicyIdentity {
        PolicyIdentity::derive("cluster", "team-a", "assistant")
    }

    #[test]
    fn a_policy_with_our_mark_is_ours_in_any_order() {
        let mark = identity().marker();
        assert!(matches!(judge(&[&mark, "BedrockAccess1"]), PolicyState::Ours(_)));
        assert!(matches!(judge(&["BedrockAccess1", &mark]), PolicyState::Ours(_)));
    }

    #[test]
    fn statements_of_others_beside_ours_are_told_apart() {
        let mark = identity().marker();
        for theirs in ["Theirs", "", "BedrockAccessS3"] {
            let state = judge(&["BedrockAccess1", theirs, &mark]);
            let PolicyState::Shared { ours, foreign } = &state else { panic!("{theirs}: {state:?}") };
            assert_eq!((ours.statement.len(), foreign.alone().statement.len()), (2, 1));
            assert_eq!(state.whole().unwrap().statement.len(), 3);
        }
    }

    #[test]
    fn a_policy_without_our_mark_is_foreign() {
        let mark = identity().marker();
        let other = PolicyIdentity::derive("cluster", "team-b", "assistant").marker();
        assert!(judge(&[&format!("{mark}evil")]).is_foreign());
        assert!(judge(&[&other]).is_foreign());
        assert!(judge(&["BedrockAccess1"]).is_foreign());
        assert_eq!(PolicyState::of("not json", &identity()), PolicyState::Foreign(None));
    }
}
