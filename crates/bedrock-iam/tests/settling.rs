//! IAM shows a write late, or to some readers only; and other writers undo what we write.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use bedrock_iam::plan::{Cause, plan};
use bedrock_iam::resolve::resolve;
use bedrock_iam::*;
use testing::world::*;

const MICRO: &str = "us.amazon.nova-micro-v1:0";

fn target(id: &str) -> Target {
    profile(id, "us-east-1")
}

/// The plan for these profiles, each routed to one Region.
fn plan_for(ids: &[&str], observed: &Observed, history: &History) -> Plan {
    let intent = intent(ids.iter().map(|id| target(id)));
    let answers = answers(ids.iter().map(|id| (target(id), routes(id, "us-east-1", &["us-east-1"]))));
    let resolution = resolve(&intent, &account(), &answers, &Held::read(&observed.policy, history));
    plan(&intent, &account(), &resolution, observed, history)
}

fn first(ids: &[&str], before: &Observed) -> (Step, PolicyState) {
    let plan = plan_for(ids, before, &History::default());
    let (policy, _) = carried_out(&plan);
    (plan.step.unwrap(), policy)
}

fn absent() -> Observed {
    observed(PolicyState::Absent)
}

/// What is planned once `unsettled` was weighed against what a read shows.
fn then(unsettled: &mut Unsettled, ids: &[&str], seen: Observed) -> (Option<Step>, Option<Reason>) {
    let believed = unsettled.believe(seen, &claim());
    let plan = plan_for(ids, &believed, &History::default());
    (plan.step, unsettled.finding(&claim()).map(|finding| finding.reason))
}

#[test]
fn a_read_that_lags_a_write_is_no_drift_and_no_proof() {
    let (step, policy) = first(&[US], &absent());
    let mut unsettled = Unsettled::after(None, &absent(), &step).unwrap();
    assert_eq!(then(&mut unsettled, &[US], absent()), (None, Some(Reason::Progressing)));
    assert_eq!(then(&mut unsettled, &[US], observed(policy)), (None, None), "the write is shown");
    assert_eq!(
        then(&mut unsettled, &[US], absent()),
        (None, None),
        "another place that answers is still behind"
    );
}

#[test]
fn a_change_is_written_though_reads_still_show_what_was_there_before_the_last_write() {
    let (step, us) = first(&[US], &absent());
    let unsettled = Unsettled::after(None, &absent(), &step).unwrap();
    let both = first(&[US, MICRO], &observed(us.clone())).0;
    let mut unsettled = Unsettled::after(Some(unsettled), &observed(us.clone()), &both).unwrap();
    let (back, _) = then(&mut unsettled, &[US], observed(us));
    assert!(matches!(back, Some(Step::Put { .. })), "what is shown is not what is there: {back:?}");
    assert_eq!(
        then(&mut unsettled, &[US, MICRO], absent()).0,
        None,
        "not even the state before the last but one"
    );
}

#[test]
fn what_is_neither_our_write_nor_what_was_there_before_is_drift_at_once() {
    let (step, policy) = first(&[US], &absent());
    let mut unsettled = Unsettled::after(None, &absent(), &step).unwrap();
    let PolicyState::Ours(mut edited) = policy else { panic!() };
    edited.statement[1].resource = vec!["*".to_owned()];
    let (step, _) = then(&mut unsettled, &[US], observed(PolicyState::Ours(edited)));
    assert!(matches!(step, Some(Step::Put { .. })), "{step:?}");
    let believed = unsettled.believe(observed(PolicyState::Foreign(None)), &claim());
    assert!(believed.policy.is_foreign(), "what is not ours is never taken for ours");
}

#[test]
fn consent_that_one_read_does_not_show_moments_after_a_write_is_not_withdrawn() {
    let (step, policy) = first(&[US], &absent());
    let mut unsettled = Unsettled::after(None, &absent(), &step).unwrap();
    for role in [role(&[]), RoleState::Missing] {
        let seen = Observed { role, policy: policy.clone() };
        assert_eq!(then(&mut unsettled, &[US], seen), (None, None));
    }
}

