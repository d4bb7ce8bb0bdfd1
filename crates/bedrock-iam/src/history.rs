//! What went before a plan, as far as it matters to it. All of it may be unknown: then a plan is only less reserved.

use std::collections::BTreeMap;

use crate::canonical::{Digest, Meaning};
use crate::document::{Document, Statement};
use crate::identity::PolicyIdentity;

/// What is known of earlier reconciles of the same object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The meaning that we last wrote to this very role, as the status says.
    pub last_written: Option<Digest>,
    /// The meaning that this process last wrote, or saw to be as it should.
    pub remembered: Option<Digest>,
    /// How drift is met.
    pub patience: Patience,
}

/// How drift is met, by how often it was repaired of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// It is repaired.
    #[default]
    Calm,
    /// Someone keeps undoing the policy: it is repaired once more.
    Retrying,
    /// Someone keeps undoing the policy: it is left as it is for now.
    Waiting,
}

/// What someone did to a policy of ours, by its statements' names.
pub fn drift(identity: &PolicyIdentity, wanted: &Document, found: Option<&Document>) -> String {
    let Some(found) = found else { return "the policy had been removed".to_owned() };
    let (wanted, found) = (by_name(identity, wanted), by_name(identity, found));
    let mut changes = Vec::new();
    for (name, meaning) in &wanted {
        match found.get(name) {
            Some(found) if found == meaning => {}
            Some(_) => changes.push(format!("{name} had been changed")),
            None => changes.push(format!("{name} had been removed")),
        }
    }
    let added = found.keys().filter(|name| !wanted.contains_key(*name));
    changes.extend(added.map(|name| format!("{name} had been added")));
    changes.join(", ")
}

/// What the statements of each name mean together.
fn by_name(identity: &PolicyIdentity, document: &Document) -> BTreeMap<String, Meaning> {
    let mut statements: BTreeMap<String, Vec<Statement>> = BTreeMap::new();
    for statement in &document.statement {
        statements.entry(name_of(identity, statement)).or_default().push(statement.clone());
    }
    statements.into_iter().map(|(name, of_name)| (name, Meaning::of(&Document::new(of_name)))).collect()
}

/// The Sid without the seal, which differs with every meaning.
fn name_of(identity: &PolicyIdentity, statement: &Statement) -> String {
    match statement.sid.as_deref() {
        Some(sid) if identity.is_mark(sid) => identity.mark(),
        sid => sid.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(statements: &str) -> Document {
        Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
    }

    #[test]
    fn each_statement_that_was_touched_is_named() {
        let identity = PolicyIdentity::derive("cluster", "team-a", "assistant");
        let statement = |sid: &str, resource: &str| {
            format!(r#"{{"Sid":"{sid}","Effect":"Allow","Action":"a:b","Resource":"{resource}"}}"#)
        };
        let (mark, one, two) = (identity.mark(), "BedrockAccess1", "BedrockAccess2");
        let all = |statements: &[String]| document(&statements.join(","));
        let wanted = all(&[statement(&mark, "r"), statement(one, "s")]);
        let with_seal = statement(&format!("{mark}0123456789"), "r");
        for (found, expected) in [
            (all(&[with_seal, statement(one, "t")]), "BedrockAccess1 had been changed".to_owned()),
            (all(&[statement(&mark, "r")]), "BedrockAccess1 had been removed".to_owned()),
            (
                all(&[statement(&mark, "r"), statement(one, "s"), statement(&mark, "*")]),
                format!("{mark} had been changed"),
            ),
            (
                all(&[statement(&mark, "*"), statement(one, "s"), statement(two, "s")]),
                format!("{mark} had been changed, BedrockAccess2 had been added"),
            ),
        ] {
            assert_eq!(drift(&identity, &wanted, Some(&found)), expected);
        }
        assert_eq!(drift(&identity, &wanted, None), "the policy had been removed");
    }
}
