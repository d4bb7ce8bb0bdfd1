//! The policy of an object that is kept in step.
//!
//! What is wanted is compared with what is held, by meaning. Where they differ, this decides, from the top:
//!
//! | Bedrock | what is held | what is wanted | then |
//! |---|---|---|---|
//! | did not answer for all | someone edited it | nothing to call, and nothing to deny | it stays: nothing was taken from it by an answer |
//! | did not answer for all | we wrote it once | not what we last wrote, under `Report` | it stays: it cannot be told whether that is drift |
//! | any | what an owner withdrew | what we last wrote | it is written, whatever `Report` or a pause says |
//! | any | – | what we last wrote, under `Report` | it stays, and `DriftDetected` says in what it differs |
//! | any | – | what we last wrote, undone again and again | it stays until the pause is over, and `Contended` says so |
//! | any | – | anything else | it is written |

use std::time::Duration;

use super::desired::{Desired, DesiredPolicy, Purpose};
use super::plan::Plan;
use super::refusal::{self, without_permission_to_deny};
use super::repairs::Backoff;
use super::step::{Cause, Step};
use super::withdrawal;
use crate::iam::canonical::CanonicalPolicy;
use crate::iam::document::Document;
use crate::iam::observed::{Observed, PolicyState};
use crate::iam::provenance::{LastWrite, Provenance};
use crate::names::identifier::Region;
use crate::policy::current::CurrentGrants;
use crate::policy::diff;
use crate::policy::grant::Grant;
use crate::policy::revocation::{self, Remainder, Revoked};
use crate::policy::size;
use crate::policy::write::{self, Form, INLINE_QUOTA};
use crate::resolve::Resolution;
use crate::say::finding::Finding;
use crate::say::reason::{Kstatus, Reason};
use crate::want::intent::{Claim, DriftPolicy, Intent};
use crate::want::terms::Terms;

/// Brings the policy in step with the grants, as far as role and owners let it.
pub(super) fn plan(
    intent: &Intent,
    resolution: &Resolution,
    observed: &Observed,
    last_write: &LastWrite,
    provenance: Provenance,
    repairs: Backoff,
) -> Plan {
    let claim = &intent.claim;
    let policy = observed.policy(&claim.policy());
    let (mut plan, revoked) = match refusal::of_role(claim, observed) {
        // A role that nobody asked before may keep what it has, but not what a target's owner withdrew.
        Some(plan) if plan.misses_consent() => (plan, resolution.revoked.clone()),
        Some(plan) => (plan, Revoked::default()),
        None => match without_permission_to_deny(intent, observed) {
            Some(plan) => (plan, Revoked { denials: true, ..resolution.revoked.clone() }),
            None => (
                compare(intent, resolution, policy, last_write, provenance, repairs),
                resolution.revoked.clone(),
            ),
        },
    };
    plan.findings.extend(resolution.findings.iter().cloned());
    plan.not_offered.clone_from(&resolution.not_offered);
    let is_decided = plan.desired(&claim.policy()).is_some();
    plan.settles_acceptance = is_decided && !plan.misses_consent() && resolution.acceptance_is_settled;
    let mut plan = withdrawal::cut_out(claim, policy, &revoked, provenance, plan);
    let stays = plan.steps().iter().all(|step| step.leaves().document().is_some());
    plan.findings.extend(shared(claim, policy).filter(|_| stays));
    plan
}

/// Whose statements stand beside ours. They may grant what nobody asked the operator for.
fn shared(claim: &Claim, policy: &PolicyState) -> Option<Finding> {
    let foreign = policy.foreign()?;
    let message = format!(
        "policy {} on role {} holds statements that the operator did not write beside its own: {}; they are kept, and what they \
         grant stays: move them to a policy of their own",
        claim.identity.policy_name(),
        claim.role,
        foreign.names()
    );
    Some(Finding::new(Reason::ForeignStatements, message))
}

