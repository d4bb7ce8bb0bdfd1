//! From what is wanted and what Bedrock answered to what may be granted.
//!
//! An answer is believed only as far as its type allows: a profile leads to one model, in the role's partition, by exact
//! ARNs. Every target that resolves is granted even when another does not; one that held a grant keeps it while Bedrock
//! answers nothing, or less than before.

mod consent;
mod destinations;
mod extras;
mod families;
mod judge;
mod model;
pub mod offers;
mod profile;
pub mod questions;
mod remedy;

use std::collections::BTreeSet;

use crate::bedrock::answer::Answers;
use crate::bedrock::target::Target;
use crate::names::arn::GuardrailArn;
use crate::policy::current::CurrentGrants;
use crate::policy::grant::Grant;
use crate::policy::revocation::Revoked;
use crate::say::finding::Finding;
use crate::say::reason::{Kstatus, Reason};
use crate::want::extras::Extras;
use crate::want::intent::{Claim, Intent};
use consent::Permission;
use families::{Expansion, expand};
use judge::Judge;
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
    /// What may be granted beside the grants.
    pub extras: Extras,
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
        extras: Extras::default(),
        withheld: BTreeSet::new(),
        revoked: judge.revoked(),
    };
    for guardrail in intent.terms.owned_guardrails(account) {
        let (is_withheld, finding) = judge.guardrail(&guardrail);
        resolution.findings.extend(finding.filter(|_| intent.knows(&guardrail.region)));
        resolution.withheld.extend(is_withheld.then_some(guardrail));
    }
    let (mut offered, mut missing) = (Vec::new(), Vec::new());
    for (family, finding) in families {
        let offer = Offer::of_family(&family);
        match finding.filter(|_| intent.knows(family.source())) {
            Some(finding) if is_absence(&finding) => missing.push((offer, finding)),
            finding => {
                offered.push(offer);
                resolution.findings.extend(finding);
            }
        }
    }
    for (target, answer) in &targets {
        let (grant, finding) = judge.judge(target, answer).into_parts();
        // Of a Region that is not known one thing is said already.
        let finding = finding.filter(|_| intent.knows(target.source()));
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
    resolution.extras = extras::extras(intent, held, &resolution.grants);
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
