//! The operator's own look for orphans: at every interval by the record, now and then by all roles of the account.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bedrock_iam::orphan::{Installation, ObjectName, Standing};
use bedrock_iam::{Claim, Class, PolicyState, RoleName};
use futures::FutureExt;
use tokio::time::{Instant, sleep};

use super::{Look, look, take_away, tell};
use crate::metrics::PolicyWrite;
use crate::reconcile::{Adoption, Context};

/// Policies that are looked at in one round, one after the other: IAM's limit is for the objects first. The next round goes on
/// where this one ended.
const MOST_LOOKS: usize = 200;

/// A policy that seems to have no object.
struct Suspect {
    claim: Claim,
    object: ObjectName,
    /// Whether a person was told.
    is_told: bool,
}

struct Sweeper<'a> {
    cx: &'a Context,
    /// By the policy's key in the record.
    suspects: BTreeMap<String, Suspect>,
    next_scan: Option<Instant>,
    /// Whether this round came upon one that was not known.
    is_one_new: bool,
    last_looked_at: String,
    is_told_of_denial: bool,
}

/// Sweeps for as long as it is polled, beginning at once, with the objects as they are known at each round.
pub(crate) async fn run(cx: &Context, objects: impl Fn() -> Vec<(ObjectName, Option<RoleName>)>) {
    let scan_every = cx.orphans.scan_every;
    let pause = scan_every.map_or(cx.interval, |every| every.min(cx.interval));
    let mut sweeper = Sweeper {
        cx,
        suspects: BTreeMap::new(),
        // A while after the start, when the objects have been seen to.
        next_scan: scan_every.map(|_| Instant::now() + pause),
        is_one_new: false,
        last_looked_at: String::new(),
        is_told_of_denial: false,
    };
    loop {
        if AssertUnwindSafe(sweeper.round(&objects)).catch_unwind().await.is_err() {
            tracing::error!(
                "the code panicked while it looked for orphaned policies; it goes on at the next interval"
            );
        }
        sleep(pause).await;
    }
}

