//! Consent: the tag by which a role, or a target that belongs to an account, says which namespaces may use it.

use std::fmt;

use crate::names::identifier::{Region, RoleName};
use crate::names::tags::Tags;

/// The tag's key; a value holds at most 256 characters, so the list goes on in `….2` to `….9`. This first key decides whether
/// anybody has consent at all.
pub const TAG: &str = "bedrockaccess.io/namespaces";

/// Before an entry: its namespaces may use explicit denies too.
const DENY: &str = "deny:";

/// Before an entry: the policies of its namespaces may outlive their objects too.
const RETAIN: &str = "retain:";

/// No namespace: how consent is withdrawn from all.
const NOBODY: &str = "@none";

/// Any namespace of any cluster.
const ANY: &str = "@any";

/// Said of what was granted while no role was asked.
const UNCONFIRMED: &str =
    "; what was granted under --consent=none stays until the operator is started with --confirm-consent";

/// Who asks for consent, and whether it must be asked for at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The cluster's id.
    pub cluster_id: String,
    /// The manifest's namespace.
    pub namespace: String,
    /// How the cluster asks for consent.
    pub policy: ConsentPolicy,
}

/// Whether consent must be given by a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConsentPolicy {
    /// By the role's tag.
    Tag,
    /// By the role's tag, after no role was asked for a while: what was granted then stays on roles without the tag, until a person
    /// confirms the change. Nothing more is granted to them.
    Unconfirmed,
    /// Every role of the account may be used: for a cluster with one tenant.
    None,
}

/// What is to carry the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taggable<'a> {
    /// A role of the operator's account.
    Role(&'a RoleName),
    /// A target in Bedrock that belongs to the account.
    Target {
        /// Where it lies.
        source: &'a Region,
        /// Its ARN.
        arn: &'a str,
    },
}

/// What the tags say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// The namespace is listed.
    Given,
    /// The tag is there and does not list the namespace.
    Withheld,
    /// There is no such tag; AWS may then forbid the operator to write to the role.
    Untagged,
}

impl fmt::Display for Taggable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "role {role}"),
            Self::Target { arn, .. } => f.write_str(arn),
        }
    }
}

impl Tenant {
    /// Reads the tags. Entries are separated by blanks: `cluster-id/namespace`, `namespace`, or `@any`.
    pub fn consent(&self, tags: &Tags) -> Consent {
        if self.policy == ConsentPolicy::None {
            return Consent::Given;
        }
        if !tags.contains_key(TAG) {
            return Consent::Untagged;
        }
        if ["", DENY, RETAIN].iter().any(|prefix| self.is_listed_after(prefix, tags)) {
            Consent::Given
        } else {
            Consent::Withheld
        }
    }

    /// Whether what stands on the role by an earlier consent has to go.
    pub fn is_withdrawn(&self, tags: &Tags) -> bool {
        match self.consent(tags) {
            Consent::Given => false,
            Consent::Withheld => true,
            Consent::Untagged => self.policy != ConsentPolicy::Unconfirmed,
        }
    }

    /// Whether the role also lets the namespace use explicit denies: by `deny:` before its entry.
    pub fn may_deny(&self, tags: &Tags) -> bool {
        self.policy == ConsentPolicy::None || self.is_listed_after(DENY, tags)
    }

    /// Whether the role lets the namespace's policy outlive its object: by `retain:` before its entry.
    pub fn may_retain(&self, tags: &Tags) -> bool {
        self.policy == ConsentPolicy::None || self.is_listed_after(RETAIN, tags)
    }

    /// The entry that the documentation shows first: this namespace of this cluster.
    pub fn entry(&self) -> String {
        format!("{}/{}", self.cluster_id, self.namespace)
    }

    /// Says what is missing, and how it is allowed; `None` where consent is given. It tells nothing of what the tags hold: whoever
    /// has no consent may not learn who has.
    pub fn refusal(&self, subject: Taggable<'_>, tags: &Tags) -> Option<String> {
        if self.consent(tags) == Consent::Given {
            return None;
        }
        let (namespace, entry) = (&self.namespace, self.entry());
        let held = if self.is_withdrawn(tags) { "" } else { UNCONFIRMED };
        Some(format!(
            "the tag {TAG} on {subject} does not let namespace {namespace} use it{held}; its owner allows it by the entry {entry} (and \
             no {NOBODY}): {}",
            add_command(subject, &entry)
        ))
    }

