use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;

/// Does the work on each item, on so many at once; ends at the first failure.
pub(crate) async fn on_each<T, F>(
    items: Arc<Vec<T>>,
    at_once: usize,
    work: impl Fn(Arc<Vec<T>>, usize) -> F + Clone + Send + 'static,
) -> Result<(), String>
where
    T: Send + Sync + 'static,
    F: Future<Output = Result<(), String>> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::<Result<(), String>>::new();
    for _ in 0..at_once {
        let (items, next, work) = (Arc::clone(&items), Arc::clone(&next), work.clone());
        workers.spawn(async move {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= items.len() {
                    return Ok(());
                }
                work(Arc::clone(&items), at).await?;
            }
        });
    }
    while let Some(finished) = workers.join_next().await {
        finished.map_err(|error| error.to_string())??;
    }
    Ok(())
}
