//! The values that owners give the tag by which roles and targets consent, and what each means.

use serde_json::{Value, json};

pub(crate) const KEY: &str = "bedrockaccess.io/namespaces";

/// One value of the tag. What it means is written down once more here, since the operators' own reading is what is judged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) value: &'static str,
    lets: &'static [&'static str],
    lets_deny: &'static [&'static str],
    lets_retain: &'static [&'static str],
}

const NOBODY: &[&str] = &[];
const FIRST: &[&str] = &["soak-a"];
const SECOND: &[&str] = &["soak-b"];
const BOTH: &[&str] = &["soak-a", "soak-b"];

/// Everything is allowed, but that a policy outlives its object.
pub(crate) const OPEN: Tag = Tag { value: "deny:@any", lets: BOTH, lets_deny: BOTH, lets_retain: NOBODY };

/// Everything is allowed.
pub(crate) const LASTING: Tag =
    Tag { value: "deny:@any retain:@any", lets: BOTH, lets_deny: BOTH, lets_retain: BOTH };

/// Nothing is.
pub(crate) const CLOSED: Tag = Tag { value: "@none", lets: NOBODY, lets_deny: NOBODY, lets_retain: NOBODY };

/// What lies in between.
const PARTIAL: [Tag; 5] = [
    Tag { value: "@any", lets: BOTH, lets_deny: NOBODY, lets_retain: NOBODY },
    Tag { value: "soak/soak-a deny:soak-a", lets: FIRST, lets_deny: FIRST, lets_retain: NOBODY },
    Tag { value: "retain:soak/soak-b deny:soak-b", lets: SECOND, lets_deny: SECOND, lets_retain: SECOND },
    Tag { value: "soak-b other/soak-a", lets: SECOND, lets_deny: NOBODY, lets_retain: NOBODY },
    Tag { value: "deny:@any retain:@any @none", lets: NOBODY, lets_deny: NOBODY, lets_retain: NOBODY },
];

impl Tag {
    /// Open to all in half of the cases.
    pub(crate) fn draw(rng: &mut fastrand::Rng) -> &'static Self {
        match rng.usize(0..12) {
            0..=3 => &OPEN,
            4..=5 => &LASTING,
            6 => &CLOSED,
            other => &PARTIAL[other - 7],
        }
    }

    pub(crate) fn tags(&self) -> Value {
        json!({KEY: self.value})
    }

    /// Whether objects of the namespace may use what carries the tag.
    pub(crate) fn lets(&self, namespace: &str) -> bool {
        self.lets.contains(&namespace)
    }

    pub(crate) fn lets_deny(&self, namespace: &str) -> bool {
        self.lets_deny.contains(&namespace)
    }

    pub(crate) fn lets_retain(&self, namespace: &str) -> bool {
        self.lets_retain.contains(&namespace)
    }
}
