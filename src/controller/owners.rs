//! Owners of targets are asked again in time, however seldom anybody looks at the objects that go by their word.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::sleep;

use crate::reconcile::{self, Context, Owned};

/// How exactly in time.
const TICK: Duration = Duration::from_secs(1);

/// Asks for as long as it is polled. Those who answer do not wait for those who do not, and nobody is asked twice at once.
pub(super) async fn run(cx: Arc<Context>) {
    let mut asking = JoinSet::new();
    let mut asked: HashMap<Id, Arc<Owned>> = HashMap::new();
    loop {
        sleep(TICK).await;
        while let Some(ended) = asking.try_join_next_with_id() {
            let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
            asked.remove(&id);
        }
        let under_way: HashSet<Arc<Owned>> = asked.values().cloned().collect();
        for question in cx.owners.due().into_iter().filter(|question| !under_way.contains(&question.owned)) {
            let (cx, owned) = (Arc::clone(&cx), Arc::clone(&question.owned));
            let task = asking.spawn(async move { reconcile::ask_owner_again(&cx, &question).await });
            asked.insert(task.id(), owned);
        }
    }
}
