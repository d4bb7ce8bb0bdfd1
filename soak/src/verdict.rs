//! Whether one object, or what is left of one that is gone, is as it must be when nothing is wrong.

use std::collections::BTreeSet;

use bedrock_iam::document::Effect;
use bedrock_iam::{Document, PolicyState};
use serde_json::Value;

use crate::Outcome;
use crate::consent::Tag;
use crate::expected::{Circumstances, Expected};
use crate::fleet::Member;
use crate::routes::Routes;
use crate::strangers;
use crate::told::Told;

/// One of the objects, with what stands under the name of its policy.
pub(crate) struct Case<'a> {
    pub(crate) member: Member,
    pub(crate) routes: &'a Routes,
    /// What its role says; `None` where there is no such role.
    pub(crate) tag: Option<&'static Tag>,
    /// Whether the target that its manifests name lets it be used.
    pub(crate) has_target: bool,
    /// Whole, as it stands on the role.
    pub(crate) held: Option<&'a str>,
    pub(crate) state: PolicyState,
    /// Whether the foreign writer was the last one to write it.
    pub(crate) is_foreigners: bool,
    /// Whose objects once went without their finalizer's work.
    pub(crate) vanished: &'a BTreeSet<Member>,
    /// Whether an Event says that the policy stays although its object is gone.
    pub(crate) is_told_orphaned: bool,
}

