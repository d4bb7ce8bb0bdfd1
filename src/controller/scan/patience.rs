//! How long a scan waits for what Bedrock answers to objects that it does not know at rest: a quarter of the interval, of which each
//! namespace has its share. An object for which no time is left is looked at by itself, and its answers are there at the next scan.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

/// What is left of it.
#[derive(Default)]
pub(super) struct Patience {
    share: Duration,
    spent: HashMap<Arc<str>, Duration>,
}

impl Patience {
    /// For one scan, of objects in so many namespaces.
    pub(super) fn of(interval: Duration, namespaces: usize) -> Self {
        let namespaces = u32::try_from(namespaces.max(1)).unwrap_or(u32::MAX);
        Self { share: interval / 4 / namespaces, spent: HashMap::new() }
    }

    /// Does what is to be done for a namespace, if it is done in time.
    pub(super) async fn wait<F: Future>(&mut self, namespace: &Arc<str>, work: F) -> Option<F::Output> {
        let spent = self.spent.entry(Arc::clone(namespace)).or_default();
        let begun = Instant::now();
        let done = timeout(self.share.saturating_sub(*spent), work).await;
        *spent += begun.elapsed();
        done.ok()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_is_waited_for_too_long_takes_the_time_of_its_own_namespace() {
        let mut patience = Patience::of(Duration::from_mins(10), 2);
        let (slow, calm): (Arc<str>, Arc<str>) = (Arc::from("slow"), Arc::from("calm"));
        let begun = Instant::now();
        for _ in 0..100 {
            let _ = patience.wait(&slow, sleep(Duration::from_secs(20))).await;
        }
        assert_eq!(begun.elapsed().as_secs(), 75);
        assert_eq!(patience.wait(&slow, sleep(Duration::from_secs(1))).await, None);
        assert_eq!(patience.wait(&calm, sleep(Duration::from_secs(1))).await, Some(()));
        // What is known already takes no time.
        assert_eq!(patience.wait(&slow, async { 1 }).await, Some(1));
    }
}
