//! Whether one object, or what is left of one that is gone, is as it must be when nothing is wrong.

use bedrock_iam::document::Effect;
use bedrock_iam::{Document, PolicyState};
use serde_json::Value;

use crate::Outcome;
use crate::consent::Tag;
use crate::expected::{Circumstances, Expected};
use crate::fleet::Member;
use crate::owners::Owners;
use crate::routes::Routes;
use crate::strangers;
use crate::told::Told;

/// One of the objects, with what stands under the name of its policy.
pub(crate) struct Case<'a> {
    pub(crate) member: Member,
    pub(crate) routes: &'a Routes,
    pub(crate) owners: &'a Owners,
    /// Whole, as it stands on the role.
    pub(crate) held: Option<&'a str>,
    pub(crate) state: PolicyState,
    /// Whether the foreign writer was the last one to write it.
    pub(crate) is_foreigners: bool,
    /// Whether the object once went without its finalizer's work.
    pub(crate) has_vanished: bool,
    /// Whether an Event says that the policy stays although its object is gone.
    pub(crate) is_told_orphaned: bool,
}

impl Case<'_> {
    /// Of an object that is gone.
    pub(crate) fn problem_without_object(&self) -> Option<String> {
        let ours = self.ours()?;
        let namespace = self.member.namespace();
        let policy = self.member.policy();
        let Some(tag) = self.tag() else {
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
        let may_stay = self.member.retains() || self.has_vanished || self.is_foreigners;
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
        let Some(tag) = self.tag() else {
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
        let Self { member, routes, .. } = *self;
        let has_target = member.owned().is_none_or(|owned| self.owners.lets_use(owned, member));
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

    fn tag(&self) -> Option<&'static Tag> {
        self.owners.tag(self.member)
    }

    /// Whether there is a policy of ours, and its role does not consent.
    fn must_go(&self) -> bool {
        self.ours().is_some() && self.tag().is_some_and(|tag| !tag.lets(self.member.namespace()))
    }

    fn holds_withdrawn_target(&self, ours: &Document) -> bool {
        let withdrawn = self.member.owned().filter(|owned| !self.owners.lets_use(*owned, self.member));
        withdrawn.is_some_and(|owned| owned.is_granted_by(ours))
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
