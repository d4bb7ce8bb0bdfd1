//! The operator's own look for orphans: at every interval by the record, now and then by all roles of the account.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bedrock_access_api::parse::OperatorSettings;
use bedrock_iam::orphan::{Installation, ObjectName, Standing};
use bedrock_iam::{Claim, Class, RoleName};
use futures::{FutureExt, TryStreamExt, future};
use tokio::time::{Instant, sleep};

use super::objects;
use super::shared_look::{Found, Looking, NotOffered, SharedLook, Sought};
use super::suspect::{Suspect, is_former};
use crate::reconcile::Context;
use crate::telemetry::chain;

/// Policies that are looked at in one round, one after the other: IAM's limit is for the objects first. The next round goes on
/// where this one ended.
const MOST_LOOKS: usize = 200;

/// An object and the role that it names, where that is known.
type Named = (ObjectName, Option<RoleName>);

struct Sweeper<'a> {
    cx: &'a Context,
    /// By the policy's key in the record.
    suspects: BTreeMap<String, Suspect>,
    scan: Scan,
    /// Whether this round came upon one that was not known.
    is_one_new: bool,
    last_looked_at: String,
    is_told_of_former: bool,
}

/// The look at all roles of the account.
struct Scan {
    next: Option<Instant>,
    /// Whether it was done, or never is, so that the record has the last word.
    is_done: bool,
    is_told_of_denial: bool,
    /// For how many rounds one has been asked for of whoever looks at all roles anyhow.
    asked_for: u8,
    /// The cluster ids of policies that other shards judge, as the last one showed them.
    ids_elsewhere: BTreeSet<String>,
}

