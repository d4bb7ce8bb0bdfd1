//! One policy of the operators', from its first write to its last.

use std::collections::BTreeMap;
use std::fmt;

use bedrock_iam::{CanonicalPolicy, Document};

use crate::expected::grants_core;
use crate::fleet::Member;
use crate::routes::Routes;
use crate::strangers::{self, Strangers};
use crate::{Counts, Outcome, count};

/// One write of the policy.
pub(crate) struct Entry<'a> {
    /// Among all writes to the role's policies.
    pub(crate) place: usize,
    pub(crate) document: Option<&'a str>,
    /// Of the foreign writer.
    pub(crate) foreign: Option<Foreign>,
    /// Whether whoever wrote it could not know that it was done.
    pub(crate) is_reply_lost: bool,
}

/// A write of the foreign writer.
#[derive(Clone, Copy)]
pub(crate) struct Foreign {
    /// From which place on no operator can have missed it; none, if that is not known.
    pub(crate) known_from: Option<usize>,
}

/// An operator took the policy away, or cut all that was its own out of it.
pub(crate) struct Removal {
    pub(crate) place: usize,
    pub(crate) was_foreigners: bool,
    had_core: bool,
    had: String,
}

/// What the operators did to the policy.
#[derive(Default)]
pub(crate) struct Lineage {
    pub(crate) removals: Vec<Removal>,
    pub(crate) counts: Counts,
    pub(crate) problems: Vec<String>,
    document: Option<String>,
    is_foreigners: bool,
    is_reply_lost: bool,
    /// What an operator wrote last.
    written: Option<String>,
    /// The strangers' statements that stand in it, with the write that put each there.
    strangers: BTreeMap<String, (usize, Option<Foreign>)>,
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.had_core { "with" } else { "already without" };
        let whose = if self.was_foreigners { "the foreign writer" } else { "an operator" };
        write!(
            f,
            "write {} removed, {what} the wanted grant, what {whose} had written: {}",
            self.place, self.had
        )
    }
}

