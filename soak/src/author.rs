use std::collections::{BTreeMap, BTreeSet};

use bedrock_iam::{CanonicalPolicy, Document};

use crate::expected::grants_core;
use crate::fleet::{self, Member};
use crate::foreign::our_names;
use crate::routes::Routes;
use crate::stage::{Change, Stage};
use crate::storm::Storm;
use crate::{Counts, Outcome, count};

/// Who wrote what on every role, from the first write to the last.
pub(crate) struct Authors {
    pub(crate) counts: Counts,
    pub(crate) problems: Vec<String>,
}

/// What stands under one of our names, and who wrote it.
#[derive(Default)]
struct Standing {
    document: Option<String>,
    is_foreigners: bool,
    removals: Vec<String>,
}

impl Authors {
    /// The operators may change no policy of others, take no wanted grant away, and remove a policy only for a deletion.
    pub(crate) fn read(stage: &Stage, storm: &Storm<'_>) -> Outcome<Self> {
        let routes = Routes::ask(&stage.sandbox)?;
        let mut authors = Self { counts: Counts::new(), problems: Vec::new() };
        let roles: BTreeSet<String> = fleet::members().map(Member::role).collect();
        for role in &roles {
            let history = stage.history(role)?;
            let removals =
                authors.follow(role, &history, |place| storm.foreign.wrote(role, place), &routes)?;
            for member in fleet::members().filter(|member| member.role() == *role) {
                let removals = removals.get(&member.policy()).cloned().unwrap_or_default();
                let deletions = storm.deletions.get(&member).copied().unwrap_or_default();
                if removals.len() > deletions {
                    authors.problems.push(format!(
                        "role {role}: the policy of {} was removed {} times, for {deletions} deletions of the object: {}",
                        member.name(),
                        removals.len(),
                        removals.join("; ")
                    ));
                }
            }
        }
        Ok(authors)
    }

    /// The removals of each policy by operators, in words.
    fn follow(
        &mut self,
        role: &str,
        history: &[Change],
        is_foreigners: impl Fn(usize) -> bool,
        routes: &Routes,
    ) -> Outcome<BTreeMap<String, Vec<String>>> {
        let ours = our_names(role);
        let mut standing = BTreeMap::<&str, Standing>::new();
        for (place, change) in history.iter().enumerate() {
            let is_foreigners = is_foreigners(place);
            if !ours.contains(&change.policy) {
                if !is_foreigners {
                    self.problem(
                        role,
                        place,
                        &format!("an operator changed the foreign policy {}", change.policy),
                    );
                }
                continue;
            }
            let before = standing.entry(&change.policy).or_default();
            if !is_foreigners {
                self.judge(role, place, before, change.document.as_deref(), routes)?;
            }
            before.document.clone_from(&change.document);
            before.is_foreigners = is_foreigners;
        }
        Ok(standing.into_iter().map(|(policy, standing)| (policy.to_owned(), standing.removals)).collect())
    }

    fn judge(
        &mut self,
        role: &str,
        place: usize,
        before: &mut Standing,
        after: Option<&str>,
        routes: &Routes,
    ) -> Outcome<()> {
        let Some(after) = after else {
            let had = before.document.as_deref().unwrap_or_default();
            let had_core = grants_core(had, routes)?;
            // An operator's policy without it was written while Bedrock was silent, and a later spec may want none of the rest.
            if had_core || before.is_foreigners {
                let what = if had_core { "with" } else { "already without" };
                let whose = if before.is_foreigners { "the foreign writer" } else { "an operator" };
                before.removals.push(format!(
                    "write {place} removed, {what} the wanted grant, what {whose} had written: {had}"
                ));
            }
            count(&mut self.counts, "removed", 1);
            return Ok(());
        };
        let had = before.document.as_deref().unwrap_or_default();
        if grants_core(had, routes)? && !grants_core(after, routes)? {
            self.problem(role, place, &format!("an operator took a wanted grant away: {had} became {after}"));
        }
        let meaning = |text: &str| Document::parse(text).ok().as_ref().map(CanonicalPolicy::of);
        let what = match (&before.document, before.is_foreigners) {
            (None, false) => "created",
            (_, true) => "repaired",
            (Some(before), false) if meaning(before) == meaning(after) => "repeated without need",
            (Some(_), false) => "changed",
        };
        count(&mut self.counts, what, 1);
        Ok(())
    }

    fn problem(&mut self, role: &str, place: usize, what: &str) {
        self.problems.push(format!("role {role}, write {place}: {what}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "us.amazon.nova-2-lite-v1:0";

    fn routes() -> Routes {
        Routes::from(&[("us-east-1", CORE, &["us-east-1"])])
    }

    /// A policy that holds the core grant.
    fn granting() -> String {
        let (profile, model) = (
            "arn:aws:bedrock:us-east-1:111122223333:inference-profile/",
            "arn:aws:bedrock:us-east-1::foundation-model/",
        );
        let project = "arn:aws:bedrock:us-east-1:111122223333:project/default".to_owned();
        let resource = [format!("{profile}{CORE}"), format!("{model}amazon.nova-2-lite-v1:0"), project];
        let statement =
            serde_json::json!({"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": resource});
        serde_json::json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    }

    /// The problems and the counts of writes to the first member's role, of which some are the foreign writer's.
    fn followed(changes: &[(&str, Option<&str>)], foreign: &[usize]) -> (Vec<String>, Counts) {
        let member = fleet::members().next().unwrap();
        let named = |(policy, document): &(&str, Option<&str>)| Change {
            policy: if *policy == "ours" { member.policy() } else { (*policy).to_owned() },
            document: document.map(str::to_owned),
        };
        let history: Vec<Change> = changes.iter().map(named).collect();
        let mut authors = Authors { counts: Counts::new(), problems: Vec::new() };
        authors.follow(&member.role(), &history, |place| foreign.contains(&place), &routes()).unwrap();
        (authors.problems, authors.counts)
    }

    #[test]
    fn a_wanted_grant_that_an_operator_took_away_is_a_problem_and_one_that_the_foreigner_took_is_repaired() {
        let granting = granting();
        let writes =
            [("ours", Some(granting.as_str())), ("ours", Some("{}")), ("ours", Some(granting.as_str()))];
        let (problems, counts) = followed(&writes, &[1]);
        assert_eq!((problems, counts["repaired"]), (Vec::new(), 1));
        let (problems, _) = followed(&writes, &[]);
        assert!(
            problems.len() == 1 && problems[0].contains("write 1: an operator took a wanted grant away"),
            "{problems:?}"
        );
    }

    #[test]
    fn only_the_foreigner_may_change_its_policies() {
        let writes = [("theirs", Some("{}")), ("theirs", None)];
        assert_eq!(followed(&writes, &[0, 1]).0, Vec::<String>::new());
        assert_eq!(followed(&writes, &[0]).0.len(), 1);
    }
}