impl Sweeper<'_> {
    async fn round(&mut self, objects: &impl Fn() -> Vec<(ObjectName, Option<RoleName>)>) {
        self.is_one_new = false;
        self.suspect_by_record(&self.installations(objects)).await;
        if self.next_scan.is_some_and(|due| due <= Instant::now()) {
            self.next_scan = self.cx.orphans.scan_every.map(|every| Instant::now() + every);
            self.suspect_by_account(&self.installations(objects)).await;
        }
        let installations = self.installations(objects);
        let is_looked_after = |claim: &Claim| {
            installations.iter().any(|installation| installation.looks_after(&claim.identity, &claim.role))
        };
        self.suspects.retain(|_, suspect| !is_looked_after(&suspect.claim));
        if self.is_one_new {
            // IAM may still show what was there before a deletion that has just ended.
            sleep(self.cx.orphans.iam_lag).await;
        }
        for key in self.turn() {
            self.last_looked_at.clone_from(&key);
            self.look_at(&key).await;
        }
        let told = self.suspects.values().filter(|suspect| suspect.is_told).count();
        self.cx.metrics.orphaned(told);
    }

    async fn suspect_by_record(&mut self, installations: &[Installation]) {
        let record = &self.cx.orphans.record;
        let read = async {
            record.load().await?;
            record.note_cluster_ids().await
        };
        if let Err(error) = read.await {
            tracing::warn!(%error, "the record of written policies could not be read; it is read again at the next interval");
        }
        for (key, object, role) in record.entries() {
            // An entry of any other cluster id is not this one's to judge.
            let claims = installations.iter().map(|one| (one, one.claim(&object, &role)));
            let known = claims.into_iter().find(|(_, claim)| claim.identity.key_on(&role) == key);
            if let Some((installation, claim)) = known
                && !installation.looks_after(&claim.identity, &role)
            {
                self.suspect(claim, object);
            }
        }
    }

    async fn suspect_by_account(&mut self, installations: &[Installation]) {
        let mut found = Vec::new();
        let see = |role| found.extend(installations.iter().flat_map(|one| one.orphans(&role)));
        let scanned = self.cx.iam.scan(see).await;
        for orphan in found {
            match orphan.standing {
                Standing::Withdrawn | Standing::Consented | Standing::Retained => {
                    self.suspect(orphan.claim, orphan.object);
                }
                Standing::Elsewhere | Standing::Unknown => {}
            }
        }
        match scanned {
            Ok(()) => self.is_told_of_denial = false,
            Err(fault) if fault.class == Class::Denied => {
                if !std::mem::replace(&mut self.is_told_of_denial, true) {
                    tracing::warn!(
                        error = %fault,
                        "orphaned policies are looked for by the record alone, which misses what it does not hold"
                    );
                }
            }
            // The next round, not the next day.
            Err(fault) => {
                tracing::warn!(error = %fault, "the account's roles could not be looked at; they are at the next interval");
                self.next_scan = Some(Instant::now());
            }
        }
    }

    fn suspect(&mut self, claim: Claim, object: ObjectName) {
        let key = claim.identity.key_on(&claim.role);
        self.suspects.entry(key).or_insert_with(|| {
            self.is_one_new = true;
            Suspect { claim, object, is_told: false }
        });
    }

    /// Whose turn it is, beginning behind the one that was looked at last.
    fn turn(&self) -> Vec<String> {
        let later = self.suspects.range::<str, _>((Excluded(self.last_looked_at.as_str()), Unbounded));
        let earlier = self.suspects.range::<str, _>((Unbounded, Included(self.last_looked_at.as_str())));
        later.chain(earlier).map(|(key, _)| key.clone()).take(MOST_LOOKS).collect()
    }

    async fn look_at(&mut self, key: &str) {
        let Some(suspect) = self.suspects.get_mut(key) else { return };
        let is_settled = match look(&self.cx.client, &self.cx.iam, &suspect.claim, &suspect.object).await {
            Ok(Look::LookedAfter) => true,
            Ok(Look::Gone) => forget(self.cx, &suspect.claim).await,
            Ok(Look::Orphaned(Standing::Withdrawn, policy)) => {
                remove(self.cx, suspect, &policy).await && forget(self.cx, &suspect.claim).await
            }
            Ok(Look::Orphaned(Standing::Consented, policy)) => {
                if !std::mem::replace(&mut suspect.is_told, true) {
                    let why = "which the role's consent still covers";
                    tell::orphaned(self.cx, &suspect.claim, &suspect.object, &policy, why).await;
                }
                false
            }
            Ok(Look::Orphaned(_, _)) => {
                suspect.is_told = false;
                false
            }
            Ok(Look::Unknown(fault)) => {
                tracing::warn!(error = %fault, "a policy without an object could not be looked at");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "whether an object is absent could not be asked");
                false
            }
        };
        if is_settled {
            self.suspects.remove(key);
        }
    }

    /// This one, and the one whose policies are moved to it.
    fn installations(&self, objects: &impl Fn() -> Vec<(ObjectName, Option<RoleName>)>) -> Vec<Installation> {
        let realm = &self.cx.realm;
        let ids =
            std::iter::once(realm.cluster_id.as_str()).chain(self.cx.adoption.iter().map(Adoption::from));
        ids.map(|id| Installation::new(id, &realm.account, realm.consent, objects())).collect()
    }
}

/// Whether our statements are gone, which the role's owner no longer consents to.
async fn remove(cx: &Context, suspect: &mut Suspect, policy: &PolicyState) -> bool {
    match take_away(&cx.iam, &suspect.claim, policy).await {
        Ok(_) => {
            cx.metrics.wrote(PolicyWrite::Removed);
            tell::removed(cx, &suspect.claim, &suspect.object).await;
            true
        }
        Err(fault) => {
            if !std::mem::replace(&mut suspect.is_told, true) {
                let why =
                    format!("which the role no longer consents to, and cannot be removed: {}", fault.message);
                tell::orphaned(cx, &suspect.claim, &suspect.object, policy, &why).await;
            }
            false
        }
    }
}

/// Whether the record is rid of it.
async fn forget(cx: &Context, claim: &Claim) -> bool {
    let forgotten = cx.orphans.record.forget(claim).await;
    if let Err(error) = &forgotten {
        tracing::warn!(%error, "an entry could not be taken out of the record; it is tried again at the next interval");
    }
    forgotten.is_ok()
}

/// How the operator looks for orphans.
pub struct Orphans {
    /// What was written.
    pub record: super::Record,
    /// How often all roles of the account are looked at; never, if `None`.
    pub scan_every: Option<Duration>,
    /// How long IAM may show what was there before a write.
    pub iam_lag: Duration,
}
