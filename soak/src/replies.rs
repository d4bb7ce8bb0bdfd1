use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Faults that do what was asked, and let nobody know.
const UNHEARD: [&str; 4] = ["HangAfter", "LostReply", "TruncatedBody", "MalformedBody"];

/// Which writes to roles' policies were done without an answer that could be read.
pub(crate) struct Replies(BTreeMap<String, Vec<bool>>);

impl Replies {
    /// From the calls in their order.
    pub(crate) fn of(calls: &[Value]) -> Self {
        let mut unheard = BTreeMap::<String, Vec<bool>>::new();
        for call in calls {
            let is_write = call["operation"] == "PutRolePolicy" || call["operation"] == "DeleteRolePolicy";
            let outcome = call["outcome"].as_str().unwrap_or_default();
            let is_unheard = UNHEARD.contains(&outcome);
            if let Some(role) =
                call["target"].as_str().filter(|_| is_write && (is_unheard || outcome == "Ok"))
            {
                unheard.entry(role.to_owned()).or_default().push(is_unheard);
            }
        }
        Self(unheard)
    }

    /// The places of such writes in the history of a role; none where calls and history do not match, since a call without an answer
    /// may have changed nothing.
    pub(crate) fn lost(&self, role: &str, writes: usize) -> BTreeSet<usize> {
        let calls = self.0.get(role).filter(|calls| calls.len() == writes);
        let lost = calls.into_iter().flatten().enumerate().filter(|(_, is_unheard)| **is_unheard);
        lost.map(|(place, _)| place).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_write_without_an_answer_is_known_by_its_place() {
        let call = |operation: &str, outcome: &str| json!({"operation": operation, "target": "role", "outcome": outcome});
        let calls = [
            call("GetRole", "LostReply"),
            call("PutRolePolicy", "Ok"),
            call("PutRolePolicy", "Throttle"),
            call("DeleteRolePolicy", "HangAfter"),
        ];
        let replies = Replies::of(&calls);
        assert_eq!(replies.lost("role", 2), [1].into());
        assert!(replies.lost("role", 3).is_empty() && replies.lost("other", 0).is_empty());
    }
}
