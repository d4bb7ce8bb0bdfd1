//! From findings to conditions.

use bedrock_iam::conditions::{Condition, Next, Status, SuccessMessages, Verdict, refusal, verdict};
use bedrock_iam::{Finding, Reason};

fn judged(reasons: &[Reason]) -> Verdict {
    let findings: Vec<Finding> =
        reasons.iter().map(|reason| Finding::new(*reason, reason.as_str())).collect();
    let praise = |text: &str| text.to_owned();
    verdict(
        &findings,
        SuccessMessages { role: praise("role"), profiles: praise("profiles"), policy: praise("policy") },
    )
}

fn condition<'a>(verdict: &'a Verdict, kind: &str) -> Option<&'a Condition> {
    verdict.conditions.iter().find(|condition| condition.kind == kind)
}

fn shown(verdict: &Verdict, kind: &str) -> Option<(Status, &'static str)> {
    condition(verdict, kind).map(|condition| (condition.status, condition.reason))
}

#[test]
fn nothing_against_it_is_ready_and_nothing_else() {
    let verdict = judged(&[]);
    assert_eq!(shown(&verdict, "Ready"), Some((Status::True, "Reconciled")));
    assert_eq!(shown(&verdict, "RoleAccepted"), Some((Status::True, "RoleFound")));
    assert_eq!(shown(&verdict, "ProfilesResolved"), Some((Status::True, "Resolved")));
    assert_eq!(shown(&verdict, "PolicyInSync"), Some((Status::True, "InSync")));
    assert_eq!((condition(&verdict, "Stalled"), condition(&verdict, "Reconciling")), (None, None));
    assert_eq!(verdict.next, Next::AtInterval);
}

#[test]
fn every_reason_is_never_ready_and_is_either_stalled_or_reconciling() {
    for reason in Reason::ALL {
        let verdict = judged(&[*reason]);
        let (ready, shown) = shown(&verdict, "Ready").unwrap();
        assert_eq!(shown, reason.as_str());
        assert_ne!(ready, Status::True, "{reason:?}");
        let is_stalled = condition(&verdict, "Stalled").is_some();
        assert_ne!(is_stalled, condition(&verdict, "Reconciling").is_some(), "{reason:?}");
        assert!(!(is_stalled && ready == Status::Unknown), "{reason:?}: nobody can act on what is not known");
    }
}

#[test]
fn ready_prefers_what_is_known_to_be_wrong_over_what_is_unknown() {
    let verdict = judged(&[Reason::RoleIamUnavailable, Reason::ProfileNotFound]);
    assert_eq!(shown(&verdict, "Ready"), Some((Status::False, "ProfileNotFound")));
    let verdict = judged(&[Reason::ProfileNotFound, Reason::RoleNotFound]);
    assert_eq!(shown(&verdict, "Ready"), Some((Status::False, "RoleNotFound")));
}

#[test]
fn without_a_role_nothing_is_said_of_the_policy() {
    assert_eq!(condition(&judged(&[Reason::RoleNotFound]), "PolicyInSync"), None);
}

#[test]
fn a_refusal_says_nothing_of_what_was_not_looked_at() {
    let kinds = |reason| {
        let verdict = refusal(&[Finding::new(reason, "m")]);
        verdict.conditions.iter().map(|condition| condition.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(Reason::InvalidSpec), ["Stalled", "Ready"]);
    assert_eq!(kinds(Reason::PolicyTooLarge), ["PolicyInSync", "Stalled", "Ready"]);
    assert_eq!(kinds(Reason::ConsentMissing), ["RoleAccepted", "Reconciling", "Ready"]);
}

#[test]
fn what_may_come_right_by_itself_is_looked_at_soon() {
    for reason in
        [Reason::RoleNotFound, Reason::ConsentMissing, Reason::BedrockUnavailable, Reason::Progressing]
    {
        assert_eq!(judged(&[reason]).next, Next::BackOff, "{reason:?}");
    }
    for reason in [Reason::InvalidSpec, Reason::ProfileNotFound, Reason::DriftDetected] {
        assert_eq!(judged(&[reason]).next, Next::AtInterval, "{reason:?}");
    }
}

#[test]
fn a_hundred_typos_make_a_bounded_message() {
    let findings: Vec<Finding> =
        (0..100).map(|n| Finding::new(Reason::ProfileNotFound, format!("typo {n}"))).collect();
    let nothing = SuccessMessages { role: String::new(), profiles: String::new(), policy: String::new() };
    let verdict = verdict(&findings, nothing);
    let message = &condition(&verdict, "Ready").unwrap().message;
    assert!(message.starts_with("(1) typo 0 (2) typo 1") && message.ends_with("and 96 more"), "{message}");
}
