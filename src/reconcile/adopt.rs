//! What was written under the cluster id that was here before: it goes once the policy of this one is written, read back and
//! proven. Should the operator die in between, both stand there until the next look.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bedrock_access_api::parse::{self, OperatorSettings};
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::{Claim, Fault, PolicyState, RoleState};
use kube::ResourceExt;
use kube::runtime::events::EventType;
use tokio::time::Instant;

use super::{Context, apply, event};
use crate::metrics::PolicyWrite;
use crate::orphans;
use crate::telemetry::chain;

/// The move from one cluster id to another.
pub struct Adoption {
    from: String,
    iam_lag: Duration,
    /// By the old policy's name and role.
    progress: Mutex<HashMap<String, Progress>>,
}

/// How far it is with one object.
#[derive(Clone, Copy, Debug)]
struct Progress {
    first_look: Instant,
    is_told: bool,
    is_done: bool,
}

/// An object's policy under the old cluster id.
#[derive(Clone, Debug)]
pub(super) struct Predecessor {
    claim: Claim,
    pub(super) policy: PolicyState,
}

impl Adoption {
    /// From an old cluster id; IAM may show what was there before a write for as long as `iam_lag`.
    pub fn new(from: String, iam_lag: Duration) -> Self {
        Self { from, iam_lag, progress: Mutex::default() }
    }

    /// The old cluster id.
    pub(crate) fn from(&self) -> &str {
        &self.from
    }

    fn claim(&self, object: &BedrockAccess, cx: &Context) -> Option<Claim> {
        let settings = OperatorSettings { cluster_id: self.from.clone(), ..cx.settings.clone() };
        parse::claim(object, &settings).ok()
    }

    fn progress(&self, claim: &Claim) -> Progress {
        let begun = Progress { first_look: Instant::now(), is_told: false, is_done: false };
        *self.lock().entry(claim.identity.key_on(&claim.role)).or_insert(begun)
    }

