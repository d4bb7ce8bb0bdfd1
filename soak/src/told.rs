use serde_json::Value;

/// What an object says of itself.
pub(crate) struct Told<'a>(pub(crate) &'a Value);

impl Told<'_> {
    /// Why the status is not about what is asked for now, if it is not.
    pub(crate) fn staleness(&self) -> Option<String> {
        let Self(object) = self;
        if !object["metadata"]["deletionTimestamp"].is_null() {
            return Some(format!("it is still being deleted; {}", self.ready()));
        }
        let (generation, seen) = (&object["metadata"]["generation"], &object["status"]["observedGeneration"]);
        let asked = &object["metadata"]["annotations"]["bedrockaccess.io/reconcile-at"];
        // An annotation that was taken off asks for nothing, and what the status says of the last one stays.
        let is_handled = asked.is_null() || object["status"]["lastHandledReconcileAt"] == *asked;
        let is_new = seen == generation && is_handled;
        (!is_new).then(|| {
            format!("its status is about generation {seen} instead of {generation}; {}", self.ready())
        })
    }

    pub(crate) fn ready(&self) -> String {
        format!("Ready is {}", self.condition("Ready").unwrap_or_default())
    }

    /// Whether a condition about the present generation begins like this, such as `False RoleNotFound`.
    pub(crate) fn says(&self, kind: &str, wanted: &str) -> bool {
        self.condition(kind).is_some_and(|says| says.starts_with(wanted))
    }

    /// Status, reason and message, with a remark where they are about an earlier generation.
    fn condition(&self, kind: &str) -> Option<String> {
        let Self(object) = self;
        let conditions = object["status"]["conditions"].as_array()?;
        let found = conditions.iter().find(|condition| condition["type"] == kind)?;
        let is_new = found["observedGeneration"] == object["metadata"]["generation"];
        let text = |field: &str| found[field].as_str().unwrap_or_default();
        let remark = if is_new { "" } else { "(old) " };
        Some(format!("{remark}{} {}: {}", text("status"), text("reason"), text("message")))
    }
}
