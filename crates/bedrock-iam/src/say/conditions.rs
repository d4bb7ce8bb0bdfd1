//! From findings to the conditions that people and tools read.
//!
//! `Ready` is the summary. `Reconciling` and `Stalled` exist only while true, as kstatus (Helm, Flux, Argo CD) expects.

use crate::say::finding::Finding;
pub use crate::say::reason::Next;
use crate::say::reason::{ConditionType, Kstatus, Reason};

/// What an object's status is to say, and when to look again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The conditions that hold; any other of ours is to disappear.
    pub conditions: Vec<Condition>,
    /// When to look again.
    pub next: Next,
}

/// One condition; the shell adds generation and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Such as `Ready`.
    pub kind: &'static str,
    /// True, False or Unknown.
    pub status: Status,
    /// In PascalCase.
    pub reason: &'static str,
    /// Stable while nothing changes.
    pub message: String,
}

/// A condition's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Not known.
    Unknown,
}

impl Status {
    /// As Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// The three messages of an object with nothing against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccessMessages {
    /// For `RoleAccepted`.
    pub role: String,
    /// For `ProfilesResolved`.
    pub profiles: String,
    /// For `PolicyInSync`.
    pub policy: String,
}

const ROLE_ACCEPTED: &str = "RoleAccepted";
const PROFILES_RESOLVED: &str = "ProfilesResolved";
const POLICY_IN_SYNC: &str = "PolicyInSync";

const CONDITION_TYPES: [(ConditionType, &str); 3] = [
    (ConditionType::RoleAccepted, ROLE_ACCEPTED),
    (ConditionType::ProfilesResolved, PROFILES_RESOLVED),
    (ConditionType::PolicyInSync, POLICY_IN_SYNC),
];

/// The condition that summarises the others.
pub const READY: &str = "Ready";
/// Exists while the object is on its way.
pub const RECONCILING: &str = "Reconciling";
/// Exists while someone must act before the object can become ready.
pub const STALLED: &str = "Stalled";
/// Exists while `spec.suspend` is true.
pub const SUSPENDED: &str = "Suspended";

/// Every condition that the operator writes.
pub const KINDS: [&str; 7] =
    [ROLE_ACCEPTED, PROFILES_RESOLVED, POLICY_IN_SYNC, READY, RECONCILING, STALLED, SUSPENDED];

/// The reason of `Ready` when it is True.
pub const RECONCILED: &str = "Reconciled";

const MOST_MESSAGES: usize = 4;

/// Sums up the findings; `success` is what to say of each condition against which nothing stands.
pub fn verdict(findings: &[Finding], success: SuccessMessages) -> Verdict {
    let mut conditions = Vec::new();
    let role_accepted = of_type(findings, ConditionType::RoleAccepted).next().is_none();
    if of_type(findings, ConditionType::Ready).next().is_none() {
        conditions.push(condition(
            findings,
            ConditionType::RoleAccepted,
            ROLE_ACCEPTED,
            "RoleFound",
            success.role,
        ));
        conditions.push(condition(
            findings,
            ConditionType::ProfilesResolved,
            "ProfilesResolved",
            "Resolved",
            success.profiles,
        ));
        // Without the role nothing is known of the policy; the one exception would be the policy that consent lost.
        if role_accepted {
            conditions.push(condition(
                findings,
                ConditionType::PolicyInSync,
                "PolicyInSync",
                "InSync",
                success.policy.clone(),
            ));
        }
    }

    conditions.extend(summary(findings, success.policy));
    Verdict { conditions, next: next(findings) }
}

/// Says only what stands against an object, and nothing of what was not looked at.
pub fn refusal(findings: &[Finding]) -> Verdict {
    let decisive = CONDITION_TYPES.into_iter().filter_map(|(of, kind)| Some((kind, decisive(findings, of)?)));
    let mut conditions: Vec<Condition> =
        decisive.map(|(kind, reason)| unmet(kind, reason, message(findings, reason))).collect();
    conditions.extend(summary(findings, String::new()));
    Verdict { conditions, next: next(findings) }
}

/// The condition of an object that is suspended.
pub fn suspended() -> Condition {
    let message =
        "spec.suspend is true: AWS is left as it is until it is false, but withdrawn consent is followed"
            .to_owned();
    Condition { kind: SUSPENDED, status: Status::True, reason: "Suspended", message }
}

