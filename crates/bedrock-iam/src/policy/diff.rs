//! In what two versions of a policy differ, for a person.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::canonical::CanonicalPolicy;
use crate::iam::document::{Document, Statement};
use crate::iam::identity::PolicyIdentity;

/// What someone did to a policy of ours, by its statements' names.
pub fn drift(identity: &PolicyIdentity, wanted: &Document, found: Option<&Document>) -> String {
    let Some(found) = found else { return "the policy had been removed".to_owned() };
    let (wanted, found) = (by_name(identity, wanted), by_name(identity, found));
    let mut changes = Vec::new();
    for (name, wanted) in &wanted {
        match found.get(name) {
            Some(found) if found.meaning == wanted.meaning => {}
            Some(found) => changes.push(format!("{name} had been changed{}", wanted.difference(found))),
            None => changes.push(format!("{name} had been removed")),
        }
    }
    let added = found.iter().filter(|(name, _)| !wanted.contains_key(*name));
    let nothing = Content::default();
    changes.extend(added.map(|(name, found)| format!("{name} had been added{}", nothing.difference(found))));
    changes.join(", ")
}

/// What the statements of one name say together.
#[derive(Default)]
struct Content {
    meaning: CanonicalPolicy,
    words: BTreeSet<String>,
}

/// Of an action or a resource that is shown, in characters.
const LONGEST_WORD: usize = 100;

/// So many differences say enough.
const MOST_DIFFERENCES: usize = 3;

impl Content {
    fn of(statements: &[Statement]) -> Self {
        let words = statements.iter().flat_map(|statement| {
            let Statement { action, not_action, resource, not_resource, .. } = statement;
            let all = action.iter().chain(not_action).chain(resource).chain(not_resource);
            all.cloned().collect::<Vec<_>>()
        });
        Self { words: words.collect(), meaning: CanonicalPolicy::of(&Document::new(statements.to_vec())) }
    }

    /// The actions and resources that `found` has more or less; nothing where only effects or conditions differ.
    fn difference(&self, found: &Self) -> String {
        let more = found.words.difference(&self.words).map(|word| format!("+{}", printable(word)));
        let less = self.words.difference(&found.words).map(|word| format!("-{}", printable(word)));
        let all: Vec<String> = more.chain(less).collect();
        match all.len() {
            0 => String::new(),
            1..=MOST_DIFFERENCES => format!(" ({})", all.join(", ")),
            count => {
                let shown = all[..MOST_DIFFERENCES].join(", ");
                format!(" ({shown} and {} more)", count - MOST_DIFFERENCES)
            }
        }
    }
}

/// Somebody else's words, short and without control characters.
fn printable(word: &str) -> String {
    word.escape_debug().take(LONGEST_WORD).collect()
}

/// What the statements of each name say together.
fn by_name(identity: &PolicyIdentity, document: &Document) -> BTreeMap<String, Content> {
    let mut statements: BTreeMap<String, Vec<Statement>> = BTreeMap::new();
    for statement in &document.statement {
        statements.entry(name_of(identity, statement)).or_default().push(statement.clone());
    }
    statements.into_iter().map(|(name, of_name)| (name, Content::of(&of_name))).collect()
}

/// The Sid without the checksum, which differs with every meaning.
fn name_of(identity: &PolicyIdentity, statement: &Statement) -> String {
    match statement.sid.as_deref() {
        Some(sid) if identity.is_marker(sid) => identity.marker(),
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
        let (mark, one, two) = (identity.marker(), "BedrockAccess1", "BedrockAccess2");
        let all = |statements: &[String]| document(&statements.join(","));
        let wanted = all(&[statement(&mark, "r"), statement(one, "s")]);
        let with_checksum = statement(&format!("{mark}0123456789"), "r");
        for (found, expected) in [
            (
                all(&[with_checksum, statement(one, "t")]),
                "BedrockAccess1 had been changed (+t, -s)".to_owned(),
            ),
            (all(&[statement(&mark, "r")]), "BedrockAccess1 had been removed".to_owned()),
            (
                all(&[statement(&mark, "r"), statement(one, "s"), statement(&mark, "*")]),
                format!("{mark} had been changed (+*)"),
            ),
            (
                all(&[statement(&mark, "*"), statement(one, "s"), statement(two, "s")]),
                format!("{mark} had been changed (+*, -r), BedrockAccess2 had been added (+a:b, +s)"),
            ),
        ] {
            assert_eq!(drift(&identity, &wanted, Some(&found)), expected);
        }
        assert_eq!(drift(&identity, &wanted, None), "the policy had been removed");
    }
}