impl Case<'_> {
    /// Of an object that is gone.
    pub(crate) fn problem_without_object(&self) -> Option<String> {
        let ours = self.ours()?;
        let namespace = self.member.namespace();
        let policy = self.member.policy();
        let Some(tag) = self.tag else {
            return Some(format!("policy {policy} on a role that does not exist"));
        };
        if !tag.lets(namespace) {
            return Some(format!(
                "the object is gone and its role does not consent, but policy {policy} stays"
            ));
        }
        if self.holds_withdrawn_target(ours) {
            return Some(format!(
                "policy {policy} of an object that is gone holds a target that was withdrawn"
            ));
        }
        let may_stay = self.member.retains() || self.vanished.contains(&self.member) || self.is_foreigners;
        if !may_stay {
            return Some(format!("the object is gone, but not its policy {policy}"));
        }
        if tag.lets_retain(namespace) {
            return None;
        }
        (!self.is_told_orphaned)
            .then(|| format!("the object is gone, policy {policy} stays, and no Event tells"))
    }

    /// Of an object that exists.
    pub(crate) fn problem(&self, object: &Value) -> Outcome<Option<String>> {
        let told = Told(object);
        if let Some(problem) = told.staleness() {
            return Ok(Some(problem));
        }
        let unless = |fine: bool, what: &str| Ok((!fine).then(|| format!("{what}; {}", told.ready())));
        if object["spec"]["suspend"] == true {
            let is_kept =
                !self.must_go() && !self.ours().is_some_and(|ours| self.holds_withdrawn_target(ours));
            return unless(
                told.says("Suspended", "True") && is_kept,
                "it is not Suspended, or its policy holds what was withdrawn",
            );
        }
        let Some(tag) = self.tag else {
            return unless(told.says("RoleAccepted", "False RoleNotFound"), "RoleNotFound is not told");
        };
        if !tag.lets(self.member.namespace()) {
            let fine = told.says("RoleAccepted", "False ConsentMissing") && self.ours().is_none();
            return unless(fine, "ConsentMissing is not told, or there is a policy");
        }
        let denies = !object["spec"]["routing"]["deniedScopes"].is_null();
        if denies && !tag.lets_deny(self.member.namespace()) {
            let is_denying = self.ours().is_some_and(has_denial);
            let fine = told.says("RoleAccepted", "False ConsentMissing") && !is_denying;
            return unless(fine, "ConsentMissing for deniedScopes is not told, or the policy denies");
        }
        if self.state.is_foreign() {
            let fine = told.says("PolicyInSync", "False PolicyNameTaken")
                && (self.is_foreigners || self.is_strangers());
            return unless(fine, &format!("our name is taken: {}", self.held.unwrap_or_default()));
        }
        self.problem_in_step(object, &told)
    }

    /// Of one whose role lets it have what it wants.
    fn problem_in_step(&self, object: &Value, told: &Told<'_>) -> Outcome<Option<String>> {
        let unless = |fine: bool, what: &str| Ok((!fine).then(|| format!("{what}; {}", told.ready())));
        let Self { member, routes, has_target, .. } = *self;
        let circumstances = Circumstances { member, routes, has_target, held: self.ours() };
        let expected = Expected::of(&object["spec"], circumstances)?;
        if !self.ours().is_some_and(|ours| expected.is_met_by(ours)) {
            let is_reported = object["spec"]["driftPolicy"] == "Report"
                && told.says("PolicyInSync", "False DriftDetected")
                && self.is_foreigners;
            let held = self.held.unwrap_or_default();
            return unless(
                is_reported,
                &format!("policy {} is not what the spec wants: {held}", member.policy()),
            );
        }
        if !expected.is_told_by(&object["status"]) {
            return Ok(Some(format!("the status lists other grants: {}", object["status"]["grants"])));
        }
        let has_strangers = !strangers::of(self.held.unwrap_or_default()).is_empty();
        let in_sync = if has_strangers { "False ForeignStatements" } else { "True InSync" };
        let resolved = expected.against.first().map(|against| format!("False {against:?}"));
        let ready = match (&resolved, has_strangers) {
            (Some(reason), _) => reason,
            (None, true) => in_sync,
            (None, false) => "True",
        };
        let resolved = resolved.as_deref().unwrap_or("True");
        let fine = told.says("PolicyInSync", in_sync)
            && told.says("ProfilesResolved", resolved)
            && told.says("Ready", ready);
        unless(
            fine,
            &format!("PolicyInSync {in_sync}, ProfilesResolved {resolved} and Ready {ready} are not told"),
        )
    }

    /// What of the policy is the operators' own.
    fn ours(&self) -> Option<&Document> {
        self.state.document()
    }

    /// Whether there is a policy of ours, and its role does not consent.
    fn must_go(&self) -> bool {
        self.ours().is_some() && self.tag.is_some_and(|tag| !tag.lets(self.member.namespace()))
    }

    fn holds_withdrawn_target(&self, ours: &Document) -> bool {
        !self.has_target && self.member.owned().is_some_and(|owned| owned.is_granted_by(ours))
    }

    /// Whether nothing but strangers' statements is left under our name.
    fn is_strangers(&self) -> bool {
        let held = self.held.unwrap_or_default();
        let all = Document::parse(held).map_or(0, |document| document.statement.len());
        all > 0 && strangers::of(held).len() == all
    }
}

