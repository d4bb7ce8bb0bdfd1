//! What to do in AWS, decided from values alone.
//!
//! A plan only ever names our own policy. It holds at most one step: IAM replaces a policy whole, so a wanted grant is
//! never absent in between.

mod outcome;
mod refusal;
mod step;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::canonical::{Digest, Meaning};
use crate::consent::Consent;
use crate::document::Document;
use crate::finding::{Finding, Outlook, Reason};
use crate::grant::Grant;
use crate::history::{self, History, Patience};
use crate::identity;
use crate::intent::{Claim, DriftPolicy, Intent, Terms};
use crate::invocation;
use crate::observed::{Account, Observed, PolicyState, RoleState};
use crate::policy::{self, Form, INLINE_QUOTA};
use crate::resolve::Resolution;
use crate::resolve::offers::Offer;
use crate::revocation::{self, Remainder, Revoked};
use crate::size;
pub use outcome::{step_failed, verify};
use refusal::{refusal, without_leave_to_deny};
pub use step::{Cause, Step};

/// What to do, and what to say about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The one write to AWS, if any.
    pub step: Option<Step>,
    /// What our policy on the role is to be once the plan is carried out; `None` where that is not ours to decide.
    pub desired: Option<Desired>,
    /// What stands against the manifest.
    pub findings: Vec<Finding>,
    /// Whether, once it is carried out, the user's acceptance of a shrink is used up.
    pub settles_acceptance: bool,
    /// Combinations of model, scope and source Region that do not exist and need not.
    pub not_offered: BTreeSet<Offer>,
    /// Whether the step only carries out what an owner withdrew, so that nothing which the tenant may change holds it back.
    pub is_withdrawal: bool,
}

impl Plan {
    /// Our statements go; what someone else put beside them stays.
    fn removal(policy: &PolicyState) -> Self {
        let step = Step::removal_from(policy);
        Self { step: Some(step), desired: Some(Desired::Nothing), ..Self::default() }
    }

    fn misses_consent(&self) -> bool {
        self.findings.iter().any(|finding| finding.reason == Reason::ConsentMissing)
    }

    fn keeps_our_statements(&self) -> bool {
        self.step.as_ref().is_none_or(|step| step.leaves().document().is_some())
    }
}

/// The policy that the role is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Desired {
    /// This policy.
    Policy(Box<DesiredPolicy>),
    /// None.
    Nothing,
}

/// A policy, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredPolicy {
    /// The whole policy.
    pub document: Document,
    /// The same in fewer characters, should IAM have no room.
    pub smaller: Option<Document>,
    /// What it must let through.
    pub grants: Vec<Grant>,
    /// On what terms.
    pub terms: Terms,
}

impl Desired {
    /// What it means; the meaning of nothing is that of an empty policy.
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::Policy(policy) => Meaning::of(&policy.document),
            Self::Nothing => Meaning::default(),
        }
    }

    fn is_met_by(&self, held: Option<&Document>) -> bool {
        match (self, held) {
            (Self::Nothing, None) => true,
            (Self::Policy(policy), Some(held)) => {
                let is_same = |wanted: &Document| Meaning::of(wanted) == Meaning::of(held);
                (is_same(&policy.document) || policy.smaller.as_ref().is_some_and(is_same))
                    && policy.grants.iter().all(|grant| invocation::covers(&[held], grant, &policy.terms))
            }
            (Self::Nothing, Some(_)) | (Self::Policy(_), None) => false,
        }
    }
}

