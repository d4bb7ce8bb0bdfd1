//! A guardrail of the account consents by its own tag; withholding it lets nothing through unguarded.

#![allow(clippy::unwrap_used, clippy::panic, clippy::unnecessary_wraps, reason = "a fixture may fail loudly")]

use bedrock_iam::Tags;
use bedrock_iam::authorisation::is_allowed;
use bedrock_iam::consent::TAG;
use bedrock_iam::evaluate::{Decision, Request, evaluate};
use bedrock_iam::*;
use testing::world::*;

const SOURCE: &str = "us-east-1";
const OURS: &str = "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1";
const THEIRS: &str = "arn:aws:bedrock:us-east-1:999999999999:guardrail/gr1";

fn guarded(arn: &str) -> Intent {
    let guardrails = [Guardrail { arn: arn.parse().unwrap(), version: Some(2) }].into();
    Intent { terms: Terms { guardrails, ..Terms::default() }, ..intent([profile(US, SOURCE)]) }
}

fn tagged(namespaces: &str) -> Result<Tags, Fault> {
    Ok([(TAG.to_owned(), namespaces.to_owned())].into())
}

fn fault(class: Class) -> Result<Tags, Fault> {
    Err(Fault { class, message: "no answer".to_owned() })
}

fn answered(tags: Option<Result<Tags, Fault>>) -> Answers {
    let answers = answers([(profile(US, SOURCE), routes(US, SOURCE, &["us-east-1", "us-east-2"]))]);
    let guardrails = tags.map(|tags| (OURS.parse().unwrap(), tags)).into_iter().collect();
    Answers { guardrails, ..answers }
}

fn may_apply(document: &Document, arn: &str) -> bool {
    let (action, resource) = ("bedrock:ApplyGuardrail".to_owned(), arn.to_owned());
    evaluate(&[document], &Request { action, resource, context: [].into() }).unwrap() == Decision::Allowed
}

fn new(intent: &Intent, answers: &Answers) -> (Document, Vec<Reason>) {
    let plan = planned(intent, answers, &observed(PolicyState::Absent), None);
    (carried_out(&plan).0.document().unwrap().clone(), reasons(&plan.findings))
}

/// Whether calls that name the guardrail, or none, get past the models.
fn lets_through(document: &Document, intent: &Intent) -> (bool, bool) {
    let grant = CurrentGrants::of(document).grants().remove(0);
    let with = |guardrail| is_allowed(&[document], &grant, "bedrock:InvokeModel", guardrail).unwrap();
    (with(intent.terms.guardrails.first()), with(None))
}

#[test]
fn with_its_consent_a_guardrail_may_be_applied_and_without_it_may_not() {
    for (tags, reason) in [
        (tagged("team-a"), None),
        (tagged("cluster/team-a"), None),
        (tagged("team-b"), Some(Reason::TargetNotAllowed)),
        (tagged("@none"), Some(Reason::TargetNotAllowed)),
        (Ok(Tags::new()), Some(Reason::TargetNotAllowed)),
        (fault(Class::NotFound), Some(Reason::TargetNotAllowed)),
        (fault(Class::Denied), Some(Reason::BedrockDenied)),
        (fault(Class::Throttled), Some(Reason::BedrockUnavailable)),
    ] {
        let (document, reasons) = new(&guarded(OURS), &answered(Some(tags)));
        assert_eq!(reasons, Vec::from_iter(reason));
        assert_eq!(may_apply(&document, OURS), reason.is_none(), "{reason:?}");
        assert_eq!(lets_through(&document, &guarded(OURS)), (true, false), "the condition stays: {reason:?}");
    }
    let (_, reasons) = new(&guarded(OURS), &answered(None));
    assert_eq!(reasons, [Reason::BedrockUnavailable], "a question without an answer is no consent");
}

#[test]
fn another_account_s_guardrail_is_that_account_s_to_allow() {
    let (document, reasons) = new(&guarded(THEIRS), &answered(None));
    assert_eq!(reasons, []);
    assert!(may_apply(&document, THEIRS));
    assert_eq!(lets_through(&document, &guarded(THEIRS)), (true, false));
}

#[test]
fn a_withdrawal_takes_the_guardrail_alone_whatever_else_is_known() {
    let (written, _) = new(&guarded(OURS), &answered(Some(tagged("team-a"))));
    let held = observed(PolicyState::Ours(written));
    let answers = answered(Some(tagged("@none")));
    let kept = planned(&guarded(OURS), &answers, &held, None);
    let suspended = planned_for(&Wish::AsIs(claim(), None), &answers, &held);
    for plan in [kept, suspended] {
        let left = carried_out(&plan).0.document().unwrap().clone();
        assert!(!may_apply(&left, OURS));
        assert_eq!(lets_through(&left, &guarded(OURS)), (true, false));
    }
}

#[test]
fn a_guardrail_whose_tags_cannot_be_read_stays_as_it_was() {
    let (written, _) = new(&guarded(OURS), &answered(Some(tagged("team-a"))));
    let held = observed(PolicyState::Ours(written));
    for class in [Class::Denied, Class::Unanswered, Class::NotFound] {
        let plan = planned(&guarded(OURS), &answered(Some(fault(class))), &held, None);
        assert_eq!((change(&plan), plan.findings.len()), (None, 1), "{class:?}");
    }
}
