//! For which tenant the running task works, and how urgently.

use std::cell::Cell;
use std::sync::Arc;

use super::Urgency;

tokio::task_local! {
    static BEHALF: Behalf;
}

/// Who is served.
struct Behalf {
    tenant: Arc<str>,
    urgency: Cell<Urgency>,
}

/// Does the work on behalf of a tenant.
pub(crate) fn of<F: Future>(tenant: Arc<str>, urgency: Urgency, work: F) -> impl Future<Output = F::Output> {
    BEHALF.scope(Behalf { tenant, urgency: Cell::new(urgency) }, work)
}

/// Whom the running task serves; nobody but the operator itself where nothing else was said.
pub(crate) fn current() -> (Arc<str>, Urgency) {
    let known = BEHALF.try_with(|behalf| (Arc::clone(&behalf.tenant), behalf.urgency.get()));
    known.unwrap_or_else(|_| (Arc::from(""), Urgency::Background))
}

/// What is left of the running task's work is at least as urgent as this.
pub(crate) fn raise(urgency: Urgency) {
    // Where no tenant is served there is nothing to raise.
    let _ = BEHALF.try_with(|behalf| behalf.urgency.set(behalf.urgency.get().min(urgency)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_raised_for_its_rest_and_never_lowered() {
        assert_eq!(current(), (Arc::from(""), Urgency::Background));
        of(Arc::from("team-a"), Urgency::Routine, async {
            raise(Urgency::Withdrawal);
            tokio::task::yield_now().await;
            raise(Urgency::Change);
            assert_eq!(current(), (Arc::from("team-a"), Urgency::Withdrawal));
        })
        .await;
        raise(Urgency::Withdrawal);
        assert_eq!(current(), (Arc::from(""), Urgency::Background));
    }
}