/// Sweeps for as long as it is polled, beginning at once, with the objects as they are known at each round.
pub(crate) async fn run(cx: &Context, objects: impl Fn() -> Vec<Named>) {
    let scan_every = cx.orphans.scan_every;
    let pause = scan_every.map_or(cx.interval, |every| every.min(cx.interval));
    let mut sweeper = Sweeper {
        cx,
        suspects: BTreeMap::new(),
        scan: Scan {
            // A while after the start, when the objects have been seen to.
            next: scan_every.map(|_| Instant::now() + pause),
            is_done: scan_every.is_none(),
            is_told_of_denial: false,
            asked_for: 0,
            ids_elsewhere: BTreeSet::new(),
        },
        is_one_new: false,
        last_looked_at: String::new(),
        is_told_of_former: false,
    };
    cx.orphans.look.reset();
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
    async fn round(&mut self, objects: &impl Fn() -> Vec<Named>) {
        self.is_one_new = false;
        if !self.cx.shard.is_all() {
            // Other shards write too.
            self.cx.orphans.record.forget_copy();
        }
        if self.read_record().await {
            self.tell_of_former();
        }
        let Some(others) = self.objects_of_others().await else { return };
        let objects = &|| [others.clone(), objects()].concat();
        self.suspect_by_record(&self.installations(objects));
        if self.scan.next.is_some_and(|due| due <= Instant::now()) {
            self.look_at_the_account(&self.installations(objects)).await;
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
        let told = self.suspects.values().filter(|suspect| suspect.is_told()).count();
        self.cx.metrics.orphaned(told);
        if self.scan.is_done && self.cx.orphans.record.is_whole() {
            self.retire_former().await;
        }
    }

    /// The objects that are another shard's by their labels: of one that is gone nobody knows them. `None` where they cannot be known.
    async fn objects_of_others(&self) -> Option<Vec<Named>> {
        if self.cx.shard.selector().is_none() {
            return Some(Vec::new());
        }
        match objects::list(&self.cx.client).await {
            Ok(all) => Some(all),
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(
                    error,
                    "the objects of other shards could not be listed; they are at the next interval"
                );
                None
            }
        }
    }

    /// Whether the record is known, and has the cluster ids of this operator.
    async fn read_record(&self) -> bool {
        let record = &self.cx.orphans.record;
        let read = async {
            record.load().await?;
            record.note_cluster_ids().await
        };
        let read = read.await;
        if let Err(error) = &read {
            tracing::warn!(
                error = chain(&error),
                "the record of written policies could not be read; it is read again at the next interval"
            );
        }
        read.is_ok()
    }

    fn suspect_by_record(&mut self, installations: &[Installation]) {
        let entries = self.cx.orphans.record.entries().into_iter();
        let shard = &self.cx.shard;
        for (key, object, role) in entries.filter(|(_, object, _)| shard.has_namespace(&object.namespace)) {
            // An entry of any other cluster id is not this one's to judge.
            let claims = installations.iter().map(|one| (one, one.claim(&object, &role)));
            let known = claims.into_iter().find(|(_, claim)| claim.identity.is_known_as(&key, &role));
            if let Some((installation, claim)) = known
                && !installation.looks_after(&claim.identity, &role)
            {
                self.suspect(claim, object);
            }
        }
    }

    /// By somebody else's look, if one comes in the next rounds.
    async fn look_at_the_account(&mut self, installations: &[Installation]) {
        if !self.cx.orphans.record.is_whole() {
            // Former cluster ids are not known yet: an answer that comes later would be taken for one about them too.
            self.scan.next = self.cx.orphans.scan_every.map(|every| Instant::now() + every);
            return self.suspect_by_account(installations).await;
        }
        let shared = self.cx.orphans.look.take(|| self.sought(installations), self.scan.asked_for);
        if matches!(shared, Ok(None)) {
            self.scan.asked_for += 1;
            return;
        }
        self.scan.asked_for = 0;
        self.scan.next = self.cx.orphans.scan_every.map(|every| Instant::now() + every);
        match shared {
            Ok(found) => {
                self.suspect_all(found.unwrap_or_default());
                self.scan.is_done = true;
            }
            Err(NotOffered) => self.suspect_by_account(installations).await,
        }
    }

    fn sought(&self, installations: &[Installation]) -> Sought {
        Sought { installations: installations.to_vec(), shard: self.cx.shard.clone() }
    }

    fn suspect_all(&mut self, found: Found) {
        self.scan.ids_elsewhere = found.ids_elsewhere;
        for orphan in found.orphans {
            match orphan.standing {
                Standing::Withdrawn | Standing::Consented | Standing::Retained => {
                    self.suspect(orphan.claim, orphan.object);
                }
                Standing::Elsewhere | Standing::Unknown => {}
            }
        }
    }

    async fn suspect_by_account(&mut self, installations: &[Installation]) {
        let mut looking = Looking::new(self.sought(installations));
        let see = |role| {
            looking.see(&role);
            future::ready(Ok(()))
        };
        let scanned = self.cx.iam.roles().try_for_each(see).await;
        self.suspect_all(looking.found());
        match scanned {
            Ok(()) => {
                self.scan.is_told_of_denial = false;
                // Else former cluster ids were not known yet.
                self.scan.is_done = self.cx.orphans.record.is_whole();
            }
            Err(fault) if fault.class == Class::Denied => {
                self.scan.is_done = true;
                if !std::mem::replace(&mut self.scan.is_told_of_denial, true) {
                    tracing::warn!(
                        error = %fault,
                        "orphaned policies are looked for by the record alone, which misses what it does not hold"
                    );
                }
            }
            // The next round, not the next day.
            Err(fault) => {
                tracing::warn!(error = %fault, "the account's roles could not be looked at; they are at the next interval");
                self.scan.next = Some(Instant::now());
            }
        }
    }

    fn suspect(&mut self, claim: Claim, object: ObjectName) {
        let key = claim.identity.key_on(&claim.role);
        self.suspects.entry(key).or_insert_with(|| {
            self.is_one_new = true;
            Suspect::new(claim, object)
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
        if suspect.settle(self.cx).await {
            self.suspects.remove(key);
        }
    }

    /// This one, the one whose policies are moved to it, and those before, which no object looks after any more.
    fn installations(&self, objects: &impl Fn() -> Vec<Named>) -> Vec<Installation> {
        let OperatorSettings { cluster_id: now, adopt_from, account, consent, .. } = &self.cx.settings;
        let adopted = adopt_from.iter().map(String::as_str);
        let with_objects = std::iter::once(now.as_str()).chain(adopted);
        let with_objects = with_objects.map(|id| Installation::new(id, account, *consent, objects()));
        let former = self.former();
        let without = former.iter().map(|id| Installation::new(id, account, *consent, []));
        with_objects.chain(without).map(|one| one.succeeded_by(now)).collect()
    }

    fn former(&self) -> Vec<String> {
        let former = self.cx.orphans.record.former_ids().into_iter();
        former.filter(|id| is_former(self.cx, id)).collect()
    }

    /// Says once what is still looked after under former cluster ids.
    fn tell_of_former(&mut self) {
        if std::mem::replace(&mut self.is_told_of_former, true) {
            return;
        }
        for cluster_id in self.former() {
            let policies = self.cx.orphans.record.count(&cluster_id);
            tracing::info!(
                cluster_id,
                policies,
                "policies are noted under a former cluster id; they are looked after until none is left"
            );
        }
    }

    /// Takes former cluster ids off the list under which there is no policy any more, neither by the record nor on any role.
    async fn retire_former(&self) {
        let record = &self.cx.orphans.record;
        for id in self.former() {
            let is_suspected = self.suspects.values().any(|one| one.claim.tenant.cluster_id == id)
                || self.scan.ids_elsewhere.contains(&id);
            if is_suspected || record.count(&id) > 0 {
                continue;
            }
            match record.retire(&id).await {
                Ok(()) => tracing::info!(cluster_id = id, "no policy is left under a former cluster id"),
                Err(error) => tracing::warn!(
                    error = chain(&error),
                    "a former cluster id could not be taken off the record"
                ),
            }
        }
    }
}

/// How the operator looks for orphans.
pub struct Orphans {
    /// What was written.
    pub record: super::Record,
    /// All roles of the account, looked at by somebody else.
    pub look: SharedLook,
    /// How often all roles of the account are looked at; never, if `None`.
    pub scan_every: Option<Duration>,
    /// How long IAM may show what was there before a write.
    pub iam_lag: Duration,
}
