//! Watches: a line for each change after a version, and now and then a bookmark.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::stream;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::patch::{refusal, status};
use super::selection::Selection;
use super::{Cluster, State, Told};

const BOOKMARKS: Duration = Duration::from_mins(1);

/// Where a watch stands.
struct Cursor {
    cluster: Cluster,
    selection: Selection,
    changed: tokio::sync::watch::Receiver<u64>,
    next: usize,
    begun: usize,
    cuts: u64,
    bookmark: Option<Instant>,
    end: Instant,
}

/// The stream of changes after `version`, until `timeout` has passed or the watches are cut.
pub(super) fn watch(
    cluster: &Cluster,
    selection: Selection,
    version: u64,
    timeout: Duration,
    bookmarks: Option<()>,
) -> Body {
    let state = cluster.state();
    if version < state.compacted {
        let gone = status(&refusal(410, "Expired", "too old resource version"));
        return Body::from(line(&json!({"type": "ERROR", "object": gone})));
    }
    let later = state.told.iter().position(|told| told.version > version);
    let cursor = Cursor {
        cluster: cluster.clone(),
        selection,
        changed: cluster.0.changed.subscribe(),
        next: later.unwrap_or(state.told.len()),
        begun: state.told.len(),
        cuts: state.cuts,
        bookmark: bookmarks.map(|()| Instant::now() + BOOKMARKS),
        end: Instant::now() + timeout,
    };
    drop(state);
    Body::from_stream(stream::unfold(cursor, next))
}

async fn next(mut cursor: Cursor) -> Option<(Result<Bytes, std::io::Error>, Cursor)> {
    loop {
        let told = {
            let state = cursor.cluster.state();
            if state.cuts > cursor.cuts {
                return None;
            }
            let of_another_time =
                |(number, told): &(usize, &Told)| told.is_repetition && *number < cursor.begun;
            let mut lines = state.told.iter().enumerate().skip(cursor.next).skip_while(of_another_time);
            let line = |(number, told): (usize, &Told)| {
                Some((number, cursor.selection.line(&told.event, told.before.as_ref())?))
            };
            lines.find_map(line)
        };
        if let Some((number, event)) = told {
            cursor.next = number + 1;
            return Some((Ok(line(&event)), cursor));
        }
        let bookmark = cursor.bookmark.unwrap_or(cursor.end + BOOKMARKS);
        tokio::select! {
            changed = cursor.changed.changed() => changed.unwrap(),
            () = sleep_until(cursor.end) => return None,
            () = sleep_until(bookmark) => {
                cursor.bookmark = Some(Instant::now() + BOOKMARKS);
                let event = bookmark_of(&cursor.cluster.state());
                return Some((Ok(line(&event)), cursor));
            }
        }
    }
}

fn bookmark_of(state: &State) -> Value {
    let object = json!({
        "apiVersion": "bedrockaccess.io/v1alpha1", "kind": "BedrockAccess",
        "metadata": {"resourceVersion": state.version.to_string(), "creationTimestamp": null},
    });
    json!({"type": "BOOKMARK", "object": object})
}

fn line(event: &Value) -> Bytes {
    Bytes::from(format!("{event}\n"))
}