    fn set(&self, claim: &Claim, progress: Progress) {
        self.lock().insert(claim.identity.key_on(&claim.role), progress);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Progress>> {
        // The map is never left half-written, so a poisoned lock holds a good map.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The policy under the old cluster id; `None` where none is to be adopted any more.
pub(super) async fn look(object: &BedrockAccess, cx: &Context) -> Option<Predecessor> {
    let adoption = cx.adoption.as_ref()?;
    let claim = adoption.claim(object, cx)?;
    if adoption.progress(&claim).is_done {
        return None;
    }
    let policy = cx.iam.policy(&claim.role, &claim.identity).await;
    Some(Predecessor { claim, policy })
}

/// Takes the old policy away once the new one is proven, or where the role's owner withdrew consent from both.
pub(super) async fn settle(
    object: &BedrockAccess,
    cx: &Context,
    predecessor: Option<Predecessor>,
    role: &RoleState,
    is_proven: bool,
) {
    let (Some(adoption), Some(old)) = (&cx.adoption, predecessor) else { return };
    let progress = adoption.progress(&old.claim);
    match (&old.policy, role) {
        (PolicyState::Fault(_), _) | (_, RoleState::Fault(_)) => {}
        (PolicyState::Absent | PolicyState::Foreign(_), _) | (_, RoleState::Missing) => {
            let is_certain = progress.first_look.elapsed() >= adoption.iam_lag;
            if is_certain && forget(cx, &old.claim).await {
                adoption.set(&old.claim, Progress { is_done: true, ..progress });
            }
        }
        (PolicyState::Ours(_) | PolicyState::Shared { .. }, RoleState::Found(role)) => {
            let consents = |cluster_id: &str| {
                let tenant = old.claim.tenant.clone();
                let asking = bedrock_iam::consent::Tenant { cluster_id: cluster_id.to_owned(), ..tenant };
                !asking.is_withdrawn(&role.tags)
            };
            let (is_allowed, was_allowed) = (consents(&cx.settings.cluster_id), consents(&adoption.from));
            if is_proven || !(is_allowed || was_allowed) {
                // What fails is logged, and tried again at the next look.
                let _ = take_away(object, cx, adoption, &old).await;
            } else {
                cut_back(object, cx, adoption, &old).await;
                if !is_allowed && !progress.is_told {
                    tell_of_consent(object, cx, adoption, &old).await;
                    adoption.set(&old.claim, Progress { is_told: true, ..progress });
                }
            }
        }
    }
}

/// Takes the old policy away with its object, unless it is retained.
pub(super) async fn release(object: &BedrockAccess, cx: &Context) -> Result<(), Fault> {
    let Some(adoption) = &cx.adoption else { return Ok(()) };
    let Some(old) = look(object, cx).await else { return Ok(()) };
    if let PolicyState::Fault(fault) = &old.policy {
        return Err(fault.clone());
    }
    let role = cx.iam.role(&old.claim.role).await;
    let may_stay = |tags| object.spec.deletion_policy != "Delete" && old.claim.tenant.may_retain(tags);
    if matches!(&role, RoleState::Found(role) if may_stay(&role.tags)) {
        return Ok(());
    }
    take_away(object, cx, adoption, &old).await?;
    forget(cx, &old.claim).await;
    Ok(())
}

async fn take_away(
    object: &BedrockAccess,
    cx: &Context,
    adoption: &Adoption,
    old: &Predecessor,
) -> Result<(), Fault> {
    if orphans::take_away(&cx.iam, &old.claim, &old.policy).await?.is_none() {
        return Ok(());
    }
    cx.metrics.wrote(PolicyWrite::Removed);
    let note = format!(
        "removed policy {} from role {}, which was written under the cluster id {}",
        old.claim.identity.policy_name(),
        old.claim.role,
        adoption.from
    );
    event::publish(object, cx, EventType::Normal, "PolicyRemoved", "Write", &note).await;
    Ok(())
}

/// Takes out of the old policy what the owners of its targets withdrew while it waits. What fails is logged, and tried again at the
/// next look.
async fn cut_back(object: &BedrockAccess, cx: &Context, adoption: &Adoption, old: &Predecessor) {
    let Some(step) = orphans::withdrawal(cx, &old.claim, &old.policy).await else { return };
    if apply::send(&cx.iam, &old.claim, &step).await.is_err() {
        return;
    }
    let (reason, write) = match step.leaves().document() {
        Some(_) => ("PolicyWritten", PolicyWrite::Changed),
        None => ("PolicyRemoved", PolicyWrite::Removed),
    };
    cx.metrics.wrote(write);
    let note = format!(
        "took out of policy {} on role {}, written under the cluster id {}, what owners withdrew consent for",
        old.claim.identity.policy_name(),
        old.claim.role,
        adoption.from
    );
    event::publish(object, cx, EventType::Normal, reason, "Write", &note).await;
}

/// The owner's word is for the old cluster id only. What they granted by it is theirs to take back.
async fn tell_of_consent(object: &BedrockAccess, cx: &Context, adoption: &Adoption, old: &Predecessor) {
    let note = format!(
        "policy {} on role {}, written under the cluster id {}, stays and still grants: the role's tag has an entry for it and none \
         for {}/{}, which would let it be adopted",
        old.claim.identity.policy_name(),
        old.claim.role,
        adoption.from,
        cx.settings.cluster_id,
        object.namespace().unwrap_or_default()
    );
    event::publish(object, cx, EventType::Warning, "AdoptionWaits", "Reconcile", &note).await;
}

/// Whether the record is rid of the old policy.
async fn forget(cx: &Context, claim: &Claim) -> bool {
    let forgotten = cx.orphans.record.forget(claim).await;
    if let Err(error) = &forgotten {
        tracing::warn!(error = chain(error), "an entry could not be taken out of the record");
    }
    forgotten.is_ok()
}