/// Compares what is wanted with what is held.
fn compare(
    intent: &Intent,
    resolution: &Resolution,
    policy: &PolicyState,
    last_write: &LastWrite,
    provenance: Provenance,
    repairs: Backoff,
) -> Plan {
    let claim = &intent.claim;
    if let PolicyState::Fault(fault) = policy {
        return Plan::unknown(Reason::of_policy_fault(fault.class), fault);
    }
    let held = policy.document();
    let desired = match desired(intent, resolution, held, last_write) {
        Ok(desired) => desired,
        Err(finding) => return Plan { findings: vec![finding], ..Plan::default() },
    };
    // Where nothing is to be granted, another's policy under our name is in nobody's way.
    if policy.is_foreign() && desired != Desired::Nothing {
        return Plan { findings: vec![name_taken(claim, policy)], ..Plan::default() };
    }
    let contended = match repairs {
        Backoff::None => Vec::new(),
        Backoff::Due(pause) | Backoff::Waiting(pause) => vec![contended(claim, pause)],
    };
    let meaning = desired.meaning();
    if held.map(CanonicalPolicy::of).unwrap_or_default() == meaning {
        return Plan { findings: contended, ..Plan::in_sync(claim.policy(), desired) };
    }

    let cause = match last_write.meant(&meaning, held) {
        Some(true) => Cause::Drift,
        Some(false) => Cause::Changed,
        None if held.is_some() => Cause::Changed,
        None => Cause::New,
    };
    let is_incomplete =
        resolution.findings.iter().any(|finding| finding.reason.kstatus() == Kstatus::Unknown);
    // What an owner withdrew waits for no quarrel, and is not only reported.
    let revoked = &resolution.revoked;
    let is_revoked = |held| revocation::remainder(&claim.identity, held, revoked) != Remainder::Whole;
    let is_overdue = held.is_some_and(is_revoked);
    let is_reporting = intent.drift_policy == DriftPolicy::Report && !is_overdue;
    let is_edited = provenance == Provenance::Edited;
    let may_be_drift = is_reporting && last_write.reported.is_some() && cause == Cause::Changed;
    let takes_all = resolution.grants.is_empty() && intent.terms.denied_scopes.is_empty();
    if is_incomplete && ((is_edited && takes_all) || may_be_drift) {
        return Plan { findings: contended, ..Plan::default() };
    }
    if cause == Cause::Drift && is_reporting {
        return Plan { findings: vec![drift(claim, &desired, held)], ..Plan::default() };
    }
    if cause == Cause::Drift && matches!(repairs, Backoff::Waiting(_)) && !is_overdue {
        return Plan { findings: contended, ..Plan::default() };
    }
    let step = match desired {
        Desired::Policy(desired) => Step::put(claim.policy(), desired, policy, cause),
        Desired::Nothing => Step::removal(claim.policy(), policy),
    };
    Plan { findings: contended, ..Plan::default() }.then(step)
}

fn drift(claim: &Claim, desired: &Desired, held: Option<&Document>) -> Finding {
    let message = format!(
        "policy {} on role {} is not as it was written: {} by someone else; driftPolicy is Report, so it stays as it is",
        claim.identity.policy_name(),
        claim.role,
        match desired {
            Desired::Policy(desired) => diff::drift(&claim.identity, &desired.document, held),
            Desired::Nothing => "it had been added".to_owned(),
        }
    );
    Finding::new(Reason::DriftDetected, message)
}

fn name_taken(claim: &Claim, policy: &PolicyState) -> Finding {
    let message = format!(
        "role {} has an inline policy {} without this operator's mark: no Sid in it begins with {}; it is left alone, and grants {} of \
         the operator's kind: move what someone else put there to another policy, then remove it with {}",
        claim.role,
        claim.identity.policy_name(),
        claim.identity.marker(),
        policy.whole().map_or(0, |document| CurrentGrants::of(&document).count()),
        claim.removal_command()
    );
    Finding::new(Reason::PolicyNameTaken, message)
}

fn contended(claim: &Claim, pause: Duration) -> Finding {
    let message = format!(
        "someone else keeps undoing policy {} on role {}; it is restored less and less often, next {} min after the last time: find who \
         calls PutRolePolicy or DeleteRolePolicy (AWS CloudTrail) and stop one of the two; a changed spec or the annotation \
         bedrockaccess.io/reconcile-at restores it at once",
        claim.identity.policy_name(),
        claim.role,
        pause.as_secs().div_ceil(60)
    );
    Finding::new(Reason::Contended, message)
}

/// The terms of what is granted: a Region that may not exist has a project only where something is granted there.
fn terms(intent: &Intent, resolution: &Resolution) -> Terms {
    let mut terms = Terms {
        withheld: resolution.withheld.clone(),
        extras: resolution.extras.clone(),
        ..intent.terms.clone()
    };
    let grants = &resolution.grants;
    let is_granted_in =
        |source: &Region| grants.iter().filter_map(Grant::target).any(|target| target.source() == source);
    terms.projects.retain(|project| intent.knows(&project.region) || is_granted_in(&project.region));
    terms
}

/// The policy in the form that is to be written: the explicit one while it fits, unless IAM took only the factored one of the
/// very same grants before.
fn desired(
    intent: &Intent,
    resolution: &Resolution,
    held: Option<&Document>,
    last_write: &LastWrite,
) -> Result<Desired, Finding> {
    let claim = &intent.claim;
    let terms = terms(intent, resolution);
    let write = |form| write::document(&claim.identity, &claim.account, &resolution.grants, &terms, form);
    let (Some(explicit), Some(factored)) = (write(Form::Explicit), write(Form::Factored)) else {
        return Ok(Desired::Nothing);
    };
    let (explicit_size, factored_size) = (explicit.characters(), factored.characters());
    if factored_size.min(explicit_size) > INLINE_QUOTA {
        let message = size::too_large(claim, &resolution.grants, &terms);
        return Err(Finding::new(Reason::PolicyTooLarge, message));
    }
    let meaning = CanonicalPolicy::of(&factored);
    let only_factored = explicit_size > INLINE_QUOTA
        || held.is_some_and(|held| CanonicalPolicy::of(held) == meaning)
        || last_write.meant(&meaning, held) == Some(true);
    let (document, smaller) = match (only_factored, factored_size < explicit_size) {
        (true, true) => (factored, None),
        (false, true) => (explicit, Some(factored)),
        (_, false) => (explicit, None),
    };
    let purpose = Purpose::Grants(resolution.grants.clone(), terms);
    Ok(Desired::Policy(Box::new(DesiredPolicy { document, smaller, purpose })))
}
