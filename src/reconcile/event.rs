//! Events: what happened to an object, for whoever describes it.

use crate::telemetry::chain;
use bedrock_access_api::v1alpha1::BedrockAccess;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::runtime::events::EventType;
use kube::{Api, Resource};

use super::Context;

/// An Event's note holds at most 1,024 bytes (events.k8s.io/v1).
const LONGEST_NOTE: usize = 1024;

/// Of an object's name, in the name of an Event, which has 253 characters in all.
const LONGEST_NAME: usize = 220;

/// An Event is a courtesy: one that is lost must not undo or delay the work it tells of. The log has it too, since an Event lives
/// an hour, in a namespace that may be going.
pub(super) async fn publish(
    object: &BedrockAccess,
    cx: &Context,
    type_: EventType,
    reason: &str,
    action: &str,
    note: &str,
) {
    publish_about(object.object_ref(&()), cx, type_, reason, action, note).await;
}

/// The same about an object that may be gone: the Event goes into its namespace, where that still exists.
pub(crate) async fn publish_about(
    regarding: ObjectReference,
    cx: &Context,
    type_: EventType,
    reason: &str,
    action: &str,
    note: &str,
) {
    match type_ {
        EventType::Warning => tracing::warn!(reason, note, "told by an Event"),
        EventType::Normal => tracing::info!(reason, note, "told by an Event"),
    }
    let now = Timestamp::now();
    let namespace = regarding.namespace.clone().unwrap_or_default();
    let controller = &cx.reporter.controller;
    let event = Event {
        metadata: ObjectMeta {
            namespace: Some(namespace.clone()),
            name: Some(name(regarding.name.as_deref().unwrap_or_default(), now)),
            ..ObjectMeta::default()
        },
        action: Some(action.to_owned()),
        event_time: Some(MicroTime(now)),
        note: Some(shortened(note)),
        reason: Some(reason.to_owned()),
        regarding: Some(regarding),
        reporting_controller: Some(controller.clone()),
        reporting_instance: Some(cx.reporter.instance.clone().unwrap_or_else(|| controller.clone())),
        type_: Some(
            match type_ {
                EventType::Normal => "Normal",
                EventType::Warning => "Warning",
            }
            .to_owned(),
        ),
        ..Event::default()
    };
    // Not through a recorder: it makes names that are too long of long ones, and drops the note of what it takes for a repetition.
    let api: Api<Event> = Api::namespaced(cx.client.clone(), &namespace);
    if let Err(error) = api.create(&PostParams::default(), &event).await {
        tracing::warn!(error = chain(&error), reason, "an Event could not be published");
    }
}

fn name(object: &str, now: Timestamp) -> String {
    let short: String = object.chars().take(LONGEST_NAME).collect();
    // What was cut may end with a dot, which no name may have two of.
    format!("{}.{:x}", short.trim_end_matches(['.', '-']), now.as_nanosecond())
}

fn shortened(note: &str) -> String {
    let mut note = note.to_owned();
    if note.len() > LONGEST_NOTE {
        note.truncate(note.floor_char_boundary(LONGEST_NOTE - '…'.len_utf8()));
        note.push('…');
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_cut_at_a_character_boundary() {
        let note = shortened(&"é".repeat(1000));
        assert!(note.len() <= LONGEST_NOTE && note.ends_with('…'));
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn an_event_of_the_longest_object_name_has_a_valid_name_too() {
        for object in ["x".repeat(253), format!("{}.{}", "x".repeat(219), "y".repeat(33))] {
            let name = name(&object, Timestamp::now());
            assert!(name.len() <= 253 && !name.contains(".."), "{name}");
        }
    }
}
