//! One object, once: `parse → resolve → observe → plan → apply → verify → report`.
//!
//! Each arrow is a value; no step reaches back. Only `ask`, `observe`, `apply` and `verify` talk to AWS, only `report` to
//! Kubernetes; what decides is in the crate `bedrock_iam`.

mod adopt;
mod apply;
mod aside;
mod ask;
mod current;
mod event;
mod failures;
mod memory;
mod observe;
mod outage;
mod remove;
mod report;
mod status;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use bedrock_access_api::annotations;
use bedrock_access_api::parse::{self, Realm};
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::orphan::ObjectName;
use bedrock_iam::{Answers, Claim, Finding, Held, History, Intent, Observed, Plan, Step, plan, resolve};
use kube::runtime::controller::Action;
use kube::runtime::events::Reporter;
use kube::runtime::finalizer::{Event, finalizer};
use kube::{Api, Client, ResourceExt};

use crate::aws::{Bedrock, Iam};
use crate::metrics::Metrics;
use crate::orphans::Orphans;
pub use adopt::Adoption;
use apply::Applied;
pub(crate) use apply::send;
pub use aside::{report_panic, report_unreadable};
pub(crate) use event::publish_about;
pub use failures::Failures;
pub use memory::Memory;
pub(crate) use status::counted;
use verify::Outcome;

/// Keeps an object until our policy is off the role.
pub const FINALIZER: &str = "bedrockaccess.io/policy";

/// What every reconcile works with.
pub struct Context {
    /// Kubernetes, with a time limit on every call.
    pub client: Client,
    /// In whose name Events are published.
    pub reporter: Reporter,
    /// IAM.
    pub iam: Iam,
    /// Bedrock.
    pub bedrock: Bedrock,
    /// Account, cluster id, Regions and consent.
    pub realm: Realm,
    /// How often an object is looked at, whatever longer interval it has of its own: an owner may have withdrawn consent.
    pub interval: Duration,
    /// How long an object whose policy was proven stays Ready while AWS cannot be asked.
    pub stale_after: Duration,
    /// How often each object has failed.
    pub failures: Failures,
    /// What was written to AWS of late.
    pub memory: Memory,
    /// What was written to AWS ever, and how policies are found whose object is gone.
    pub orphans: Orphans,
    /// The cluster id whose policies are moved to this one's, if any.
    pub adoption: Option<Adoption>,
    /// Metrics.
    pub metrics: Metrics,
}

/// Why an object's state could not be brought about or reported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Kubernetes API did not take a write.
    #[error("the Kubernetes API failed")]
    Kubernetes(#[from] kube::Error),
    /// The finalizer could not be set or removed.
    #[error("the finalizer could not be changed")]
    Finalizer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The object changed while it was worked on, or what is known of it is old.
    #[error("the object has changed meanwhile")]
    Outdated,
    /// The object is being deleted, and our policy is still there.
    #[error("{0}")]
    DeletionWaits(String),
}

/// Reconciles an object under its finalizer, so that nothing is written for one that could vanish unnoticed.
pub async fn reconcile(object: Arc<BedrockAccess>, cx: Arc<Context>) -> Result<Action, Error> {
    let api: Api<BedrockAccess> = Api::namespaced(cx.client.clone(), &object.namespace().unwrap_or_default());
    // Only an object that is really gone has nothing left to fail.
    let leaving = object.metadata.deletion_timestamp.as_ref().and(object.uid());
    let result = finalizer(&api, FINALIZER, object, |event| async {
        match event {
            Event::Apply(object) => keep(&object, &cx).await,
            Event::Cleanup(object) => remove::remove(&object, &cx).await,
        }
    });
    let action = result.await.map_err(|error| match error {
        kube::runtime::finalizer::Error::ApplyFailed(error)
        | kube::runtime::finalizer::Error::CleanupFailed(error) => error,
        other => Error::Finalizer(Box::new(other)),
    })?;
    if let Some(uid) = leaving {
        cx.failures.forget(&uid);
    }
    Ok(action)
}