fn has_denial(document: &Document) -> bool {
    document.statement.iter().any(|statement| statement.effect == Effect::Deny)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::consent::{CLOSED, LASTING, OPEN};
    use crate::fleet::{HOME, members};

    static NOBODY: BTreeSet<Member> = BTreeSet::new();

    const US: &str = "us.amazon.nova-2-lite-v1:0";

    /// A policy of ours, and beside it a stranger's statement or none.
    fn policy(member: Member, beside: Option<Value>) -> String {
        let sid = member.identity().marker();
        let ours =
            json!({"Sid": sid, "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "arn:r"});
        let statements: Vec<Value> = [ours].into_iter().chain(beside).collect();
        json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    }

    fn case<'a>(member: Member, held: &'a str, routes: &'a Routes) -> Case<'a> {
        Case {
            member,
            routes,
            tag: Some(&OPEN),
            has_target: true,
            held: Some(held),
            state: PolicyState::of(held, &member.identity()),
            is_foreigners: false,
            vanished: &NOBODY,
            is_told_orphaned: false,
        }
    }

    #[test]
    fn a_policy_whose_object_is_gone_needs_a_reason_consent_and_someone_who_was_told() {
        let routes = Routes::from(&[]);
        let member = members().find(|member| !member.retains()).unwrap();
        let held = policy(member, None);
        let vanished = BTreeSet::from([member]);
        let is_problem = |case: Case<'_>| case.problem_without_object().is_some();
        let orphan = || Case { vanished: &vanished, ..case(member, &held, &routes) };
        assert!(is_problem(case(member, &held, &routes)));
        assert!(!is_problem(Case { tag: Some(&LASTING), ..orphan() }));
        assert!(is_problem(Case { tag: Some(&CLOSED), ..orphan() }));
        assert!(is_problem(Case { tag: Some(&OPEN), ..orphan() }));
        assert!(!is_problem(Case { tag: Some(&OPEN), is_told_orphaned: true, ..orphan() }));
    }

    #[test]
    fn an_object_whose_role_does_not_consent_keeps_nothing_of_ours() {
        let routes = Routes::from(&[]);
        let member = members().next().unwrap();
        let held = policy(member, None);
        let object = |suspend: bool| {
            let condition = |kind: &str, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason, "observedGeneration": 1});
            let conditions = [
                condition("Suspended", "True", "Suspended"),
                condition("RoleAccepted", "False", "ConsentMissing"),
            ];
            json!({
                "metadata": {"generation": 1}, "spec": {"suspend": suspend},
                "status": {"observedGeneration": 1, "conditions": conditions},
            })
        };
        for is_suspended in [true, false] {
            let closed = || Case { tag: Some(&CLOSED), ..case(member, &held, &routes) };
            assert!(closed().problem(&object(is_suspended)).unwrap().is_some());
            let without = Case { state: PolicyState::Absent, held: None, ..closed() };
            assert_eq!(without.problem(&object(is_suspended)).unwrap(), None);
        }
    }

    #[test]
    fn strangers_beside_ours_are_to_be_told() {
        let routes = Routes::from(&[(HOME, US, &[HOME])]);
        let member = members().next().unwrap();
        let spec = json!({"sourceRegions": [HOME], "models": [{"modelId": "amazon.nova-2-lite-v1:0", "scopes": ["us"]}]});
        let ours = crate::expected::tests::written(&routes);
        let mut with_stranger: Value = serde_json::from_str(&ours.to_json()).unwrap();
        let stranger = strangers::draw(&mut fastrand::Rng::with_seed(1));
        with_stranger["Statement"].as_array_mut().unwrap().push(stranger);
        let object = |in_sync: [&str; 2], ready: [&str; 2]| {
            let condition = |kind: &str, [status, reason]: [&str; 2]| json!({"type": kind, "status": status, "reason": reason, "observedGeneration": 1});
            let conditions = [
                condition("PolicyInSync", in_sync),
                condition("ProfilesResolved", ["True", "Resolved"]),
                condition("Ready", ready),
            ];
            let grant = json!({"kind": "InferenceProfile", "id": US, "sourceRegion": HOME, "destinationRegions": [HOME]});
            json!({
                "metadata": {"generation": 1}, "spec": spec,
                "status": {"observedGeneration": 1, "conditions": conditions, "grants": [grant]},
            })
        };
        let foreign = ["False", "ForeignStatements"];
        let as_told = object(foreign, foreign);
        let as_if_none = object(["True", "InSync"], ["True", "Reconciled"]);
        let (alone, beside) = (ours.to_json(), with_stranger.to_string());
        let problem = |held: &str, object: &Value| case(member, held, &routes).problem(object).unwrap();
        assert_eq!(problem(&beside, &as_told), None);
        assert_eq!(problem(&alone, &as_if_none), None);
        assert!(problem(&beside, &as_if_none).is_some() && problem(&alone, &as_told).is_some());
    }
}