#[test]
fn while_consent_is_in_doubt_nothing_more_is_granted_so_that_the_doubt_ends() {
    let (step, policy) = first(&[US], &absent());
    let mut unsettled = Unsettled::after(None, &absent(), &step).unwrap();
    let withdrawn = Observed { role: role(&[("bedrockaccess.io/namespaces", "@none")]), policy };
    let believed = unsettled.believe(withdrawn.clone(), &claim());
    let more = plan_for(&[US, MICRO], &believed, &History::default());
    assert!(more.step.is_some(), "it is what the manifest wants");
    let restrained = unsettled.restrain(more, &claim());
    assert_eq!((restrained.step, restrained.desired), (None, None));
    assert_eq!(reasons(&restrained.findings), [Reason::Progressing]);
    assert!(unsettled.doubts());
    let unchanged = plan_for(&[US], &believed, &History::default());
    assert_eq!(unsettled.restrain(unchanged.clone(), &claim()), unchanged, "and nothing is taken away");
}

#[test]
fn consent_that_one_read_still_shows_moments_after_a_withdrawal_is_not_given_again() {
    let (_, policy) = first(&[US], &absent());
    let withdrawn = Observed { role: role(&[("bedrockaccess.io/namespaces", "@none")]), policy };
    let Some(delete) = plan_for(&[US], &withdrawn, &History::default()).step else { panic!() };
    assert_eq!(delete, Step::Delete);
    let mut unsettled = Unsettled::after(None, &withdrawn, &delete).unwrap();
    let believed = unsettled.believe(absent(), &claim());
    let plan = plan_for(&[US], &believed, &History::default());
    assert_eq!((&plan.step, plan.findings[0].reason), (&None, Reason::ConsentMissing));
    let told = unsettled.restrain(plan, &claim());
    assert_eq!(
        (told.step, reasons(&told.findings)),
        (None, vec![Reason::Progressing]),
        "it may have been given"
    );
}

#[test]
fn a_role_that_was_deleted_and_created_again_holds_nothing_of_ours() {
    let (step, _) = first(&[US], &absent());
    let mut unsettled = Unsettled::after(None, &absent(), &step).unwrap();
    let RoleState::Found(mut role) = consenting() else { panic!() };
    role.id = "AROA2".to_owned();
    let seen = Observed { role: RoleState::Found(role), policy: PolicyState::Absent };
    assert!(matches!(then(&mut unsettled, &[US], seen).0, Some(Step::Put { .. })));
}

#[test]
fn whoever_keeps_undoing_the_policy_is_met_less_and_less_often_and_named() {
    let (_, policy) = first(&[US], &absent());
    let PolicyState::Ours(document) = &policy else { panic!() };
    let last_written = Some(Meaning::of(document).digest());
    let history = |patience| History { last_written: last_written.clone(), patience, ..History::default() };
    let drift = |patience| {
        let plan = plan_for(&[US], &absent(), &history(patience));
        (plan.step.is_some(), reasons(&plan.findings))
    };
    assert_eq!(drift(Patience::Calm), (true, vec![]));
    assert_eq!(drift(Patience::Retrying), (true, vec![Reason::Contended]));
    assert_eq!(drift(Patience::Waiting), (false, vec![Reason::Contended]));
    let restored = plan_for(&[US], &observed(policy.clone()), &history(Patience::Waiting));
    assert_eq!((restored.step, reasons(&restored.findings)), (None, vec![Reason::Contended]));
    let changed = plan_for(&[US, MICRO], &observed(policy), &history(Patience::Waiting));
    assert!(
        matches!(changed.step, Some(Step::Put { cause: Cause::Changed, .. })),
        "a change is not held back"
    );
}
