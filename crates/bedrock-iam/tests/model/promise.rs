//! What every single decision has to keep to, by rules that are written down here and not asked of the product.

use bedrock_iam::answer::Answers;
use bedrock_iam::consent;
use bedrock_iam::decide::{Cause, Doubt};
use bedrock_iam::{Decision, RoleState};

use crate::aws::{Author, Tag};
use crate::catalog::{self, APPLICATION};
use crate::operator::{Question, Read, Want};

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Promise {
    NothingForeignIsChanged,
    WhatAnOwnerWithdrewGoes,
    NothingIsGrantedWithoutConsent,
    WhatIsNotFollowedStays,
    AnOutageTakesNothing,
}

/// The promise that a decision breaks, if any. Our policy lets through what `found` says, and `left` once the plan is carried out.
pub(crate) fn broken_by(
    question: &Question,
    answers: &Answers,
    decision: &Decision,
    found: Option<u8>,
    left: Option<u8>,
) -> Option<Promise> {
    let case = Case {
        question,
        role: match &decision.believed.role {
            RoleState::Found(role) => Some(Tag::of(&role.tags)?),
            RoleState::Missing | RoleState::Fault(_) => None,
        },
        application: answers.tags_of(&catalog::application()).ok().and_then(Tag::of),
        found,
        left,
        is_written: !decision.plan.steps().is_empty(),
        is_repair: decision.plan.steps().iter().any(|step| step.cause() == Some(Cause::Drift)),
        is_postponed: decision.doubt != Doubt::None,
    };
    let broken = [
        (case.keeps_what_was_withdrawn(), Promise::WhatAnOwnerWithdrewGoes),
        (case.grants_without_consent(), Promise::NothingIsGrantedWithoutConsent),
        (case.takes_what_is_not_followed(), Promise::WhatIsNotFollowedStays),
    ];
    broken.into_iter().find(|(is_broken, _)| *is_broken).map(|(_, promise)| promise)
}

struct Case<'a> {
    question: &'a Question,
    /// As it is believed; `None` without an answer.
    role: Option<Tag>,
    /// `None` where nobody was asked, or nobody answered.
    application: Option<Tag>,
    /// What our policy lets through as it is believed, where there is one.
    found: Option<u8>,
    left: Option<u8>,
    is_written: bool,
    is_repair: bool,
    /// While it is not known whether the role consents, a target's owner waits.
    is_postponed: bool,
}

impl Case<'_> {
    fn keeps_what_was_withdrawn(&self) -> bool {
        let keeps_application = self.left.unwrap_or_default() & APPLICATION != 0;
        self.role_withdraws() && self.left.is_some()
            || self.application_is_withdrawn()
                && keeps_application
                && self.role.is_some()
                && !self.is_postponed
    }

    /// What somebody else took out is put back though the target's owner does not answer: it was granted, and not withdrawn.
    fn grants_without_consent(&self) -> bool {
        let more = self.left.unwrap_or_default() & !self.found.unwrap_or_default();
        let asks = self.question.subject.asks;
        let role_consents = self.role.is_some_and(|tag| tag.consents(asks));
        let may_call = asks == consent::ConsentPolicy::None
            || self.application.is_some_and(|tag| tag.consents(asks))
            || self.is_repair && !self.application_is_withdrawn();
        more != 0 && !role_consents || more & APPLICATION != 0 && !may_call
    }

    /// What is suspended, invalid or retained changes by what its owners withdrew, and by nothing else.
    fn takes_what_is_not_followed(&self) -> bool {
        let is_retained = || self.role.is_none_or(|tag| tag.retains(self.question.subject.asks));
        let is_followed = match self.question.want {
            _ if self.question.subject.is_outdated => false,
            Want::InStep(_) | Want::Gone => true,
            Want::Suspended | Want::Invalid => false,
            Want::Retained => !is_retained(),
        };
        if is_followed || !self.is_written || self.role_withdraws() {
            return false;
        }
        let is_as_written = matches!(
            &self.question.policy,
            Read::Shown(Some(stored)) if stored.author == Author::Operator
        );
        let rest = self.found.unwrap_or_default() & !APPLICATION;
        !self.application_is_withdrawn() || is_as_written && self.left.unwrap_or_default() != rest
    }

    fn role_withdraws(&self) -> bool {
        self.role.is_some_and(|tag| tag.withdraws(self.question.subject.asks))
    }

    fn application_is_withdrawn(&self) -> bool {
        self.application.is_some_and(|tag| tag.withdraws(self.question.subject.asks))
    }
}
