//! What is done to an object here, and what must not come of it.

use bedrock_iam::PolicyIdentity;
use serde_json::{Value, json};

use crate::world::World;

pub(crate) const RECONCILE_AT: &str = "bedrockaccess.io/reconcile-at";

/// The name of the policy of the object in [`crate::world::manifest`].
pub(crate) fn policy_name() -> String {
    PolicyIdentity::derive("cluster", "team-a", "assistant").policy_name().to_owned()
}

impl World {
    /// Our policy on the role, byte for byte.
    pub(crate) fn text(&self) -> Option<String> {
        self.sandbox.role_policy("assistant", &policy_name())
    }

    /// Another spec, as a user applies it.
    pub(crate) fn apply(&self, spec: &Value) {
        self.kubernetes.edit(|object| {
            object["spec"] = spec.clone();
            let generation = object["metadata"]["generation"].as_i64().unwrap();
            object["metadata"]["generation"] = json!(generation + 1);
        });
    }

    /// The next reconcile believes no cached answer.
    pub(crate) fn ask_again(&self) {
        self.kubernetes.edit(|object| {
            let annotations = &mut object["metadata"]["annotations"];
            let before = annotations[RECONCILE_AT].as_str().unwrap_or_default().len();
            annotations[RECONCILE_AT] = json!("x".repeat(before + 1));
        });
    }

    pub(crate) fn reason(&self) -> String {
        self.condition("Ready").unwrap().1
    }

    /// Reconciles twice: AWS is not written to, and the second time neither is Kubernetes.
    pub(crate) async fn rests(&self, what: &str) {
        let before = self.sandbox.policy_states("assistant").len();
        self.take_calls();
        self.reconcile().await.unwrap();
        self.kubernetes.take_writes();
        self.reconcile().await.unwrap();
        assert_eq!(self.kubernetes.take_writes(), [], "Kubernetes is written to again: {what}");
        assert_eq!(self.sandbox.policy_states("assistant").len(), before, "AWS is written to: {what}");
        let calls = self.take_calls();
        let writes =
            calls.iter().filter(|call| ["PutRolePolicy", "DeleteRolePolicy"].contains(&call.as_str()));
        assert_eq!(writes.count(), 0, "a write is sent to AWS: {what}");
    }

    /// The object is refused, for this reason and naming this place; AWS stays as it is.
    pub(crate) async fn refuses(&self, reason: &str, place: &str, what: &str) {
        self.rests(what).await;
        assert_eq!(self.condition("Ready"), Some(("False".to_owned(), reason.to_owned())), "{what}");
        let message = self.message("Ready");
        assert!(message.contains(place), "{place} is not named of {what}: {message}");
        assert!(!message.chars().any(char::is_control), "unprintable: {message:?}");
    }
}