impl Lineage {
    pub(crate) fn follow<'a>(
        member: Member,
        entries: impl Iterator<Item = Entry<'a>>,
        routes: &Routes,
    ) -> Outcome<Self> {
        let mut lineage = Self::default();
        for entry in entries {
            let found = strangers::of(entry.document.unwrap_or_default());
            if entry.foreign.is_none() {
                lineage.judge(member, &entry, routes)?;
                lineage.judge_strangers(&entry, &found);
                lineage.written = entry.document.map(str::to_owned);
            }
            lineage.strangers.retain(|statement, _| found.contains_key(statement));
            for statement in found.into_keys() {
                lineage.strangers.entry(statement).or_insert((entry.place, entry.foreign));
            }
            lineage.document = entry.document.map(str::to_owned);
            lineage.is_foreigners = entry.foreign.is_some();
            lineage.is_reply_lost = entry.is_reply_lost;
        }
        Ok(lineage)
    }

    /// What an operator wrote, against what stood there.
    fn judge(&mut self, member: Member, entry: &Entry<'_>, routes: &Routes) -> Outcome<()> {
        let had = self.document.clone().unwrap_or_default();
        let had_core = grants_core(member, &had, routes)?;
        let mark = member.identity().marker();
        let Some(after) = entry.document.filter(|after| after.contains(&mark)) else {
            // An operator's policy without it was written while Bedrock was silent, and a later spec may want none of the rest.
            if had_core || self.is_foreigners {
                let (place, was_foreigners) = (entry.place, self.is_foreigners);
                self.removals.push(Removal { place, was_foreigners, had_core, had });
            }
            count(&mut self.counts, "removed", 1);
            return Ok(());
        };
        if had_core && !grants_core(member, after, routes)? {
            let problem = format!("an operator took a wanted grant away: {had} became {after}");
            self.problem(entry.place, &problem);
        }
        let meaning = |text: &str| Document::parse(text).ok().as_ref().map(CanonicalPolicy::of);
        let what = match (&self.document, self.is_foreigners) {
            (None, false) => "created",
            (_, true) => "repaired",
            (Some(before), false) if meaning(before) != meaning(after) => "changed",
            (Some(_), false) if self.is_reply_lost => "repeated after an answer that was lost",
            (Some(_), false) => "repeated without need",
        };
        count(&mut self.counts, what, 1);
        Ok(())
    }

    /// A stranger's statement is lost only where it could not be seen, or not be told from ours.
    fn judge_strangers(&mut self, entry: &Entry<'_>, kept: &Strangers) {
        let before = strangers::of(self.document.as_deref().unwrap_or_default());
        for (statement, sid) in before.iter().filter(|(statement, _)| !kept.contains_key(*statement)) {
            let (_, put) = self.strangers.get(statement).copied().unwrap_or_default();
            let known_from = put.and_then(|put| put.known_from);
            if known_from.is_none_or(|known_from| entry.place < known_from) {
                count(&mut self.counts, "a stranger's statement lost in a race", 1);
            } else if strangers::looks_like_ours(sid.as_ref()) && !self.is_whole() {
                count(
                    &mut self.counts,
                    "a stranger's statement lost that looked like ours in an edited policy",
                    1,
                );
            } else {
                let had = self.document.clone().unwrap_or_default();
                self.problem(
                    entry.place,
                    &format!("an operator lost a stranger's statement {statement} of {had}"),
                );
            }
        }
        let is_held = !kept.is_empty() && before.keys().all(|statement| kept.contains_key(statement));
        count(&mut self.counts, "with a stranger's statement kept", u64::from(is_held));
    }

    /// Whether everything is still there that an operator wrote last.
    fn is_whole(&self) -> bool {
        let statements = |text: &Option<String>| {
            Document::parse(text.as_deref().unwrap_or_default()).map(|document| document.statement)
        };
        match (statements(&self.written), statements(&self.document)) {
            (Ok(written), Ok(found)) => written.iter().all(|statement| found.contains(statement)),
            _ => false,
        }
    }

    fn problem(&mut self, place: usize, what: &str) {
        self.problems.push(format!("write {place}: {what}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fleet;

    const CORE: &str = "us.amazon.nova-2-lite-v1:0";

    const BY_FOREIGNER: Option<Foreign> = Some(Foreign { known_from: Some(0) });

    fn member() -> Member {
        fleet::members().next().unwrap()
    }

    /// A policy that holds the core grant, and more.
    fn granting(more: &[Value]) -> String {
        let (profile, model) = (
            "arn:aws:bedrock:us-east-1:111122223333:inference-profile/",
            "arn:aws:bedrock:us-east-1::foundation-model/",
        );
        let project = "arn:aws:bedrock:us-east-1:111122223333:project/default".to_owned();
        let resource = [format!("{profile}{CORE}"), format!("{model}amazon.nova-2-lite-v1:0"), project];
        let sid = format!("{}0000000000", member().identity().marker());
        let mut statements = vec![
            json!({"Sid": sid, "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": resource}),
        ];
        statements.extend_from_slice(more);
        json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    }

    fn strangers_statement(sid: &str) -> Value {
        let resource = "arn:aws:bedrock:us-east-1::foundation-model/acme.chat-1";
        json!({"Sid": sid, "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": resource})
    }

    fn followed(writes: &[(Option<&str>, Option<Foreign>)]) -> Lineage {
        let routes = Routes::from(&[("us-east-1", CORE, &["us-east-1"])]);
        let entries = writes.iter().enumerate().map(|(place, (document, foreign))| Entry {
            place,
            document: *document,
            foreign: *foreign,
            is_reply_lost: place == 1,
        });
        Lineage::follow(member(), entries, &routes).unwrap()
    }

    #[test]
    fn a_wanted_grant_that_an_operator_took_away_is_a_problem_and_one_that_the_foreigner_took_is_repaired() {
        let whole = granting(&[]);
        let less = whole.replace("bedrock:InvokeModel", "bedrock:Get");
        let by_foreigner =
            followed(&[(Some(&whole), None), (Some(&less), BY_FOREIGNER), (Some(&whole), None)]);
        assert_eq!((by_foreigner.problems, by_foreigner.counts["repaired"]), (Vec::new(), 1));
        let by_operator = followed(&[(Some(&whole), None), (Some(&less), None)]);
        let [problem] = by_operator.problems.as_slice() else { panic!("{:?}", by_operator.problems) };
        assert!(problem.contains("write 1: an operator took a wanted grant away"), "{problem}");
    }

    #[test]
    fn what_is_written_again_after_a_lost_answer_is_told_apart_from_what_needed_no_write() {
        let whole = granting(&[]);
        let repeated = followed(&[(Some(&whole), None), (Some(&whole), None), (Some(&whole), None)]);
        assert_eq!(repeated.counts["repeated without need"], 1);
        assert_eq!(repeated.counts["repeated after an answer that was lost"], 1);
    }

    #[test]
    fn a_policy_that_is_removed_or_emptied_of_ours_is_a_removal() {
        let (whole, stranger) = (granting(&[]), strangers_statement("Theirs"));
        let left = json!({"Version": "2012-10-17", "Statement": [stranger]}).to_string();
        let both = granting(&[stranger]);
        assert_eq!(followed(&[(Some(&whole), None), (None, None)]).removals.len(), 1);
        let emptied = followed(&[(Some(&whole), None), (Some(&both), BY_FOREIGNER), (Some(&left), None)]);
        assert_eq!((emptied.removals.len(), emptied.problems), (1, Vec::new()));
    }

    #[test]
    fn a_stranger_s_statement_is_kept_unless_it_could_not_be_known() {
        let whole = granting(&[]);
        for (sid, foreign, is_problem) in [
            ("Theirs", BY_FOREIGNER, true),
            ("BedrockAccess9", BY_FOREIGNER, true),
            ("Theirs", Some(Foreign { known_from: Some(3) }), false),
            ("Theirs", Some(Foreign { known_from: None }), false),
        ] {
            let both = granting(&[strangers_statement(sid)]);
            let lost = followed(&[(Some(&whole), None), (Some(&both), foreign), (Some(&whole), None)]);
            assert_eq!(!lost.problems.is_empty(), is_problem, "{sid}: {:?}", lost.problems);
        }
    }

    #[test]
    fn in_an_edited_policy_a_sid_like_ours_may_be_taken_for_ours() {
        let whole = granting(&[]);
        let sealed = granting(&[strangers_statement("BedrockAccess9")]);
        let less = sealed.replace("project/default", "project/other");
        let lost = followed(&[(Some(&whole), None), (Some(&less), BY_FOREIGNER), (Some(&whole), None)]);
        assert_eq!(lost.problems, Vec::<String>::new());
    }
}
