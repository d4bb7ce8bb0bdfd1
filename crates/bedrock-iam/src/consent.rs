//! Consent: the tag by which a role, or a target that belongs to an account, says which namespaces may use it.

use std::fmt;

use crate::answer::Tags;
use crate::identifier::{Region, RoleName};

/// The tag's key; a value holds at most 256 characters, so the list goes on in `….2` to `….9`.
pub const TAG: &str = "bedrockaccess.io/namespaces";

/// Before an entry: its namespaces may use explicit denies too.
const DENY: &str = "deny:";

/// No namespace: how consent is withdrawn from all.
const NOBODY: &str = "@none";

/// A tag's value holds at most 256 characters (IAM quotas page).
const LONGEST_VALUE: usize = 256;

/// Any namespace of any cluster.
const ANY: &str = "@any";

/// Who asks for consent, and whether it must be asked for at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applicant {
    /// The cluster's id.
    pub cluster_id: String,
    /// The manifest's namespace.
    pub namespace: String,
    /// How the cluster asks for consent.
    pub policy: Policy,
}

/// Whether consent must be given by a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// By the role's tag.
    Tag,
    /// Every role of the account takes part: for a cluster with one tenant.
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

impl Applicant {
    /// Reads the tags. Entries are separated by blanks: `cluster-id/namespace`, `namespace`, or `@any`.
    pub fn consent(&self, tags: &Tags) -> Consent {
        if self.policy == Policy::None {
            return Consent::Given;
        }
        if !keys().any(|key| tags.contains_key(&key)) {
            return Consent::Untagged;
        }
        if entries(tags).any(|entry| self.is_meant_by(entry.strip_prefix(DENY).unwrap_or(entry))) {
            Consent::Given
        } else {
            Consent::Withheld
        }
    }

    /// Whether the role also lets the namespace use explicit denies: by `deny:` before its entry.
    pub fn may_deny(&self, tags: &Tags) -> bool {
        self.policy == Policy::None
            || entries(tags).filter_map(|entry| entry.strip_prefix(DENY)).any(|entry| self.is_meant_by(entry))
    }

    /// The entry that the documentation shows first: this namespace of this cluster.
    pub fn entry(&self) -> String {
        format!("{}/{}", self.cluster_id, self.namespace)
    }

    /// Says what is missing, and how it is allowed; `None` where consent is given.
    pub fn refusal(&self, subject: Taggable<'_>, tags: &Tags) -> Option<String> {
        let problem = match self.consent(tags) {
            Consent::Given => return None,
            Consent::Withheld => "does not list",
            Consent::Untagged => "is missing: it must list",
        };
        let remedy = self.remedy(subject, tags);
        Some(format!(
            "the tag {TAG} on {subject} {problem} namespace {}; allow it with: {remedy}",
            self.namespace
        ))
    }

    /// The command that adds this namespace to what the tags list, and takes no other away.
    pub fn remedy(&self, subject: Taggable<'_>, tags: &Tags) -> String {
        tag_command(subject, tags, &self.entry())
    }

    /// The command that also lets this namespace use explicit denies.
    pub fn remedy_to_deny(&self, role: &RoleName, tags: &Tags) -> String {
        tag_command(Taggable::Role(role), tags, &format!("{DENY}{}", self.entry()))
    }

    fn is_meant_by(&self, entry: &str) -> bool {
        entry == ANY || entry == self.namespace || entry == self.entry()
    }
}

/// Tagging replaces a value whole, so the value goes on with what it holds; a full one is continued under the next key.
fn tag_command(subject: Taggable<'_>, tags: &Tags, entry: &str) -> String {
    let longer = |key: String| {
        let listed = tags.get(&key).map_or("", String::as_str).split_whitespace();
        let listed = listed.filter(|listed| *listed != NOBODY).chain([entry]);
        let value = listed.collect::<Vec<_>>().join(" ");
        (value.len() <= LONGEST_VALUE).then_some((key, value))
    };
    match keys().find_map(longer) {
        Some((key, value)) => match subject {
            Taggable::Role(role) => {
                format!("aws iam tag-role --role-name {role} --tags 'Key={key},Value={value}'")
            }
            Taggable::Target { source, arn } => format!(
                "aws bedrock tag-resource --region {source} --resource-arn {arn} --tags 'key={key},value={value}'"
            ),
        },
        None => format!("its tags are full: shorten them, for example to {ANY}"),
    }
}

/// What the tag lists, with its continuations.
fn entries(tags: &Tags) -> impl Iterator<Item = &str> {
    keys().filter_map(|key| tags.get(&key)).flat_map(|value| value.split_whitespace())
}

fn keys() -> impl Iterator<Item = String> {
    std::iter::once(TAG.to_owned()).chain((2..=9).map(|n| format!("{TAG}.{n}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent(tags: &[(&str, &str)]) -> Consent {
        let applicant =
            Applicant { cluster_id: "c1".into(), namespace: "team-a".into(), policy: Policy::Tag };
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        applicant.consent(&tags)
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
        let applicant =
            Applicant { cluster_id: "c1".into(), namespace: "team-a".into(), policy: Policy::Tag };
        let may_deny = |value: &str| applicant.may_deny(&[(TAG.to_owned(), value.to_owned())].into());
        assert!(may_deny("deny:team-a") && may_deny("team-b deny:c1/team-a") && may_deny("deny:@any"));
        assert!(!may_deny("team-a") && !may_deny("deny:team-b team-a") && !may_deny("deny: team-a"));
    }

    #[test]
    fn the_remedy_adds_to_what_the_tags_list_and_takes_nothing_away() {
        let applicant =
            Applicant { cluster_id: "c1".into(), namespace: "team-a".into(), policy: Policy::Tag };
        let role: RoleName = "app".parse().unwrap();
        let remedy = |tags: &[(&str, &str)]| {
            let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            applicant.remedy(Taggable::Role(&role), &tags)
        };
        let command = |key: &str, value: &str| {
            format!("aws iam tag-role --role-name app --tags 'Key={key},Value={value}'")
        };
        assert_eq!(remedy(&[]), command(TAG, "c1/team-a"));
        assert_eq!(remedy(&[(TAG, "team-b  deny:team-c")]), command(TAG, "team-b deny:team-c c1/team-a"));
        assert_eq!(remedy(&[(TAG, "@none")]), command(TAG, "c1/team-a"));
        let full = "x".repeat(250);
        assert_eq!(remedy(&[(TAG, &full)]), command("bedrockaccess.io/namespaces.2", "c1/team-a"));
    }

    #[test]
    fn the_remedy_of_a_target_names_its_region_and_arn() {
        let applicant =
            Applicant { cluster_id: "c1".into(), namespace: "team-a".into(), policy: Policy::Tag };
        let (source, arn) = ("us-east-1".parse().unwrap(), "arn:aws:bedrock:us-east-1:1:provisioned-model/m");
        let subject = Taggable::Target { source: &source, arn };
        assert_eq!(
            applicant.remedy(subject, &Tags::new()),
            format!(
                "aws bedrock tag-resource --region us-east-1 --resource-arn {arn} \
                 --tags 'key=bedrockaccess.io/namespaces,value=c1/team-a'"
            )
        );
    }

    #[test]
    fn consent_can_be_turned_off_for_a_cluster_with_one_tenant() {
        let applicant =
            Applicant { cluster_id: "c1".into(), namespace: "team-a".into(), policy: Policy::None };
        assert_eq!(applicant.consent(&Tags::new()), Consent::Given);
    }
}
