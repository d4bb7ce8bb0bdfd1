//! One object, once: `parse → ask ∥ observe → decide → apply → verify → report`.
//!
//! Each arrow is a value; no step reaches back. `ask`, `observe`, `apply` and `verify` talk to AWS; `report`, the finalizer, Events and what
//! stands around a write (`still_current`, the record, `adopt`) talk to Kubernetes. Each step is read back before the next is taken.
//! What is to be done is decided in the crate `bedrock_iam`. A suspended object, and one that cannot be followed, go the same way with
//! another wish; one that is being deleted has a way of its own (`deletion`), in which nothing is read back.

mod adopt;
mod apply;
mod ask;
mod at_rest;
mod context;
mod deletion;
mod event;
mod failures;
mod hold;
mod manifest;
mod memory;
mod next_look;
mod observe;
mod outage;
mod owners;
mod report;
mod status;
mod still_current;
mod uid;
mod unreadable;
mod verify;

use std::sync::Arc;

use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::decide::{Cause, Outcome, Pace, Remembered};
use bedrock_iam::orphan::ObjectName;
use bedrock_iam::{Answers, Claim, Decision, decide};
use jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::runtime::finalizer::{Event, finalizer};
use kube::{Api, ResourceExt};
use tokio::time::Instant;

use crate::fairness::{Urgency, behalf};
pub use adopt::Adoption;
pub(crate) use apply::send;
pub(crate) use ask::{Asker, ask_owner_again};
pub(crate) use at_rest::{ask_again, at_rest, waits_for_its_role};
pub use context::{Context, Error};
pub(crate) use event::publish_about;
pub use failures::Failures;
use hold::Held;
pub(crate) use hold::is_held;
use manifest::{Manifest, as_is};
pub use memory::Memory;
pub use next_look::NextLook;
pub(crate) use owners::Owned;
pub use owners::Owners;
pub(crate) use status::counted;
pub use uid::Uid;
pub use unreadable::{report_panic, report_unreadable};

/// Keeps an object until our policy is off the role.
pub const FINALIZER: &str = "bedrockaccess.io/policy";

/// Reconciles an object under its finalizer, so that nothing is written for one that could vanish unnoticed.
pub async fn reconcile(object: Arc<BedrockAccess>, cx: Arc<Context>) -> Result<NextLook, Error> {
    if object.metadata.deletion_timestamp.is_some() {
        leave(object, &cx).await
    } else {
        keep(object, &cx).await
    }
}

/// Takes the finalizer off once the role holds nothing of ours.
async fn leave(object: Arc<BedrockAccess>, cx: &Context) -> Result<NextLook, Error> {
    let api: Api<BedrockAccess> = Api::namespaced(cx.client.clone(), &object.namespace().unwrap_or_default());
    let uid = Uid::of(&*object);
    let mut next = NextLook::OnChange;
    let result = finalizer(&api, FINALIZER, object, |event| async {
        // There is no other event about an object that is being deleted.
        if let Event::Cleanup(object) = event {
            next = deletion::remove(&object, cx).await?;
        }
        Ok(Action::await_change())
    });
    result.await.map_err(|error| match error {
        kube::runtime::finalizer::Error::ApplyFailed(error)
        | kube::runtime::finalizer::Error::CleanupFailed(error) => error,
        other => Error::Finalizer(Box::new(other)),
    })?;
    // Only an object that is really gone has nothing left to fail.
    cx.failures.forget(uid);
    Ok(next)
}

