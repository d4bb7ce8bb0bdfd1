//! Owners of targets are asked again in time, however seldom anybody looks at the objects that go by their word.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use crate::reconcile::{self, Context, Owned};

/// How exactly in time.
const TICK: Duration = Duration::from_secs(1);

/// Asks for as long as it is polled. Those who answer do not wait for those who do not, and nobody is asked twice at once.
pub(super) async fn run(cx: Arc<Context>) {
    let mut asking = JoinSet::new();
    let mut asked: HashMap<Arc<Owned>, AbortHandle> = HashMap::new();
    loop {
        sleep(TICK).await;
        while asking.try_join_next().is_some() {}
        asked.retain(|_, task| !task.is_finished());
        for question in cx.owners.due() {
            if asked.contains_key(&question.owned) {
                continue;
            }
            let (cx, owned) = (Arc::clone(&cx), Arc::clone(&question.owned));
            let task = asking.spawn(async move { reconcile::ask_owner_again(&cx, &question).await });
            asked.insert(owned, task);
        }
    }
}
