//! From what is wanted and what Bedrock answered to what may be granted.
//!
//! An answer is believed only as far as its type allows: a profile leads to one model, in the role's partition, by exact
//! ARNs. Every target that resolves is granted even when another does not; one that held a grant keeps it while Bedrock
//! answers nothing, or less than before.

mod consent;
mod families;
mod judgement;
mod model;
pub mod offers;
mod profile;
pub mod questions;
mod remedy;

use std::collections::BTreeSet;

use crate::bedrock::answer::{Answer, Answers};
use crate::bedrock::target::Target;
use crate::names::account::Account;
use crate::names::arn::{FoundationModelArn, GuardrailArn, InferenceProfileArn, OwnModelArn, Profile};
use crate::names::fault::Class;
use crate::names::identifier::Region;
use crate::policy::current::CurrentGrants;
use crate::policy::grant::{Grant, destination};
use crate::policy::revocation::Revoked;
use crate::say::finding::Finding;
use crate::say::reason::{Kstatus, Reason};
use crate::want::intent::{Claim, Intent};
use consent::Permission;
use families::{Expansion, expand};
use judgement::Judgement;
use offers::Offer;

/// What may be granted, and what stands against the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// In the order of the targets.
    pub grants: Vec<Grant>,
    /// In the order of the targets.
    pub findings: Vec<Finding>,
    /// Whether the user's acceptance of a shrink was weighed against an answer, and so is used up.
    pub acceptance_is_settled: bool,
    /// Combinations that do not exist and need not.
    pub not_offered: BTreeSet<Offer>,
    /// Guardrails that may not be applied, since their owner does not consent.
    pub withheld: BTreeSet<GuardrailArn>,
    /// What the policy on the role may no longer hold, even should nothing else come of this.
    pub revoked: Revoked,
}

/// Judges every target of the intent.
pub fn resolve(intent: &Intent, answers: &Answers, held: &CurrentGrants) -> Resolution {
    let Expansion { targets, families } = expand(intent, answers, held);
    let account = &intent.claim.account;
    let judge = Judge { intent, account, answers, held };
    let mut resolution = Resolution {
        grants: Vec::new(),
        findings: intent.refused.clone(),
        acceptance_is_settled: true,
        not_offered: BTreeSet::new(),
        withheld: BTreeSet::new(),
        revoked: judge.revoked(),
    };
    for guardrail in intent.terms.owned_guardrails(account) {
        let (is_withheld, finding) = judge.guardrail(&guardrail);
        resolution.withheld.extend(is_withheld.then_some(guardrail));
        resolution.findings.extend(finding);
    }
    let (mut offered, mut missing) = (Vec::new(), Vec::new());
    for (family, finding) in families {
        let offer = Offer::of_family(&family);
        match finding {
            Some(finding) if is_absence(&finding) => missing.push((offer, finding)),
            finding => {
                offered.push(offer);
                resolution.findings.extend(finding);
            }
        }
    }
    for (target, answer) in &targets {
        let (grant, finding) = judge.judge(target, answer).into_parts();
        let is_unknown = finding.as_ref().is_some_and(|finding| finding.reason.kstatus() == Kstatus::Unknown);
        if is_unknown && judge.shrink_is_accepted(target.id(), target.source()) {
            resolution.acceptance_is_settled = false;
        }
        match (Offer::of_target(target), grant, finding) {
            (Some(offer), None, Some(finding)) if is_absence(&finding) => missing.push((offer, finding)),
            (offer, grant, finding) => {
                offered.extend(offer);
                resolution.grants.extend(grant);
                resolution.findings.extend(finding);
            }
        }
    }
    for (offer, finding) in missing {
        if offer.is_dispensable(&offered) {
            resolution.not_offered.insert(offer);
        } else {
            resolution.findings.push(finding);
        }
    }
    resolution
}

/// Whether Bedrock answered that there is no such thing.
fn is_absence(finding: &Finding) -> bool {
    matches!(finding.reason, Reason::ProfileNotFound | Reason::ModelNotFound | Reason::OnDemandNotSupported)
}

/// What a policy may no longer hold because an owner of a target withdrew consent, whatever else is wanted.
pub fn withdrawn(claim: &Claim, answers: &Answers, held: &CurrentGrants) -> Revoked {
    let is_refused =
        |target: &Target| matches!(consent::permission(claim, answers, target), Permission::Refused(_));
    let is_withheld = |guardrail: &&GuardrailArn| {
        matches!(consent::permission_of_guardrail(claim, answers, guardrail), Permission::Refused(_))
    };
    let guardrails = held.guardrails().iter().filter(is_withheld).map(ToString::to_string);
    let targets = held.targets().filter(is_refused).filter_map(|target| target.owned(&claim.account));
    Revoked { targets: targets.chain(guardrails).collect(), ..Revoked::default() }
}

struct Judge<'a> {
    intent: &'a Intent,
    account: &'a Account,
    answers: &'a Answers,
    held: &'a CurrentGrants,
}

impl Judge<'_> {
    fn judge(&self, target: &Target, answer: &Answer) -> Judgement {
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
    fn guardrail(&self, guardrail: &GuardrailArn) -> (bool, Option<Finding>) {
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

    fn permission(&self, target: &Target) -> Permission {
        consent::permission(&self.intent.claim, self.answers, target)
    }

    /// What an owner, the lock or a denied scope takes away at once.
    fn revoked(&self) -> Revoked {
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

    /// Whether neither the lock nor a denied scope stands against the route.
    fn is_permitted(&self, models: &BTreeSet<FoundationModelArn>) -> bool {
        self.beyond_lock(models).is_empty() && !self.is_denied(models)
    }

    /// The destinations outside the lock; the region-less ARN may run anywhere and so lies outside every lock.
    fn beyond_lock(&self, models: &BTreeSet<FoundationModelArn>) -> Vec<String> {
        let within = |model: &FoundationModelArn| match &model.region {
            Some(region) => !self.is_locked_out(region),
            None => self.intent.allowed_destination_regions.is_none(),
        };
        models.iter().filter(|model| !within(model)).map(destination).collect()
    }

    fn is_locked_out(&self, region: &Region) -> bool {
        self.intent.allowed_destination_regions.as_ref().is_some_and(|allowed| !allowed.contains(region))
    }

    /// Whether a definite answer of less may take a grant away: the user accepts it, or someone edited the policy since, so that
    /// what it holds was never answered.
    fn may_shrink(&self, id: &str, source: &Region) -> bool {
        self.held.is_edited() || self.shrink_is_accepted(id, source)
    }

    fn shrink_is_accepted(&self, id: &str, source: &Region) -> bool {
        self.intent.accepted_shrink.as_ref().is_some_and(|accepted| accepted.covers(id, source))
    }
}
