//! One look at an object that can neither hang nor take the others down.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;

use crate::health::Health;
use crate::metrics::{Ending, ErrorClass};
use crate::orphans::Guarded;
use crate::reconcile::{self, Context, NextLook, Uid};
use crate::telemetry::chain;

/// A reconcile that takes longer is given up; every step is safe to repeat.
const DEADLINE: Duration = Duration::from_mins(2);

/// Failures of our own are looked at again at the latest after this.
const LONGEST_DELAY: Duration = Duration::from_mins(5);

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Reconcile(#[from] reconcile::Error),
    #[error("the reconcile took longer than {} minutes", DEADLINE.as_secs() / 60)]
    Deadline,
    #[error("the code panicked")]
    Panic,
}

impl Error {
    /// How it is counted; a failed call to AWS was counted when it failed.
    fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Reconcile(reconcile::Error::DeletionWaits(_) | reconcile::Error::Outdated) => None,
            Self::Reconcile(_) => Some(ErrorClass::Kubernetes),
            Self::Deadline => Some(ErrorClass::Deadline),
            Self::Panic => Some(ErrorClass::Panic),
        }
    }
}

/// Reconciles an object once; when to look again, also where that failed.
pub(super) async fn look(object: &Guarded, cx: &Arc<Context>, health: &Arc<Health>) -> NextLook {
    let error = match isolated(object, cx, health).await {
        Ok(next) => return next,
        Err(error) => error,
    };
    let named = ObjectRef::from_obj(object);
    tracing::warn!(object = %named, error = %chain(&error), "reconcile failed");
    if let Some(class) = error.class() {
        cx.metrics.failed(class);
    }
    cx.metrics.reconciled(Ending::Failed);
    NextLook::After(cx.failures.delay(Uid::of(object), LONGEST_DELAY))
}

async fn isolated(object: &Guarded, cx: &Arc<Context>, health: &Arc<Health>) -> Result<NextLook, Error> {
    let started = Instant::now();
    let _running = health.reconciling();
    let work = AssertUnwindSafe(guarded(object, cx)).catch_unwind();
    let result = match tokio::time::timeout(DEADLINE, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            set_aside(object, cx).await;
            Err(Error::Panic)
        }
        Err(_) => Err(Error::Deadline),
    };
    cx.metrics.took(started.elapsed());
    result
}

async fn guarded(object: &Guarded, cx: &Arc<Context>) -> Result<NextLook, Error> {
    match &object.0 {
        Ok(object) => Ok(reconcile::reconcile(Arc::new(object.clone()), Arc::clone(cx)).await?),
        Err(invalid) => {
            reconcile::report_unreadable(&invalid.metadata, &invalid.error, cx).await?;
            Ok(NextLook::OnChange)
        }
    }
}

/// Tells of a panic on the object, unless that fails too.
async fn set_aside(object: &Guarded, cx: &Context) {
    let Ok(object) = &object.0 else { return };
    let report = AssertUnwindSafe(reconcile::report_panic(object, cx)).catch_unwind();
    match tokio::time::timeout(DEADLINE, report).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::warn!(error = %chain(&error), "a panic could not be reported"),
        Ok(Err(_)) | Err(_) => tracing::warn!("a panic could not be reported"),
    }
}