    /// The command that also lets this namespace use explicit denies.
    pub fn remedy_to_deny(&self, role: &RoleName) -> String {
        add_command(Taggable::Role(role), &format!("{DENY}{}", self.entry()))
    }

    /// The command that also lets this namespace's policy outlive its object.
    pub fn remedy_to_retain(&self, role: &RoleName) -> String {
        add_command(Taggable::Role(role), &format!("{RETAIN}{}", self.entry()))
    }

    fn is_listed_after(&self, prefix: &str, tags: &Tags) -> bool {
        entries(tags).filter_map(|entry| entry.strip_prefix(prefix)).any(|entry| self.is_meant_by(entry))
    }

    fn is_meant_by(&self, entry: &str) -> bool {
        entry == ANY || entry == self.namespace || entry == self.entry()
    }
}

/// The command that adds an entry. Tagging replaces the whole value, so the command asks for what the tag lists and keeps it.
fn add_command(subject: Taggable<'_>, entry: &str) -> String {
    match subject {
        Taggable::Role(role) => format!(
            "aws iam tag-role --role-name {role} --tags \"Key={TAG},Value=$(aws iam list-role-tags --role-name {role} \
             --query \"Tags[?Key=='{TAG}'].Value\" --output text) {entry}\""
        ),
        Taggable::Target { source, arn } => format!(
            "aws bedrock tag-resource --region {source} --resource-arn {arn} --tags \"key={TAG},value=$(aws bedrock \
             list-tags-for-resource --region {source} --resource-arn {arn} --query \"tags[?key=='{TAG}'].value\" --output text) \
             {entry}\""
        ),
    }
}

/// What the tag lists, with its continuations. The first key decides: without it, or with `@none` in it, the others say nothing,
/// so that whoever guards that one key guards them all.
fn entries(tags: &Tags) -> impl Iterator<Item = &str> {
    let is_open = tags.get(TAG).is_some_and(|first| first.split_whitespace().all(|entry| entry != NOBODY));
    keys()
        .filter(move |_| is_open)
        .filter_map(|key| tags.get(&key))
        .flat_map(|value| value.split_whitespace())
}

