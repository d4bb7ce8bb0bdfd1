//! The two patches that the operator sends: server-side apply of the status, JSON patch of the finalizers.

use http::StatusCode;
use serde_json::{Value, json};

use super::State;

/// An error as the API server answers it.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

pub(super) fn refusal(status: u16, reason: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status: StatusCode::from_u16(status).unwrap(), reason, message: message.into() }
}

/// The applied status replaces what the only field manager owned; conditions keep the order of their first appearance.
pub(super) fn apply_status(state: &mut State, key: &super::Key, patch: &Value) -> Result<Value, Refusal> {
    let old = found(state, key)?;
    let uid = &patch["metadata"]["uid"];
    if !uid.is_null() && *uid != old["metadata"]["uid"] {
        return Err(refusal(409, "Conflict", format!("the UID in the precondition is {uid}")));
    }
    if let Some(version) = patch["metadata"]["resourceVersion"].as_str()
        && old["metadata"]["resourceVersion"] != version
    {
        return Err(refusal(409, "Conflict", "the object has been modified"));
    }
    let mut new = old.clone();
    new["status"] = patch["status"].clone();
    let place = |condition: &Value| {
        let kinds = old["status"]["conditions"].as_array().into_iter().flatten();
        kinds.map(|old| &old["type"]).position(|kind| *kind == condition["type"]).unwrap_or(usize::MAX)
    };
    if let Some(conditions) = new["status"]["conditions"].as_array_mut() {
        conditions.sort_by_key(place);
    }
    Ok(state.replace(&old, new))
}

/// JSON patch (RFC 6902) of what stands under `/metadata/finalizers`; a missing field equals null, as in the API server.
pub(super) fn patch_finalizers(state: &mut State, key: &super::Key, patch: &Value) -> Result<Value, Refusal> {
    let old = found(state, key)?;
    let mut new = old.clone();
    for step in patch.as_array().unwrap() {
        let place = step["path"].as_str().unwrap();
        assert!(place.starts_with("/metadata/finalizers"), "an unexpected patch: {step}");
        let value = step["value"].clone();
        match step["op"].as_str().unwrap() {
            "test" if *new.pointer(place).unwrap_or(&Value::Null) != value => {
                return Err(refusal(422, "Invalid", format!("testing {place} failed")));
            }
            "test" => {}
            "add" => match place.strip_suffix("/-") {
                Some(list) => new.pointer_mut(list).unwrap().as_array_mut().unwrap().push(value),
                None => new["metadata"]["finalizers"] = value,
            },
            "remove" => {
                let index: usize = place.rsplit('/').next().unwrap().parse().unwrap();
                new["metadata"]["finalizers"].as_array_mut().unwrap().remove(index);
            }
            other => panic!("an unexpected operation: {other}"),
        }
    }
    let count = |object: &Value| object["metadata"]["finalizers"].as_array().map_or(0, Vec::len);
    if old["metadata"]["deletionTimestamp"].is_string() && count(&new) > count(&old) {
        return Err(refusal(422, "Invalid", "no new finalizers can be added if the object is being deleted"));
    }
    Ok(state.replace(&old, new))
}

pub(super) fn found(state: &State, key: &super::Key) -> Result<Value, Refusal> {
    let missing = || refusal(404, "NotFound", format!("bedrockaccesses \"{}\" not found", key.1));
    state.objects.get(key).cloned().ok_or_else(missing)
}

/// The body of an error.
pub(super) fn status(refusal: &Refusal) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": refusal.message, "reason": refusal.reason, "code": refusal.status.as_u16(),
    })
}
