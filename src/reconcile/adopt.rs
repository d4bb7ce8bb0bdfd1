//! What stands around the move of a policy from another cluster id: until when the old policy is asked for, its entry in the record,
//! and whom to tell that the move waits. What becomes of the policy is decided in the core.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::decide::Outcome;
use bedrock_iam::{Claim, Observed, PolicyState, RoleState};
use kube::ResourceExt;
use kube::runtime::events::EventType;
use tokio::time::Instant;

use super::{Context, event};
use crate::telemetry::chain;

/// How far the move from another cluster id is with each object.
pub struct Adoption {
    /// IAM may show what was there before a write for as long as this.
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

impl Adoption {
    /// Nothing was looked at yet.
    pub fn new(iam_lag: Duration) -> Self {
        Self { iam_lag, progress: Mutex::default() }
    }

    /// Whether nothing is left to move.
    pub(super) fn is_done(&self, former: &Claim) -> bool {
        self.progress(former).is_done
    }

    fn progress(&self, former: &Claim) -> Progress {
        let begun = Progress { first_look: Instant::now(), is_told: false, is_done: false };
        *self.lock().entry(former.identity.key_on(&former.role)).or_insert(begun)
    }

    fn set(&self, former: &Claim, progress: Progress) {
        self.lock().insert(former.identity.key_on(&former.role), progress);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Progress>> {
        // The map is never left half-written, so a poisoned lock holds a good map.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the old policy out of the record once it was seen to be gone for certain, and tells where it waits for consent.
pub(super) async fn settle(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    observed: &Observed,
    outcome: &Outcome,
) {
    let Some(former) = &claim.former else { return };
    let progress = cx.adoption.progress(former);
    if progress.is_done {
        return;
    }
    let reference = former.policy();
    match (observed.policy(&reference), &observed.role) {
        (PolicyState::Fault(_), _) | (_, RoleState::Fault(_)) => {}
        (PolicyState::Absent | PolicyState::Foreign(_), _) | (_, RoleState::Missing) => {
            let is_certain = progress.first_look.elapsed() >= cx.adoption.iam_lag;
            if is_certain && forget(cx, former).await {
                cx.adoption.set(former, Progress { is_done: true, ..progress });
            }
        }
        (PolicyState::Ours(_) | PolicyState::Shared { .. }, RoleState::Found(role)) => {
            let is_left = outcome.policy(&reference).document().is_some();
            if is_left && claim.tenant.is_withdrawn(&role.tags) && !progress.is_told {
                tell_of_consent(object, cx, claim, former).await;
                cx.adoption.set(former, Progress { is_told: true, ..progress });
            }
        }
    }
}

/// The owner's word is for the old cluster id only. What they granted by it is theirs to take back.
async fn tell_of_consent(object: &BedrockAccess, cx: &Context, claim: &Claim, former: &Claim) {
    let note = format!(
        "policy {} on role {}, written under the cluster id {}, stays and still grants: the role's tag has an entry for it and none \
         for {}/{}, which would let it be adopted",
        former.identity.policy_name(),
        former.role,
        former.tenant.cluster_id,
        claim.tenant.cluster_id,
        object.namespace().unwrap_or_default()
    );
    event::publish(object, cx, EventType::Warning, "AdoptionWaits", "Reconcile", &note).await;
}

/// Whether the record is rid of the old policy.
pub(super) async fn forget(cx: &Context, former: &Claim) -> bool {
    let forgotten = cx.orphans.record.forget(former).await;
    if let Err(error) = &forgotten {
        tracing::warn!(error = chain(error), "an entry could not be taken out of the record");
    }
    forgotten.is_ok()
}