/// Keeps the role's policy in step with the object.
async fn keep(object: &BedrockAccess, cx: &Context) -> Result<Action, Error> {
    if is_asked_for(object) {
        cx.memory.begin_anew(&object.uid().unwrap_or_default());
    }
    let claim = match parse::claim(object, &cx.realm) {
        Ok(claim) => claim,
        Err(finding) => {
            return report::report(object, cx, status::blocked(object, finding), cx.interval).await;
        }
    };
    let (intent, interval) = match parse(object, cx) {
        Ok(parsed) => parsed,
        Err(finding) => {
            let observed = observe::observe(object, cx, &claim).await;
            return refuse(object, cx, &claim, &observed, finding).await;
        }
    };
    if object.spec.suspend {
        return rest(object, cx, &claim, interval).await;
    }

    let (answers, observed) = futures::join!(
        ask::ask(&cx.bedrock, &cx.realm.account, &intent, max_age(object, interval)),
        observe::observe(object, cx, &claim)
    );
    let mut answers = match answers {
        Ok(answers) => answers,
        Err(finding) => return refuse(object, cx, &claim, &observed, finding).await,
    };
    ask::ask_owners(&cx.bedrock, &cx.realm.account, &claim, &observed.policy, &mut answers).await;
    let uid = object.uid().unwrap_or_default();
    let (patience, pause) = cx.memory.patience(object, interval);
    let history = History {
        last_written: status::last_written(object, &claim, &observed.role),
        remembered: cx.memory.written(&uid, &observed.role),
        patience,
        pause,
    };
    let held = Held::read(&observed.policy, &history).or_remembered(|| cx.memory.in_sync(&uid));
    let predecessor = adopt::look(object, cx).await;
    let held = adopt::held(predecessor.as_ref(), &observed.policy, held);
    let resolution = resolve::resolve(&intent, &cx.realm.account, &answers, &held);
    let plan = plan::plan(&intent, &cx.realm.account, &resolution, &observed, &history);
    let plan = cx.memory.restrain(&uid, &claim, plan);

    let outcome = match carry_out(object, cx, &claim, &plan, &observed).await {
        Err(Error::Outdated) => {
            // The object changes while it is worked on. That must not put off what an owner withdrew.
            let plan = withdrawal(cx, &claim, &observed, &answers);
            carry_out(object, cx, &claim, &plan, &observed).await?;
            return Err(Error::Outdated);
        }
        outcome => outcome?,
    };
    adopt::settle(object, cx, predecessor, &observed.role, outcome.findings.is_empty()).await;
    let told = status::kept(object, cx, &intent, &plan, &observed.role, &outcome);
    cx.memory.learn(object, &plan, &outcome, &told.status);
    let next_look = cx.memory.next_look(&uid, interval.min(cx.interval), &outcome.applied);
    report::report(object, cx, told, next_look).await
}

/// Leaves the policy of an object that cannot be worked with alone, unless the role withdrew its consent.
async fn refuse(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    observed: &Observed,
    finding: Finding,
) -> Result<Action, Error> {
    let owners = owners(cx, claim, observed).await;
    let mut plan = withdrawal(cx, claim, observed, &owners);
    plan.findings.push(finding);
    let outcome = carry_out(object, cx, claim, &plan, observed).await?;
    adopt::withdraw(object, cx, &observed.role).await;
    let told = status::refused(object, claim, &plan, &observed.role, &outcome);
    report::report(object, cx, told, cx.interval).await
}

/// Leaves a suspended object's policy alone, unless the role withdrew its consent.
async fn rest(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    interval: Duration,
) -> Result<Action, Error> {
    let observed = observe::observe(object, cx, claim).await;
    let owners = owners(cx, claim, &observed).await;
    let plan = withdrawal(cx, claim, &observed, &owners);
    let outcome = carry_out(object, cx, claim, &plan, &observed).await?;
    adopt::withdraw(object, cx, &observed.role).await;
    let told = status::suspended(object, claim, &plan, &observed.role, &outcome);
    report::report(object, cx, told, interval.min(cx.interval)).await
}

/// By whose consent the role holds what it holds.
async fn owners(cx: &Context, claim: &Claim, observed: &Observed) -> Answers {
    let mut answers = Answers::default();
    ask::ask_owners(&cx.bedrock, &cx.realm.account, claim, &observed.policy, &mut answers).await;
    answers
}

/// What has to go although nothing else is to be done, because the role or a target withdrew consent.
fn withdrawal(cx: &Context, claim: &Claim, observed: &Observed, owners: &Answers) -> Plan {
    let held = Held::read(&observed.policy, &History::default());
    let revoked = resolve::withdrawn(&claim.applicant, &cx.realm.account, owners, &held);
    plan::plan_withdrawal(claim, &cx.realm.account, observed, &revoked)
}

/// Writes what is planned, tells of it at once, and reads it back.
async fn carry_out(
    object: &BedrockAccess,
    cx: &Context,
    claim: &Claim,
    plan: &Plan,
    observed: &Observed,
) -> Result<Outcome, Error> {
    if plan.step.is_some() {
        current::confirm(object, cx, plan).await?;
    }
    // Before the write, so that no crash leaves a policy that only the object knows of. What cuts back was noted before.
    if matches!(plan.step, Some(Step::Put { .. })) && !plan.is_withdrawal {
        let name = ObjectName { namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
        cx.orphans.record.remember(claim, &name).await?;
    }
    let applied = apply::apply(object, cx, claim, plan).await;
    if let Applied::Done(step) = &applied {
        cx.memory.wrote(object, observed, step);
    }
    report::announce(object, cx, &claim.identity, &applied, &observed.policy).await;
    let outcome = verify::verify(object, cx, claim, plan, applied, &observed.policy).await;
    outcome.findings.iter().for_each(|finding| cx.metrics.found(finding.reason));
    Ok(outcome)
}

fn parse(object: &BedrockAccess, cx: &Context) -> Result<(Intent, Duration), Finding> {
    let interval = parse::interval(object)?.unwrap_or(cx.interval);
    let mut intent = parse::intent(object, &cx.realm)?;
    if cx.memory.has_settled(object) {
        intent.accepted_shrink = None;
    }
    Ok((intent, interval))
}

/// No cached answer older than the interval decides anything.
fn max_age(object: &BedrockAccess, interval: Duration) -> Duration {
    if is_asked_for(object) { Duration::ZERO } else { interval }
}

/// Whether a person asks, by a new `reconcile-at`, for a reconcile that believes nothing but what AWS shows now.
fn is_asked_for(object: &BedrockAccess) -> bool {
    let handled = object.status.as_ref().and_then(|status| status.last_handled_reconcile_at.as_ref());
    let asked = object.annotations().get(annotations::RECONCILE_AT);
    asked.is_some() && asked != handled
}
