//! The roles of the account, and the history of their inline policies.

use std::collections::BTreeMap;
use std::time::Duration;

use super::lag::{Past, Reads};
use super::role::{Change, NewRole, Role};
use crate::home::Home;

/// Everything that IAM holds.
#[derive(Debug, Default)]
pub(crate) struct Iam {
    roles: BTreeMap<String, Role>,
    /// By role name: the changes of every write, of which a write to the role as a whole has several.
    history: BTreeMap<String, Vec<Vec<Change>>>,
    past: Past,
    created: u64,
}

impl Iam {
    pub(crate) fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(name)
    }

    /// What one read sees.
    pub(crate) fn read(&mut self) -> View<'_> {
        let past = self.past.seen_by_one_read().unwrap_or_default();
        View { newest: &self.roles, past }
    }

    pub(crate) fn reads(&self) -> &Reads {
        self.past.reads()
    }

    /// Changes what reads see, beginning with the writes from now on.
    pub(crate) fn set_reads(&mut self, reads: Reads) {
        self.past.set_reads(reads);
    }

    /// Moves the clock of the lag forward.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.past.advance(by);
    }

    #[cfg(test)]
    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    /// Creates a role, in place of one of the same name.
    pub(crate) fn insert(&mut self, new: NewRole, home: &Home) -> Role {
        self.remove(&new.name);
        self.created += 1;
        let role = Role {
            arn: format!("arn:{}:iam::{}:role{}{}", home.partition, home.account, new.path, new.name),
            id: format!("AROA{}", base32(self.created)),
            created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            name: new.name,
            path: new.path,
            description: new.description,
            max_session_duration: new.max_session_duration,
            trust_policy: new.trust_policy,
            permissions_boundary: new.permissions_boundary,
            tags: new.tags,
            policies: new.policies,
        };
        self.past.keep(&role.name, None);
        self.record(&role.name, role.policies.iter().map(|(policy, text)| (policy, Some(text))));
        self.roles.insert(role.name.clone(), role.clone());
        role
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Role> {
        let role = self.roles.remove(name)?;
        self.past.keep(name, Some(&role));
        self.record(name, role.policies.keys().map(|policy| (policy, None::<&str>)));
        Some(role)
    }

    /// Replaces all tags of a role; `None` without such a role.
    pub(crate) fn set_tags(&mut self, role: &str, tags: BTreeMap<String, String>) -> Option<()> {
        let found = self.roles.get_mut(role)?;
        self.past.keep(role, Some(found));
        found.tags = tags;
        Some(())
    }

    /// Writes an inline policy; `None` without such a role.
    pub(crate) fn put_policy(&mut self, role: &str, policy: &str, document: &str) -> Option<()> {
        let found = self.roles.get_mut(role)?;
        self.past.keep(role, Some(found));
        found.policies.insert(policy.to_owned(), document.to_owned());
        self.record(role, [(policy, Some(document))]);
        Some(())
    }

    /// Deletes an inline policy; `None` without such a role or policy.
    pub(crate) fn delete_policy(&mut self, role: &str, policy: &str) -> Option<String> {
        let found = self.roles.get_mut(role).filter(|found| found.policies.contains_key(policy))?;
        self.past.keep(role, Some(found));
        let document = found.policies.remove(policy)?;
        self.record(role, [(policy, None::<&str>)]);
        Some(document)
    }

    /// Every change of an inline policy on roles of the name, oldest first.
    pub(crate) fn history(&self, role: &str) -> Vec<Change> {
        self.history.get(role).into_iter().flatten().flatten().cloned().collect()
    }

    /// The inline policies of roles of the name after every write that changed one, oldest first.
    pub(crate) fn policy_states(&self, role: &str) -> Vec<BTreeMap<String, String>> {
        let mut policies = BTreeMap::new();
        let writes = self.history.get(role).into_iter().flatten();
        let states = writes.map(|write| {
            for Change { policy, document } in write.clone() {
                match document {
                    Some(document) => policies.insert(policy, document),
                    None => policies.remove(&policy),
                };
            }
            policies.clone()
        });
        states.collect()
    }

    fn record<P: ToString, D: ToString>(
        &mut self,
        role: &str,
        changes: impl IntoIterator<Item = (P, Option<D>)>,
    ) {
        let changes = changes.into_iter().map(|(policy, document)| Change {
            policy: policy.to_string(),
            document: document.map(|document| document.to_string()),
        });
        let write: Vec<Change> = changes.collect();
        if !write.is_empty() {
            self.history.entry(role.to_owned()).or_default().push(write);
        }
    }
}

/// The roles as one read sees them.
pub(crate) struct View<'a> {
    newest: &'a BTreeMap<String, Role>,
    /// What stands in place of the newest state, by role name.
    past: BTreeMap<&'a str, Option<&'a Role>>,
}

impl<'a> View<'a> {
    pub(crate) fn role(&self, name: &str) -> Option<&'a Role> {
        self.past.get(name).copied().unwrap_or_else(|| self.newest.get(name))
    }

    /// Sorted by name.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &'a Role> {
        let newest = self.newest.iter().map(|(name, role)| (name.as_str(), Some(role)));
        let past = self.past.iter().map(|(&name, &role)| (name, role));
        let all: BTreeMap<&str, Option<&Role>> = newest.chain(past).collect();
        all.into_values().flatten()
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
        let (mut iam, home) = (Iam::default(), Home::default());
        let first = iam.insert("r".into(), &home);
        let second = iam.insert("r".into(), &home);
        assert_ne!(first.id, second.id);
        assert!(first.id.len() == 21 && first.id.starts_with("AROA"), "{}", first.id);
    }

    #[test]
    fn the_history_outlives_the_role() {
        let (mut iam, home) = (Iam::default(), Home::default());
        iam.insert(NewRole::new("r").policy("p", "{}"), &home);
        iam.remove("r");
        let documents: Vec<_> = iam.history("r").into_iter().map(|change| change.document).collect();
        assert_eq!(documents, [Some("{}".to_owned()), None]);
    }

    #[test]
    fn every_state_of_the_policies_is_told_and_no_other() {
        let (mut iam, home) = (Iam::default(), Home::default());
        iam.insert(NewRole::new("r").policy("a", "1").policy("b", "1"), &home);
        iam.put_policy("r", "a", "2");
        iam.set_tags("r", BTreeMap::from([("k".to_owned(), "v".to_owned())]));
        iam.delete_policy("r", "b");
        iam.delete_policy("r", "b");
        iam.insert(NewRole::new("r").policy("c", "1"), &home);
        iam.remove("r");
        iam.insert("r".into(), &home);
        iam.put_policy("r", "d", "1");
        let told: Vec<Vec<String>> = iam
            .policy_states("r")
            .into_iter()
            .map(|state| state.into_iter().map(|(policy, text)| policy + &text).collect())
            .collect();
        let expected: [&[&str]; 7] = [&["a1", "b1"], &["a2", "b1"], &["a2"], &[], &["c1"], &[], &["d1"]];
        assert_eq!(told, expected);
        assert!(iam.policy_states("s").is_empty());
    }
}
