//! What a policy means, apart from how it is written.
//!
//! Two documents with the same [`CanonicalPolicy`] are decided alike by IAM: order, one-or-many, duplicates, Sids, the case of
//! actions, and how grants are spread over statements do not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use sha2::Digest as _;

use crate::iam::document::{Conditions, Document, Effect, Statement};

/// A policy as a set of atoms: one effect, action, resource and set of conditions each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CanonicalPolicy(BTreeSet<Atom>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Atom {
    effect: Effect,
    action: Scope,
    resource: Scope,
    /// Those of a statement, which all its atoms share.
    conditions: Arc<CanonicalConditions>,
}

/// Operator → condition key in lower case → every list of values under it: the same key in two spellings is two conditions.
type CanonicalConditions = BTreeMap<String, BTreeMap<String, BTreeSet<BTreeSet<String>>>>;

/// What an atom names. An exclusion cannot be split: the values stay together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Only(String),
    AllBut(BTreeSet<String>),
}

/// A fingerprint of a [`CanonicalPolicy`]: 80 bits of SHA-256 in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// Takes back what was stored; anything else simply equals no digest of ours.
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CanonicalPolicy {
    /// The meaning of a document; of no document at all it is [`CanonicalPolicy::default`].
    pub fn of(document: &Document) -> Self {
        Self(document.statement.iter().flat_map(atoms).collect())
    }

    /// A fingerprint that is equal for equal meanings.
    pub fn digest(&self) -> Digest {
        // The form is stored in every object's status: a change of it looks like a change of every policy.
        let (mut hash, mut line) = (sha2::Sha256::new_with_prefix("1"), Vec::new());
        for atom in &self.0 {
            line.push(b'\n');
            atom.write_to(&mut line);
            hash.update(&line);
            line.clear();
        }
        if self.0.is_empty() {
            hash.update("\n");
        }
        let hash = hash.finalize();
        let bits = hash[..10].iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        Digest(format!("{bits:020x}"))
    }
}

impl Atom {
    fn write_to(&self, text: &mut Vec<u8>) {
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        let atom = (effect, self.action.to_list(), self.resource.to_list(), self.conditions.as_ref());
        // Strings and lists of strings always serialise, and a vector takes all that is written to it.
        let _ = serde_json::to_writer(text, &atom);
    }
}

impl Scope {
    fn to_list(&self) -> (&'static str, Vec<&str>) {
        match self {
            Self::Only(value) => ("Only", vec![value]),
            Self::AllBut(values) => ("AllBut", values.iter().map(String::as_str).collect()),
        }
    }
}

fn atoms(statement: &Statement) -> Vec<Atom> {
    let conditions = Arc::new(canonical_conditions(&statement.condition));
    let actions = scopes(&lowercased(&statement.action), &lowercased(&statement.not_action));
    let resources = scopes(&statement.resource, &statement.not_resource);
    actions
        .iter()
        .flat_map(|action| resources.iter().map(move |resource| (action.clone(), resource.clone())))
        .map(|(action, resource)| Atom {
            effect: statement.effect,
            action,
            resource,
            conditions: Arc::clone(&conditions),
        })
        .collect()
}

fn lowercased(actions: &[String]) -> Vec<String> {
    actions.iter().map(|action| action.to_ascii_lowercase()).collect()
}

fn scopes(only: &[String], all_but: &[String]) -> Vec<Scope> {
    let exclusion = (!all_but.is_empty()).then(|| Scope::AllBut(all_but.iter().cloned().collect()));
    only.iter().cloned().map(Scope::Only).chain(exclusion).collect()
}

fn canonical_conditions(conditions: &Conditions) -> CanonicalConditions {
    let mut canonical = CanonicalConditions::new();
    for (operator, keys) in conditions {
        let canonical_keys = canonical.entry(operator.clone()).or_default();
        for (key, values) in keys {
            let spellings = canonical_keys.entry(key.to_ascii_lowercase()).or_default();
            spellings.insert(values.0.iter().cloned().collect());
        }
    }
    canonical
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(statements: &str) -> CanonicalPolicy {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
        CanonicalPolicy::of(&Document::parse(&text).unwrap())
    }

    #[test]
    fn writing_the_same_grant_differently_changes_nothing() {
        let plain = meaning(
            r#"[{"Sid":"A","Effect":"Allow","Action":["x:A","x:B"],"Resource":["r","s"],
                 "Condition":{"StringEquals":{"aws:K":["1","2"]}}}]"#,
        );
        let other = meaning(
            r#"[{"Sid":"B","Effect":"Allow","Action":["X:b"],"Resource":["s","r"],"Condition":{"StringEquals":{"AWS:k":["2","1"]}}},
                {"Sid":"C","Effect":"Allow","Action":"x:a","Resource":["s","r","r"],"Condition":{"StringEquals":{"aws:K":["2","1"]}}}]"#,
        );
        assert_eq!(plain, other);
        assert_eq!(plain.digest(), other.digest());
    }

    #[test]
    fn every_element_counts() {
        let base =
            r#"{"Effect":"Allow","Action":"x:A","Resource":"r","Condition":{"StringEquals":{"k":"1"}}}"#;
        for (from, to) in [
            ("Allow", "Deny"),
            ("x:A", "x:B"),
            (r#""Action""#, r#""NotAction""#),
            (r#""Resource""#, r#""NotResource""#),
            (r#""r""#, r#""R""#),
            ("StringEquals", "StringLike"),
            (r#""k""#, r#""l""#),
            (r#""1""#, r#"["1","2"]"#),
            (r#""k":"1""#, r#""K":"2","k":"1""#),
            (r#","Condition":{"StringEquals":{"k":"1"}}"#, ""),
        ] {
            let changed = base.replace(from, to);
            assert_ne!(meaning(base), meaning(&changed), "{changed}");
            assert_ne!(meaning(base).digest(), meaning(&changed).digest(), "{changed}");
        }
    }
}
