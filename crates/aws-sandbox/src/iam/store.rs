//! The roles of the account, and the history of their inline policies.

use std::collections::BTreeMap;

use super::role::{Change, NewRole, Role};
use crate::config::Config;

/// Everything that IAM holds.
#[derive(Debug, Default)]
pub(crate) struct Iam {
    roles: BTreeMap<String, Role>,
    history: BTreeMap<String, Vec<Change>>,
    created: u64,
}

impl Iam {
    pub(crate) fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(name)
    }

    /// Tags and trust policy may be changed through it; inline policies not, as they have a history.
    pub(crate) fn role_mut(&mut self, name: &str) -> Option<&mut Role> {
        self.roles.get_mut(name)
    }

    /// Creates a role, in place of one of the same name.
    pub(crate) fn insert(&mut self, new: NewRole, config: &Config) -> Role {
        self.remove(&new.name);
        self.created += 1;
        let role = Role {
            arn: format!("arn:{}:iam::{}:role{}{}", config.partition, config.account, new.path, new.name),
            id: format!("AROA{}", base32(self.created)),
            created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            name: new.name,
            path: new.path,
            description: new.description,
            max_session_duration: new.max_session_duration,
            trust_policy: new.trust_policy,
            permissions_boundary: new.permissions_boundary,
            tags: new.tags,
            policies: BTreeMap::new(),
        };
        self.roles.insert(role.name.clone(), role.clone());
        for (policy, document) in &new.policies {
            self.put_policy(&role.name, policy, document);
        }
        self.roles.get(&role.name).cloned().unwrap_or(role)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Role> {
        let role = self.roles.remove(name)?;
        for policy in role.policies.keys() {
            self.record(name, policy, None);
        }
        Some(role)
    }

    /// Writes an inline policy; `None` without such a role.
    pub(crate) fn put_policy(&mut self, role: &str, policy: &str, document: &str) -> Option<()> {
        self.roles.get_mut(role)?.policies.insert(policy.to_owned(), document.to_owned());
        self.record(role, policy, Some(document.to_owned()));
        Some(())
    }

    /// Deletes an inline policy; `None` without such a role or policy.
    pub(crate) fn delete_policy(&mut self, role: &str, policy: &str) -> Option<String> {
        let document = self.roles.get_mut(role)?.policies.remove(policy)?;
        self.record(role, policy, None);
        Some(document)
    }

    /// Every change of an inline policy on roles of the name, oldest first.
    pub(crate) fn history(&self, role: &str) -> Vec<Change> {
        self.history.get(role).cloned().unwrap_or_default()
    }

    fn record(&mut self, role: &str, policy: &str, document: Option<String>) {
        let change = Change { policy: policy.to_owned(), document };
        self.history.entry(role.to_owned()).or_default().push(change);
    }
}

/// The seventeen characters behind the prefix of a unique id.
fn base32(number: u64) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    (0..17)
        .rev()
        .map(|place| number.checked_shr(place * 5).unwrap_or(0) & 31)
        .map(|digit| usize::try_from(digit).map_or('A', |digit| char::from(DIGITS[digit])))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_created_again_has_another_id() {
        let (mut iam, config) = (Iam::default(), Config::default());
        let first = iam.insert("r".into(), &config);
        let second = iam.insert("r".into(), &config);
        assert_ne!(first.id, second.id);
        assert!(first.id.len() == 21 && first.id.starts_with("AROA"), "{}", first.id);
    }

    #[test]
    fn the_history_outlives_the_role() {
        let (mut iam, config) = (Iam::default(), Config::default());
        iam.insert(NewRole::new("r").policy("p", "{}"), &config);
        iam.remove("r");
        let documents: Vec<_> = iam.history("r").into_iter().map(|change| change.document).collect();
        assert_eq!(documents, [Some("{}".to_owned()), None]);
    }
}
