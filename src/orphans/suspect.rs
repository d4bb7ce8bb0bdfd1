//! A policy that seems to have no object, and what is done about it.

use bedrock_iam::orphan::{ObjectName, Standing};
use bedrock_iam::{Claim, Fault, PolicyState};

use super::{Look, look, look_at_role, objects, removal, take_away, tell};
use crate::metrics::PolicyWrite;
use crate::reconcile::{Context, send};
use crate::telemetry::chain;

/// A policy that seems to have no object.
pub(super) struct Suspect {
    pub(super) claim: Claim,
    object: ObjectName,
    is_told: bool,
    is_told_of_withdrawal: bool,
}

impl Suspect {
    pub(super) fn new(claim: Claim, object: ObjectName) -> Self {
        Self { claim, object, is_told: false, is_told_of_withdrawal: false }
    }

    /// Whether a person was told that it stays.
    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    /// Looks at it, and takes away what its owners withdrew. Whether that settles it: it has an object, or is gone.
    pub(super) async fn settle(&mut self, cx: &Context) -> bool {
        match self.look(cx).await {
            Ok(Look::LookedAfter) => true,
            Ok(Look::Gone) => self.forget(cx).await,
            Ok(Look::Orphaned(Standing::Withdrawn, policy)) => {
                self.remove(cx, &policy).await && self.forget(cx).await
            }
            Ok(Look::Orphaned(standing, policy)) => {
                let left = self.cut_back(cx, policy).await;
                if left.document().is_none() {
                    return self.forget(cx).await;
                }
                match standing {
                    Standing::Consented => {
                        self.tell_once(cx, &left, "which the role's consent still covers").await;
                    }
                    _ => self.is_told = false,
                }
                false
            }
            Ok(Look::Unknown(fault)) => {
                tracing::warn!(error = %fault, "a policy without an object could not be looked at");
                false
            }
            Err(error) => {
                tracing::warn!(error = chain(&error), "whether an object is absent could not be asked");
                false
            }
        }
    }

    async fn look(&self, cx: &Context) -> Result<Look, kube::Error> {
        let now = &cx.settings.cluster_id;
        if is_former(cx, &self.claim.tenant.cluster_id) {
            return Ok(look_at_role(&cx.iam, &self.claim, now).await);
        }
        look(&cx.client, &cx.iam, &self.claim, &self.object, now).await
    }

    /// Whether our statements are gone, which the role's owner no longer consents to.
    async fn remove(&mut self, cx: &Context, policy: &PolicyState) -> bool {
        match take_away(&cx.iam, &self.claim, policy).await {
            Ok(_) => {
                cx.metrics.wrote(PolicyWrite::Removed);
                tell::removed(cx, &self.claim, &self.object, "the role no longer consents").await;
                true
            }
            Err(fault) => {
                let why =
                    format!("which the role no longer consents to, and cannot be removed: {}", fault.message);
                self.tell_once(cx, policy, &why).await;
                false
            }
        }
    }

    /// Takes out what the owners of its targets withdrew; what is left.
    async fn cut_back(&mut self, cx: &Context, policy: PolicyState) -> PolicyState {
        let Some(step) = removal::withdrawal(cx, &self.claim, &policy).await else {
            self.is_told_of_withdrawal = false;
            return policy;
        };
        if let Err(fault) = send(&cx.iam, &self.claim, &step).await {
            self.tell_of_withdrawal(cx, &policy, &fault).await;
            return policy;
        }
        let left = step.leaves();
        if left.document().is_some() {
            cx.metrics.wrote(PolicyWrite::Changed);
            tell::cut_back(cx, &self.claim, &self.object).await;
        } else {
            cx.metrics.wrote(PolicyWrite::Removed);
            let why = "the owners of all that it granted no longer consent";
            tell::removed(cx, &self.claim, &self.object, why).await;
        }
        left
    }

    async fn tell_of_withdrawal(&mut self, cx: &Context, policy: &PolicyState, fault: &Fault) {
        if !std::mem::replace(&mut self.is_told_of_withdrawal, true) {
            let why = format!(
                "of which an owner of a target withdrew consent, and that cannot be taken out: {}",
                fault.message
            );
            tell::orphaned(cx, &self.claim, &self.object, policy, &why).await;
        }
    }

    async fn tell_once(&mut self, cx: &Context, policy: &PolicyState, why: &str) {
        if !std::mem::replace(&mut self.is_told, true) {
            tell::orphaned(cx, &self.claim, &self.object, policy, why).await;
        }
    }

    /// Whether the record is rid of it, or it has an object again.
    async fn forget(&self, cx: &Context) -> bool {
        let forgotten = self.take_out(cx).await;
        if let Err(error) = &forgotten {
            tracing::warn!(
                error = chain(error),
                "an entry could not be taken out of the record; it is tried again at the next interval"
            );
        }
        forgotten.is_ok()
    }

    /// Takes its entry out. An object that came meanwhile may rely on it.
    async fn take_out(&self, cx: &Context) -> Result<(), kube::Error> {
        let record = &cx.orphans.record;
        record.forget(&self.claim).await?;
        if is_former(cx, &self.claim.tenant.cluster_id) {
            return Ok(());
        }
        match objects::looks_after(&cx.client, &self.object, &self.claim.role).await {
            Ok(false) => Ok(()),
            Ok(true) => record.remember(&self.claim, &self.object).await,
            Err(error) => record.remember(&self.claim, &self.object).await.and(Err(error)),
        }
    }
}

/// Whether no object looks after what was written under a cluster id: it is one of before, and nothing is moved from it.
pub(super) fn is_former(cx: &Context, cluster_id: &str) -> bool {
    cluster_id != cx.settings.cluster_id && cx.settings.adopt_from.as_deref() != Some(cluster_id)
}