/// Keeps the role's policy in step with the object.
async fn keep(object: Arc<BedrockAccess>, cx: &Context) -> Result<NextLook, Error> {
    let Manifest { claim, wish, pace, ages } = match manifest::read(&object, cx) {
        Ok(manifest) => manifest, // decides
        Err(finding) => {
            let held = hold::hold(Arc::clone(&object), cx).await?.object; // tells Kubernetes
            if !still_current::wants_the_same(&object, &held) {
                return Box::pin(keep(held, cx)).await;
            }
            let told = status::blocked(&held, finding, Timestamp::now());
            return report::report(&held, cx, told, cx.interval).await; // tells Kubernetes
        }
    };
    let bedrock = Asker::of(cx, &claim, Uid::of(&*object), ages);
    let (held, asked, observed) = futures::join!(
        hold::hold(Arc::clone(&object), cx),       // tells Kubernetes
        bedrock.ask(&wish),                        // asks AWS
        observe::observe_for(&object, cx, &claim)  // asks AWS
    );
    let Held { object: held, read_at } = held?;
    if !still_current::wants_the_same(&object, &held) {
        // What was asked meanwhile is about an older manifest.
        return Box::pin(keep(held, cx)).await;
    }
    let object = held;
    // What Bedrock does not answer stands among the answers; an error is a manifest that asks for more than any policy holds.
    let (wish, mut answers) = match asked {
        Ok(answers) => (wish, answers),
        Err(finding) => (as_is(&claim, Some(finding)), Answers::default()),
    };
    let remembered = manifest::recall(&object, cx, &claim, &pace);
    let believed = remembered.believed(&observed, &claim); // decides
    for claim in claim.with_former() {
        bedrock.ask_owners(claim, believed.policy(&claim.policy()), &mut answers).await; // asks AWS
    }
    manifest::rely(&object, cx, &claim, &pace, &answers);
    let decision = decide(&wish, &answers, &observed, &remembered, &pace); // decides
    // Writes to AWS, and asks it what came of that.
    let outcome = match carry_out((&object, read_at), cx, &claim, &decision, &pace).await {
        Err(error) => {
            // Nothing was written: the object changes while it is worked on, or the record does not take it. That must not put off
            // what an owner withdrew.
            let decision = decide(&as_is(&claim, None), &answers, &observed, &remembered, &pace);
            carry_out((&object, read_at), cx, &claim, &decision, &pace).await?;
            return Err(error);
        }
        outcome => outcome?,
    };
    adopt::settle(&object, cx, &claim, &observed, &outcome).await; // tells Kubernetes
    let told = status::of(&object, cx, &wish, &decision, &outcome, Timestamp::now()); // decides
    let accepted = told.accepted_shrink(&object);
    cx.memory.update(&object, &pace, |remembered| {
        remembered.told(&decision.plan, &outcome, &decision.believed.role, accepted);
    });
    report::report(&object, cx, told, Remembered::next_look(decision.doubt, &outcome, &pace)).await // tells Kubernetes
}

/// Writes what is planned, tells of it at once, and reads it back.
async fn carry_out(
    (object, read_at): (&BedrockAccess, Option<Instant>),
    cx: &Context,
    claim: &Claim,
    decision: &Decision,
    pace: &Pace,
) -> Result<Outcome, Error> {
    cx.memory.store(object, decision.remembered.clone());
    let plan = &decision.plan;
    if plan.is_withdrawal {
        behalf::raise(Urgency::Withdrawal);
    }
    if !plan.steps().is_empty() && !still_current::is_fresh(cx, read_at) {
        still_current::confirm(object, cx, plan).await?; // asks Kubernetes
    }
    // Before the write, so that no crash leaves a policy that only the object knows of. What only takes was noted before.
    let is_new = |cause: Option<Cause>| cause.is_some_and(|cause| cause != Cause::Withdrawn);
    if plan.steps().iter().any(|step| is_new(step.cause())) {
        let name = ObjectName { namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
        cx.orphans.record.remember(claim, &name).await?; // tells Kubernetes
    }
    let mut outcome = Outcome::before(decision);
    for step in plan.steps() {
        let applied = apply::apply(object, cx, claim, decision, step, pace).await; // writes to AWS
        let flow = match applied {
            Ok(step) => {
                let found = decision.believed.policy(&step.policy);
                let ((), (policy, finding)) = futures::join!(
                    report::publish_write(object, cx, claim, &step, found), // tells Kubernetes
                    verify::verify(object, cx, claim, &step, pace)          // asks AWS
                );
                outcome.took(step, policy, finding)
            }
            Err(failed) => outcome.failed(failed),
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(outcome)
}