fn keys() -> impl Iterator<Item = String> {
    std::iter::once(TAG.to_owned()).chain((2..=9).map(|n| format!("{TAG}.{n}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> Tenant {
        Tenant { cluster_id: "c1".into(), namespace: "team-a".into(), policy: ConsentPolicy::Tag }
    }

    fn consent(tags: &[(&str, &str)]) -> Consent {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        tenant().consent(&tags)
    }

    #[test]
    fn a_listed_namespace_is_accepted_in_each_spelling() {
        for value in ["team-a", "c1/team-a", "@any", "deny:team-a", "team-b  c1/team-a\tteam-c"] {
            assert_eq!(consent(&[(TAG, value)]), Consent::Given, "{value}");
        }
    }

    #[test]
    fn what_only_looks_like_consent_is_none() {
        for value in
            ["", "team-ab", "team", "c2/team-a", "*", "team-*", "team-a,team-b", "@none", "Team-A", "deny:"]
        {
            assert_eq!(consent(&[(TAG, value)]), Consent::Withheld, "{value}");
        }
    }

    #[test]
    fn the_list_goes_on_in_numbered_tags_up_to_nine() {
        assert_eq!(consent(&[(TAG, "x"), ("bedrockaccess.io/namespaces.9", "team-a")]), Consent::Given);
        assert_eq!(consent(&[(TAG, "x"), ("bedrockaccess.io/namespaces.10", "team-a")]), Consent::Withheld);
        assert_eq!(consent(&[("bedrockaccess.io/namespace", "team-a")]), Consent::Untagged);
    }

    #[test]
    fn explicit_denies_need_an_entry_of_their_own() {
        let may_deny = |value: &str| tenant().may_deny(&[(TAG.to_owned(), value.to_owned())].into());
        assert!(may_deny("deny:team-a") && may_deny("team-b deny:c1/team-a") && may_deny("deny:@any"));
        assert!(!may_deny("team-a") && !may_deny("deny:team-b team-a") && !may_deny("deny: team-a"));
    }

    #[test]
    fn the_first_key_decides_whatever_the_numbered_ones_list() {
        let second = ("bedrockaccess.io/namespaces.2", "team-a deny:team-a retain:@any");
        assert_eq!(consent(&[second]), Consent::Untagged);
        for first in ["@none", "team-a @none", "@none deny:team-a retain:team-a"] {
            let tags = [(TAG, first), second];
            assert_eq!(consent(&tags), Consent::Withheld, "{first}");
            let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            assert!(!tenant().may_deny(&tags) && !tenant().may_retain(&tags), "{first}");
        }
        assert_eq!(consent(&[(TAG, ""), second]), Consent::Given);
    }

    #[test]
    fn a_policy_may_outlive_its_object_by_an_entry_of_its_own() {
        let may_retain = |value: &str| tenant().may_retain(&[(TAG.to_owned(), value.to_owned())].into());
        assert!(
            may_retain("retain:team-a") && may_retain("team-b retain:c1/team-a") && may_retain("retain:@any")
        );
        for value in ["team-a", "deny:team-a", "retain:team-b team-a", "retain:deny:team-a", "retain: team-a"]
        {
            assert!(!may_retain(value), "{value}");
        }
        assert_eq!(consent(&[(TAG, "retain:team-a")]), Consent::Given);
    }

    #[test]
    fn a_refusal_says_what_to_add_and_nothing_of_what_the_tags_hold() {
        let role: RoleName = "app".parse().unwrap();
        let refusal = |tags: &[(&str, &str)]| {
            let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            tenant().refusal(Taggable::Role(&role), &tags).unwrap()
        };
        let untagged = refusal(&[]);
        assert_eq!(untagged, refusal(&[(TAG, "secret/payroll deny:secret/security")]));
        assert_eq!(
            untagged,
            "the tag bedrockaccess.io/namespaces on role app does not let namespace team-a use it; its owner allows it by the \
             entry c1/team-a (and no @none): aws iam tag-role --role-name app --tags \
             \"Key=bedrockaccess.io/namespaces,Value=$(aws iam list-role-tags --role-name app \
             --query \"Tags[?Key=='bedrockaccess.io/namespaces'].Value\" --output text) c1/team-a\""
        );
    }

    #[test]
    fn the_remedy_of_a_target_names_its_region_and_arn() {
        let (source, arn) = ("us-east-1".parse().unwrap(), "arn:aws:bedrock:us-east-1:1:provisioned-model/m");
        let subject = Taggable::Target { source: &source, arn };
        let refusal = tenant().refusal(subject, &Tags::new()).unwrap();
        let command = format!("aws bedrock tag-resource --region us-east-1 --resource-arn {arn} --tags ");
        assert!(refusal.contains(&command) && refusal.ends_with(" c1/team-a\""), "{refusal}");
    }

    #[test]
    fn until_the_change_is_confirmed_a_role_without_the_tag_keeps_what_it_has_and_no_other_does() {
        let asking = Tenant { policy: ConsentPolicy::Unconfirmed, ..tenant() };
        let tags = |value: &str| [(TAG.to_owned(), value.to_owned())].into();
        assert!(!asking.is_withdrawn(&Tags::new()) && asking.consent(&Tags::new()) == Consent::Untagged);
        assert!(asking.is_withdrawn(&tags("@none")) && asking.is_withdrawn(&tags("team-b")));
        assert!(!asking.is_withdrawn(&tags("team-a")));
        let role: RoleName = "app".parse().unwrap();
        let told = asking.refusal(Taggable::Role(&role), &Tags::new()).unwrap();
        assert!(told.contains("--confirm-consent"), "{told}");
        assert!(tenant().is_withdrawn(&Tags::new()));
    }

    #[test]
    fn consent_can_be_turned_off_for_a_cluster_with_one_tenant() {
        let tenant =
            Tenant { cluster_id: "c1".into(), namespace: "team-a".into(), policy: ConsentPolicy::None };
        assert_eq!(tenant.consent(&Tags::new()), Consent::Given);
    }
}
