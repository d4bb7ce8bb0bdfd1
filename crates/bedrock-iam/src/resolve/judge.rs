//! Who judges a target, and to what: what was answered and what is held, to a grant or to what stands against one.

use super::consent::Permission;
use super::{consent, withdrawn};
use crate::bedrock::answer::{Answer, Answers};
use crate::bedrock::target::Target;
use crate::names::account::Account;
use crate::names::arn::{GuardrailArn, InferenceProfileArn, OwnModelArn, Profile};
use crate::names::fault::Class;
use crate::names::identifier::Region;
use crate::policy::current::CurrentGrants;
use crate::policy::grant::Grant;
use crate::policy::revocation::Revoked;
use crate::say::finding::Finding;
use crate::say::reason::Reason;
use crate::want::intent::Intent;

/// What becomes of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is granted.
    Grant(Grant),
    /// The grant that the role has is kept, although this stands against it.
    Keep(Grant, Finding),
    /// It is not granted.
    Refuse(Finding),
    /// Nothing is granted any more, and nobody needs to be told: the user accepted it.
    Release,
}

impl Judgement {
    /// The grant, and what is said, as far as there is either.
    pub(super) fn into_parts(self) -> (Option<Grant>, Option<Finding>) {
        match self {
            Self::Grant(grant) => (Some(grant), None),
            Self::Keep(grant, finding) => (Some(grant), Some(finding)),
            Self::Refuse(finding) => (None, Some(finding)),
            Self::Release => (None, None),
        }
    }
}

/// Judges the targets of one intent.
pub(super) struct Judge<'a> {
    pub(super) intent: &'a Intent,
    pub(super) account: &'a Account,
    pub(super) answers: &'a Answers,
    pub(super) held: &'a CurrentGrants,
}

impl Judge<'_> {
    /// What becomes of a target, by what was answered about it.
    pub(super) fn judge(&self, target: &Target, answer: &Answer) -> Judgement {
        match target.clone() {
            Target::Profile { source, id } => {
                self.profile(target, &self.profile_arn(source, Profile::System(id)), answer)
            }
            Target::ApplicationProfile { source, id } => {
                self.profile(target, &self.profile_arn(source, Profile::Application(id)), answer)
            }
            Target::OnDemand { source, model } => self.on_demand(&source, &model, answer),
            Target::OwnModel { source: region, kind, id } => {
                let Account { id: account, partition } = self.account.clone();
                self.own_model(target, OwnModelArn { partition, region, account, kind, id })
            }
        }
    }

    fn profile_arn(&self, region: Region, profile: Profile) -> InferenceProfileArn {
        let Account { id: account, partition } = self.account.clone();
        InferenceProfileArn { partition, region, account, profile }
    }

    /// Whether a guardrail of the account is withheld, and what is to be said of it. Calls still have to name it, so that withholding
    /// it lets nothing through unguarded.
    pub(super) fn guardrail(&self, guardrail: &GuardrailArn) -> (bool, Option<Finding>) {
        let claim = &self.intent.claim;
        let fault = match consent::permission_of_guardrail(claim, self.answers, guardrail) {
            Permission::Given => return (false, None),
            Permission::Refused(finding) => return (true, Some(finding)),
            Permission::Unknown(fault) => fault,
        };
        let is_held = self.held.guardrails().contains(guardrail);
        let finding = if fault.class == Class::NotFound {
            let message = format!("guardrail {guardrail} does not exist; check the ARN");
            Finding::new(Reason::TargetNotAllowed, message)
        } else {
            let message = format!("guardrail {guardrail}: {}", fault.message);
            Finding::new(Reason::of_bedrock_fault(fault.class), message)
        };
        (!is_held, Some(finding))
    }

    pub(super) fn permission(&self, target: &Target) -> Permission {
        consent::permission(&self.intent.claim, self.answers, target)
    }

    /// What an owner, the lock or a denied scope takes away at once.
    pub(super) fn revoked(&self) -> Revoked {
        let mut revoked = withdrawn(&self.intent.claim, self.answers, self.held);
        for grant in self.held.grants() {
            match grant {
                Grant::Profile { arn, models } if !self.is_permitted(&models) => {
                    revoked.targets.insert(arn.to_string());
                }
                Grant::OwnModel { arn } if self.is_locked_out(&arn.region) => {
                    revoked.targets.insert(arn.to_string());
                }
                Grant::OnDemand { model } if !self.is_permitted(&[model.clone()].into()) => {
                    revoked.on_demand.insert(model.to_string());
                }
                Grant::Profile { .. } | Grant::OwnModel { .. } | Grant::OnDemand { .. } => {}
            }
        }
        revoked
    }

    /// Whether a definite answer of less may take a grant away: the user accepts it, or someone edited the policy since, so that
    /// what it holds was never answered.
    pub(super) fn may_shrink(&self, id: &str, source: &Region) -> bool {
        self.held.is_edited() || self.shrink_is_accepted(id, source)
    }

    pub(super) fn shrink_is_accepted(&self, id: &str, source: &Region) -> bool {
        self.intent.accepted_shrink.as_ref().is_some_and(|accepted| accepted.covers(id, source))
    }
}
