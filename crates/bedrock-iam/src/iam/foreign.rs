//! Statements that someone else put into a document of ours: told apart from ours, and kept in meaning.

use std::collections::BTreeSet;

use crate::iam::document::{Document, Statement};
use crate::iam::identity::PolicyIdentity;

/// Statements of a document under our name that we did not write, with what IAM reads them by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignStatements {
    version: String,
    id: Option<String>,
    statements: Vec<Statement>,
}

impl ForeignStatements {
    /// Takes the foreign statements out of a document; `None` where every statement is ours.
    pub(crate) fn take_from(document: &mut Document, identity: &PolicyIdentity) -> Option<Self> {
        let own = identity.own_statements(document);
        let (mut ours, mut statements) = (Vec::new(), Vec::new());
        for (place, statement) in std::mem::take(&mut document.statement).into_iter().enumerate() {
            if own.contains(&place) { ours.push(statement) } else { statements.push(statement) }
        }
        if statements.is_empty() {
            document.statement = ours;
            return None;
        }
        let Document { version, id, .. } = std::mem::replace(document, Document::new(ours));
        Some(Self { version, id, statements })
    }

    /// The document that holds our statements and these.
    ///
    /// It keeps the version under which the foreign statements were written: a policy variable in them means something only
    /// in 2012-10-17 (IAM User Guide, "IAM JSON policy elements: Version"). Ours have no variables, and mean the same in both. A
    /// foreign Sid that one of ours has by now is dropped: IAM takes no Sid twice, and it means nothing.
    pub fn beside(&self, ours: &Document) -> Document {
        let sids: BTreeSet<&str> =
            ours.statement.iter().filter_map(|statement| statement.sid.as_deref()).collect();
        let foreign = self.statements.iter().cloned().map(|mut statement| {
            statement.sid.take_if(|sid| sids.contains(sid.as_str()));
            statement
        });
        let statement = ours.statement.iter().cloned().chain(foreign).collect();
        Document { version: self.version.clone(), id: self.id.clone(), statement }
    }

    /// The document that holds these alone.
    pub fn alone(&self) -> Document {
        Document { version: self.version.clone(), id: self.id.clone(), statement: self.statements.clone() }
    }

    /// By what a person finds them.
    pub fn names(&self) -> String {
        let sids = self.statements.iter().filter_map(|found| found.sid.as_deref());
        let named: Vec<&str> = sids.filter(|sid| !sid.is_empty()).collect();
        match (named.is_empty(), self.statements.len() - named.len()) {
            (_, 0) => named.join(", "),
            (true, 1) => "one without a Sid".to_owned(),
            (true, unnamed) => format!("{unnamed} without a Sid"),
            (false, unnamed) => format!("{}, {unnamed} without a Sid", named.join(", ")),
        }
    }

    /// What they take of the quota beside ours.
    pub fn characters(&self) -> usize {
        self.alone().characters().saturating_sub(Document::new(Vec::new()).characters())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(statements: &str, version: &str) -> (Document, Option<ForeignStatements>) {
        let mut document =
            Document::parse(&format!(r#"{{"Version":"{version}","Statement":[{statements}]}}"#)).unwrap();
        let foreign = ForeignStatements::take_from(&mut document, &identity());
        (document, foreign)
    }

    fn identity() -> PolicyIdentity {
        PolicyIdentity::derive("cluster", "team-a", "assistant")
    }

    fn statement(sid: &str) -> String {
        format!(r#"{{"Sid":"{sid}","Effect":"Allow","Action":"a:b","Resource":"*"}}"#)
    }

    const UNNAMED: &str = r#"{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}"}"#;

    #[test]
    fn a_statement_is_ours_by_its_sid_alone() {
        let mark = identity().marker();
        let other = PolicyIdentity::derive("cluster", "team-b", "assistant").marker();
        for (sid, is_ours) in [
            (mark.as_str(), true),
            ("BedrockAccess1", true),
            ("BedrockAccess27", true),
            ("BedrockAccess", false),
            ("BedrockAccess01", false),
            ("BedrockAccessS3", false),
            ("BedrockAccess123456", false),
            (other.as_str(), false),
            ("AllowS3", false),
            ("", false),
        ] {
            assert_eq!(split(&statement(sid), "2012-10-17").1.is_none(), is_ours, "{sid}");
        }
    }

    #[test]
    fn foreign_statements_keep_the_version_that_they_were_written_in() {
        for version in ["2008-10-17", "2012-10-17"] {
            let (ours, foreign) = split(&format!("{},{UNNAMED}", statement("BedrockAccess1")), version);
            let foreign = foreign.unwrap();
            let (beside, alone) = (foreign.beside(&ours), foreign.alone());
            assert_eq!((beside.version.as_str(), alone.version.as_str()), (version, version));
            assert_eq!((beside.statement.len(), alone.statement.len()), (2, 1));
            assert_eq!(alone.statement[0], serde_json::from_str(UNNAMED).unwrap());
        }
    }

    #[test]
    fn foreign_statements_are_named_for_a_person() {
        let names = |statements: &[&str]| split(&statements.join(","), "2012-10-17").1.unwrap().names();
        let (s3, sqs) = (statement("AllowS3"), statement("AllowSqs"));
        assert_eq!(names(&[&s3, &sqs]), "AllowS3, AllowSqs");
        assert_eq!(names(&[UNNAMED]), "one without a Sid");
        assert_eq!(names(&[&s3, UNNAMED, UNNAMED]), "AllowS3, 2 without a Sid");
    }

    #[test]
    fn what_they_take_of_the_quota_is_what_they_add() {
        let (ours, foreign) = split(&format!("{},{UNNAMED}", statement("BedrockAccess1")), "2012-10-17");
        let foreign = foreign.unwrap();
        // And the comma between the two.
        assert_eq!(foreign.beside(&ours).characters(), ours.characters() + foreign.characters() + 1);
    }
}