/// Plans for an object that is to be kept in step.
pub fn plan(
    intent: &Intent,
    account: &Account,
    resolution: &Resolution,
    observed: &Observed,
    history: &History,
) -> Plan {
    let (mut plan, revoked) = match refusal(&intent.claim, account, observed) {
        Some(plan) => (plan, Revoked::default()),
        None => match without_leave_to_deny(intent, observed) {
            Some(plan) => (plan, Revoked { denials: true, ..resolution.revoked.clone() }),
            None => {
                (sync(intent, account, resolution, &observed.policy, history), resolution.revoked.clone())
            }
        },
    };
    plan.findings.extend(resolution.findings.iter().cloned());
    plan.not_offered.clone_from(&resolution.not_offered);
    plan.settles_acceptance =
        plan.desired.is_some() && !plan.misses_consent() && resolution.acceptance_is_settled;
    let mut plan = revoking(&intent.claim, &observed.policy, &revoked, plan);
    plan.findings.extend(shared(&intent.claim, &observed.policy).filter(|_| plan.keeps_our_statements()));
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

/// Plans for an object that is suspended, or that cannot be worked with: nothing, unless consent was withdrawn, by the role
/// or by a target.
pub fn plan_withdrawal(claim: &Claim, account: &Account, observed: &Observed, revoked: &Revoked) -> Plan {
    match refusal(claim, account, observed) {
        Some(plan) if plan.misses_consent() => plan,
        Some(_) => Plan::default(),
        None => {
            let plan = revoking(claim, &observed.policy, revoked, Plan::default());
            Plan { is_withdrawal: plan.step.is_some(), ..plan }
        }
    }
}

/// The write that takes out of a policy what may not stay, where nothing else is to be done with it.
pub fn cut(claim: &Claim, policy: &PolicyState, revoked: &Revoked) -> Option<Step> {
    revoking(claim, policy, revoked, Plan::default()).step
}

/// Takes out of our policy what may not stay, where a plan would leave it as it is.
fn revoking(claim: &Claim, policy: &PolicyState, revoked: &Revoked, plan: Plan) -> Plan {
    let (None, None, Some(held)) = (&plan.step, &plan.desired, policy.document()) else { return plan };
    let (step, desired) = match revocation::remainder(&claim.identity, held, revoked) {
        Remainder::Whole => return plan,
        Remainder::Nothing => (Step::removal_from(policy), Desired::Nothing),
        Remainder::Part(document) => {
            let foreign = policy.foreign().cloned();
            let step =
                Step::Put { document: document.clone(), smaller: None, foreign, cause: Cause::Withdrawn };
            let (grants, terms) = (Vec::new(), Terms::default());
            let desired = DesiredPolicy { document, smaller: None, grants, terms };
            (step, Desired::Policy(Box::new(desired)))
        }
    };
    Plan { step: Some(step), desired: Some(desired), ..plan }
}

/// Takes our statements away; anything else stays.
pub fn teardown(policy: &PolicyState) -> Plan {
    match policy {
        PolicyState::Ours(_) | PolicyState::Shared { .. } => Plan::removal(policy),
        PolicyState::Absent => Plan { desired: Some(Desired::Nothing), ..Plan::default() },
        PolicyState::Foreign => Plan::default(),
        PolicyState::Fault(fault) => Plan {
            findings: vec![Finding::new(Reason::of_policy_fault(fault.class), &fault.message)],
            ..Plan::default()
        },
    }
}

/// Plans for an object whose finalizer is about to go. No later read mends what this one does not show yet, so a policy of ours
/// that seems to be gone is removed all the same, unless the role neither consents nor was ever written to.
pub fn release(claim: &Claim, account: &Account, observed: &Observed, last_written: Option<&Digest>) -> Plan {
    let may_be_hidden = match &observed.role {
        RoleState::Found(role) => claim.applicant.consent(&role.tags) == Consent::Given,
        RoleState::Missing => false,
        RoleState::Fault(_) => true,
    };
    let plan = match &observed.policy {
        _ if claim.is_elsewhere(account) => Plan::default(),
        policy @ PolicyState::Absent if may_be_hidden || last_written.is_some() => Plan::removal(policy),
        policy => teardown(policy),
    };
    Plan { is_withdrawal: true, ..plan }
}

fn sync(
    intent: &Intent,
    account: &Account,
    resolution: &Resolution,
    policy: &PolicyState,
    history: &History,
) -> Plan {
    if let PolicyState::Fault(fault) = policy {
        let finding = Finding::new(Reason::of_policy_fault(fault.class), &fault.message);
        return Plan { findings: vec![finding], ..Plan::default() };
    }
    let held = policy.document();
    let desired = match desired(intent, account, resolution, held, history) {
        Ok(desired) => desired,
        Err(finding) => return Plan { findings: vec![finding], ..Plan::default() },
    };
    // Where nothing is to be granted, another's policy under our name is in nobody's way.
    if *policy == PolicyState::Foreign && desired != Desired::Nothing {
        return Plan { findings: vec![name_taken(&intent.claim)], ..Plan::default() };
    }
    let meaning = desired.meaning();
    let contended = match history.patience {
        Patience::Calm => Vec::new(),
        Patience::Retrying | Patience::Waiting => vec![contended(&intent.claim, history.pause)],
    };
    if held.map(Meaning::of).unwrap_or_default() == meaning {
        return Plan { desired: Some(desired), findings: contended, ..Plan::default() };
    }

    let cause = match is_last_written(&meaning, held, history) {
        Some(true) => Cause::Drift,
        Some(false) => Cause::Changed,
        None if held.is_some() => Cause::Changed,
        None => Cause::New,
    };
    // What Bedrock does not answer for is no reason to take anything away, and hides whether the rest is drift.
    let is_incomplete =
        resolution.findings.iter().any(|finding| finding.reason.outlook() == Outlook::Unknown);
    let is_in_doubt = intent.drift_policy == DriftPolicy::Report && history.last_written.is_some();
    let is_edited = held.is_some_and(|held| !identity::is_sealed(held));
    if is_incomplete
        && ((desired == Desired::Nothing && is_edited) || (is_in_doubt && cause == Cause::Changed))
    {
        return Plan { findings: contended, ..Plan::default() };
    }
    if cause == Cause::Drift && intent.drift_policy == DriftPolicy::Report {
        let message = format!(
            "policy {} on role {} is not as it was written: {} by someone else; driftPolicy is Report, so it stays as it is",
            intent.claim.identity.policy_name(),
            intent.claim.role,
            match &desired {
                Desired::Policy(desired) => history::drift(&intent.claim.identity, &desired.document, held),
                Desired::Nothing => "it had been added".to_owned(),
            }
        );
        return Plan { findings: vec![Finding::new(Reason::DriftDetected, message)], ..Plan::default() };
    }
    if cause == Cause::Drift && history.patience == Patience::Waiting {
        return Plan { findings: contended, ..Plan::default() };
    }
    let step = match &desired {
        Desired::Policy(desired) => {
            let DesiredPolicy { document, smaller, .. } = desired.as_ref();
            let foreign = policy.foreign().cloned();
            Step::Put { document: document.clone(), smaller: smaller.clone(), foreign, cause }
        }
        Desired::Nothing => Step::removal_from(policy),
    };
    Plan { step: Some(step), desired: Some(desired), findings: contended, ..Plan::default() }
}

fn name_taken(claim: &Claim) -> Finding {
    let message = format!(
        "role {} has an inline policy {} without this operator's mark: no Sid in it begins with {}; it is left alone: move what someone else \
         put there to another policy, then remove it with {}",
        claim.role,
        claim.identity.policy_name(),
        claim.identity.mark(),
        claim.removal_command()
    );
    Finding::new(Reason::PolicyNameTaken, message)
}

/// Whether we last wrote this. What this process wrote it knows; else the policy itself tells, as long as it is there and nobody
/// sealed it anew; a status may be anyone's.
fn is_last_written(meaning: &Meaning, held: Option<&Document>, history: &History) -> Option<bool> {
    let digest = meaning.digest();
    if history.remembered.as_ref() == Some(&digest) {
        return Some(true);
    }
    held.and_then(|held| identity::was_written_as(held, meaning))
        .or_else(|| history.last_written.as_ref().map(|written| *written == digest))
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

/// The policy in the form that is to be written: the explicit one while it fits, unless IAM took only the factored one of the
/// very same grants before.
fn desired(
    intent: &Intent,
    account: &Account,
    resolution: &Resolution,
    held: Option<&Document>,
    history: &History,
) -> Result<Desired, Finding> {
    let terms = Terms { withheld: resolution.withheld.clone(), ..intent.terms.clone() };
    let write = |form| policy::document(&intent.claim.identity, account, &resolution.grants, &terms, form);
    let (Some(explicit), Some(factored)) = (write(Form::Explicit), write(Form::Factored)) else {
        return Ok(Desired::Nothing);
    };
    let (explicit_size, factored_size) = (explicit.characters(), factored.characters());
    if factored_size.min(explicit_size) > INLINE_QUOTA {
        let message = size::too_large(&intent.claim, account, &resolution.grants, &terms);
        return Err(Finding::new(Reason::PolicyTooLarge, message));
    }
    let grants = resolution.grants.clone();
    let meaning = Meaning::of(&factored);
    let only_factored = explicit_size > INLINE_QUOTA
        || held.is_some_and(|held| Meaning::of(held) == meaning)
        || is_last_written(&meaning, held, history) == Some(true);
    let (document, smaller) = match (only_factored, factored_size < explicit_size) {
        (true, true) => (factored, None),
        (false, true) => (explicit, Some(factored)),
        (_, false) => (explicit, None),
    };
    Ok(Desired::Policy(Box::new(DesiredPolicy { document, smaller, grants, terms })))
}
