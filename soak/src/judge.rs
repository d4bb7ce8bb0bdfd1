use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use bedrock_iam::PolicyState;
use serde_json::Value;

use crate::fleet::{self, Member};
use crate::foreign::our_names;
use crate::routes::Routes;
use crate::stage::{Change, Stage, held};
use crate::storm::Storm;
use crate::verdict::Case;
use crate::{Outcome, progress};

const PAUSE: Duration = Duration::from_secs(2);
const TOLD: Duration = Duration::from_secs(20);

/// Says of every object whether it is as it must be when nothing is wrong.
pub(crate) struct Judge<'a> {
    stage: &'a Stage,
    routes: Routes,
}

impl<'a> Judge<'a> {
    /// What Bedrock answers now is what counts.
    pub(crate) fn new(stage: &'a Stage) -> Outcome<Self> {
        Ok(Self { stage, routes: Routes::ask(&stage.sandbox)? })
    }

    pub(crate) fn wait_for_convergence(&self, storm: &mut Storm<'_>, limit: Duration) -> Outcome<()> {
        let (began, mut told) = (Instant::now(), Instant::now());
        loop {
            storm.look_back()?;
            // A question that found no answer is asked again.
            let problems = self.problems(storm).unwrap_or_else(|error| vec![error.to_string()]);
            if problems.is_empty() {
                return Ok(());
            }
            if told.elapsed() > TOLD {
                told = Instant::now();
                progress(&format!(
                    "  {} s: {} left, such as: {}",
                    began.elapsed().as_secs(),
                    problems.len(),
                    problems[0]
                ));
            }
            if began.elapsed() > limit {
                return Err(
                    format!("not converged after {} s:\n{}", limit.as_secs(), problems.join("\n")).into()
                );
            }
            thread::sleep(PAUSE);
        }
    }

    /// One line for everything that is not as it must be.
    pub(crate) fn problems(&self, storm: &Storm<'_>) -> Outcome<Vec<String>> {
        let objects = self.stage.objects()?;
        let told = self.stage.orphans_told()?;
        let roles: BTreeSet<String> = fleet::members().map(Member::role).collect();
        let history = |role: String| self.stage.history(&role).map(|history| (role, history));
        let histories: BTreeMap<String, Vec<Change>> =
            roles.into_iter().map(history).collect::<Outcome<_>>()?;
        let mut problems = Vec::new();
        for (role, history) in &histories {
            let mut others = held(history);
            others.retain(|policy, _| !our_names(role).contains(policy));
            if others != storm.foreign.own(role) {
                problems
                    .push(format!("role {role}: foreign policies are not as they were written: {others:?}"));
            }
        }
        for member in fleet::members() {
            let (namespace, name, role) = (member.namespace(), member.name(), member.role());
            let object = objects.get(&(namespace.to_owned(), name.clone()));
            if let Some(problem) = self.problem(member, object, &histories[&role], storm, &told)? {
                problems.push(format!("{namespace}/{name} on role {role}: {problem}"));
            }
        }
        Ok(problems)
    }

    fn problem(
        &self,
        member: Member,
        object: Option<&Value>,
        history: &[Change],
        storm: &Storm<'_>,
        told: &BTreeSet<(String, String)>,
    ) -> Outcome<Option<String>> {
        let policy = member.policy();
        let held = held(history).remove(&policy);
        let case = Case {
            member,
            routes: &self.routes,
            tag: storm.owners.tag(member),
            has_target: member.owned().is_none_or(|owned| storm.owners.lets_use(owned, member)),
            state: held
                .as_ref()
                .map_or(PolicyState::Absent, |held| PolicyState::of(held, &member.identity())),
            held: held.as_deref(),
            is_foreigners: storm.foreign.wrote_last(&member.role(), history, &policy),
            vanished: &storm.vanished,
            is_told_orphaned: told.contains(&(member.namespace().to_owned(), member.name())),
        };
        match object {
            Some(object) => case.problem(object),
            None => Ok(case.problem_without_object()),
        }
    }
}
