//! Owners of targets are asked again in time, however seldom anybody looks at the objects that go by their word.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::reconcile::{self, Context};

/// How exactly in time.
const TICK: Duration = Duration::from_secs(1);

/// Asks for as long as it is polled.
pub(super) async fn run(cx: Arc<Context>) {
    // Those who answer do not wait for those who do not.
    let mut asking = JoinSet::new();
    loop {
        sleep(TICK).await;
        while asking.try_join_next().is_some() {}
        let due = cx.owners.due();
        if !due.is_empty() {
            let cx = Arc::clone(&cx);
            asking.spawn(async move {
                join_all(due.into_iter().map(|question| reconcile::ask_owner_again(&cx, question))).await;
            });
        }
    }
}
