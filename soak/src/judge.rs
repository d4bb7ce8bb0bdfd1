use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use bedrock_iam::PolicyState;
use serde_json::Value;

use crate::expected::Expected;
use crate::fleet::{self, Member, Standing};
use crate::foreign::{ForeignWriter, our_names};
use crate::routes::Routes;
use crate::stage::{Change, Stage, held};
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

    pub(crate) fn wait_for_convergence(&self, foreign: &ForeignWriter, limit: Duration) -> Outcome<()> {
        let (began, mut told) = (Instant::now(), Instant::now());
        loop {
            let problems = self.problems(foreign)?;
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
    pub(crate) fn problems(&self, foreign: &ForeignWriter) -> Outcome<Vec<String>> {
        let objects = self.stage.objects()?;
        let roles: BTreeSet<String> = fleet::members().map(Member::role).collect();
        let history = |role: String| self.stage.history(&role).map(|history| (role, history));
        let histories: BTreeMap<String, Vec<Change>> =
            roles.into_iter().map(history).collect::<Outcome<_>>()?;
        let mut problems = Vec::new();
        for (role, history) in &histories {
            let mut others = held(history);
            others.retain(|policy, _| !our_names(role).contains(policy));
            if others != foreign.own(role) {
                problems
                    .push(format!("role {role}: foreign policies are not as they were written: {others:?}"));
            }
        }
        for member in fleet::members() {
            let (namespace, name, role) = (member.namespace(), member.name(), member.role());
            let object = objects.get(&(namespace.to_owned(), name.clone()));
            if let Some(problem) = self.problem(member, object, &histories[&role], foreign)? {
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
        foreign: &ForeignWriter,
    ) -> Outcome<Option<String>> {
        let (role, policy) = (member.role(), member.policy());
        let held = held(history).remove(&policy);
        let is_foreigners = foreign.wrote_last(&role, history, &policy);
        let Some(object) = object else {
            let is_left = held.is_some() && !is_foreigners && !member.retains();
            return Ok(is_left.then(|| format!("the object is gone, but not its policy {policy}")));
        };
        let says = |kind: &str| condition(object, kind);
        let told = || format!("Ready is {}", says("Ready").unwrap_or_default());
        if !object["metadata"]["deletionTimestamp"].is_null() {
            return Ok(Some(format!("it is still being deleted; {}", told())));
        }
        let (generation, seen) = (&object["metadata"]["generation"], &object["status"]["observedGeneration"]);
        let asked = &object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"];
        if seen != generation || object["status"]["lastHandledReconcileAt"] != *asked {
            return Ok(Some(format!(
                "its status is about generation {seen} instead of {generation}; {}",
                told()
            )));
        }
        let is = |kind: &str, wanted: &str| says(kind).is_some_and(|says| says.starts_with(wanted));
        let unless = |fine: bool, what: &str| (!fine).then(|| format!("{what}; {}", told()));
        if object["spec"]["suspend"] == true {
            return Ok(unless(is("Suspended", "True"), "it is not Suspended"));
        }
        match member.standing() {
            Standing::Missing => {
                return Ok(unless(is("RoleAccepted", "False RoleNotFound"), "RoleNotFound is not told"));
            }
            Standing::Closed => {
                let fine = is("RoleAccepted", "False ConsentMissing") && held.is_none();
                return Ok(unless(fine, "ConsentMissing is not told, or there is a policy"));
            }
            Standing::Open => {}
        }
        let expected = Expected::of(member, &object["spec"], &self.routes)?;
        let held = held.unwrap_or_default();
        if !expected.is_met_by(&held) {
            let is_taken = !held.is_empty() && PolicyState::of(&held, &member.identity()).is_foreign();
            let is_reported =
                object["spec"]["driftPolicy"] == "Report" && is("PolicyInSync", "False DriftDetected");
            let is_told = if is_taken { is("PolicyInSync", "False PolicyNameTaken") } else { is_reported };
            let what = format!("policy {policy} is not what the spec wants: {held}");
            return Ok(unless(is_told && is_foreigners, &what));
        }
        if !expected.is_told_by(&object["status"]) {
            return Ok(Some(format!("the status lists other grants: {}", object["status"]["grants"])));
        }
        if expected.has_typo {
            let fine = is("Ready", "False ProfileNotFound") && is("PolicyInSync", "True");
            return Ok(unless(fine, "ProfileNotFound is not told"));
        }
        Ok(unless(is("Ready", "True"), "it is not Ready"))
    }
}

/// Status, reason and message, if the condition is about the object's present generation.
fn condition(object: &Value, kind: &str) -> Option<String> {
    let conditions = object["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|condition| condition["type"] == kind)?;
    let is_new = found["observedGeneration"] == object["metadata"]["generation"];
    let text = |field: &str| found[field].as_str().unwrap_or_default();
    Some(format!(
        "{}{} {}: {}",
        if is_new { "" } else { "(old) " },
        text("status"),
        text("reason"),
        text("message")
    ))
}