/// `Ready` of a suspended object of which no earlier one is known; `held` is how many grants our policy holds, if that could be read.
pub fn unknown_while_suspended(held: Option<usize>) -> Condition {
    let message = match held {
        None => "suspended, and IAM could not be asked whether a policy of the operator stands on the role"
            .to_owned(),
        Some(0) => {
            "suspended before its first reconcile: the operator keeps no policy on the role".to_owned()
        }
        Some(held) => {
            format!("suspended: the policy on the role stays and still grants {held}; nothing is compared")
        }
    };
    Condition { kind: READY, status: Status::Unknown, reason: "Progressing", message }
}

/// A suspended object whose spec has changed since it was last followed: whoever waits for it must not take it for done.
pub fn not_followed_while_suspended() -> Condition {
    let message = "the spec changed while spec.suspend is true: it is followed once that is false".to_owned();
    Condition { kind: RECONCILING, status: Status::True, reason: "Suspended", message }
}

/// A verdict that AWS could not be asked for: the object stays as `ready` says, since nothing speaks against it.
#[must_use]
pub fn through_outage(mut verdict: Verdict, ready: Condition) -> Verdict {
    let is_ready = ready.status == Status::True;
    verdict
        .conditions
        .retain(|condition| condition.kind != READY && !(is_ready && condition.kind == RECONCILING));
    verdict.conditions.push(ready);
    verdict
}

/// `Ready`, and while it is not True whoever has to act.
fn summary(findings: &[Finding], success: String) -> Vec<Condition> {
    let decisive = findings
        .iter()
        .map(|finding| finding.reason)
        .min_by_key(|reason| (reason.kstatus() == Kstatus::Unknown, reason.condition_type(), *reason));
    let Some(reason) = decisive else {
        return vec![Condition { kind: READY, status: Status::True, reason: RECONCILED, message: success }];
    };
    let ready = unmet(READY, reason, message(findings, reason));
    let kind = if reason.kstatus() == Kstatus::Stalled { STALLED } else { RECONCILING };
    let message = ready.message.clone();
    vec![Condition { kind, status: Status::True, reason: reason.as_str(), message }, ready]
}

fn next(findings: &[Finding]) -> Next {
    let is_soon = findings.iter().any(|finding| finding.reason.next() == Next::BackOff);
    if is_soon { Next::BackOff } else { Next::AtInterval }
}

fn of_type(findings: &[Finding], of: ConditionType) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(move |finding| finding.reason.condition_type() == of)
}

fn condition(
    findings: &[Finding],
    of: ConditionType,
    kind: &'static str,
    good: &'static str,
    success: String,
) -> Condition {
    match decisive(findings, of) {
        None => Condition { kind, status: Status::True, reason: good, message: success },
        Some(reason) => unmet(kind, reason, message(findings, reason)),
    }
}

fn decisive(findings: &[Finding], of: ConditionType) -> Option<Reason> {
    let reasons = of_type(findings, of).map(|finding| finding.reason);
    reasons.min_by_key(|reason| (reason.kstatus() == Kstatus::Unknown, *reason))
}

fn unmet(kind: &'static str, reason: Reason, message: String) -> Condition {
    let status = if reason.kstatus() == Kstatus::Unknown { Status::Unknown } else { Status::False };
    Condition { kind, status, reason: reason.as_str(), message }
}

/// What the deciding reason's condition has to say, that reason first; bounded, since a manifest may have a hundred typos.
fn message(findings: &[Finding], decisive: Reason) -> String {
    let mut of_area: Vec<&Finding> = of_type(findings, decisive.condition_type()).collect();
    of_area.sort_by_key(|finding| finding.reason != decisive);
    let mut texts: Vec<&str> = of_area.into_iter().map(|finding| finding.message.as_str()).collect();
    texts.dedup();
    let more = texts.len().saturating_sub(MOST_MESSAGES);
    texts.truncate(MOST_MESSAGES);
    let message = match &texts[..] {
        [only] => (*only).to_owned(),
        several => {
            let numbered = several.iter().enumerate().map(|(index, text)| format!("({}) {text}", index + 1));
            numbered.collect::<Vec<_>>().join(" ")
        }
    };
    if more == 0 { message } else { format!("{message} and {more} more") }
}
