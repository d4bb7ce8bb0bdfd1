//! What IAM holds, as plain values.

use crate::answer::Tags;
use crate::arn::RoleArn;
use crate::document::Document;
use crate::fault::Fault;
use crate::identifier::{AccountId, Partition};
use crate::identity::{PolicyIdentity, SID_PREFIX};

/// The account that the operator works in (STS GetCallerIdentity).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account's id.
    pub id: AccountId,
    /// The partition, from the caller's ARN.
    pub partition: Partition,
}

/// The role and our policy on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The role.
    pub role: RoleState,
    /// The policy of our name.
    pub policy: PolicyState,
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// A policy of our name that we did not write.
    Foreign,
    /// No answer.
    Fault(Fault),
}

impl PolicyState {
    /// What our policy holds, where there is one.
    pub fn document(&self) -> Option<&Document> {
        match self {
            Self::Ours(document) => Some(document),
            Self::Absent | Self::Foreign | Self::Fault(_) => None,
        }
    }

    /// Judges the document that stands under our name: ours only if every Sid has our prefix and one carries our hash.
    pub fn of(text: &str, identity: &PolicyIdentity) -> Self {
        let Ok(document) = Document::parse(text) else {
            return Self::Foreign;
        };
        let sids = || document.statement.iter().map(|statement| statement.sid.as_deref().unwrap_or_default());
        if sids().all(|sid| sid.starts_with(SID_PREFIX)) && sids().any(|sid| identity.is_mark(sid)) {
            Self::Ours(document)
        } else {
            Self::Foreign
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
        let mark = identity().mark();
        assert!(matches!(judge(&[&mark, "BedrockAccess1"]), PolicyState::Ours(_)));
        assert!(matches!(judge(&["BedrockAccess1", &mark]), PolicyState::Ours(_)));
    }

    #[test]
    fn anything_else_under_our_name_is_foreign() {
        let mark = identity().mark();
        let other = PolicyIdentity::derive("cluster", "team-b", "assistant").mark();
        assert_eq!(judge(&[&format!("{mark}evil")]), PolicyState::Foreign);
        assert_eq!(judge(&[&mark, "Theirs"]), PolicyState::Foreign);
        assert_eq!(judge(&[&mark, ""]), PolicyState::Foreign);
        assert_eq!(judge(&[&other]), PolicyState::Foreign);
        assert_eq!(judge(&["BedrockAccess1"]), PolicyState::Foreign);
        assert_eq!(PolicyState::of("not json", &identity()), PolicyState::Foreign);
    }
}
