//! IAM shows a write late, or to some readers only; and other writers undo what we write.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use std::collections::BTreeSet;
use std::time::Duration;

use bedrock_iam::decide::{Applied, Cause, Change, Doubt, Outcome, Pace, Remembered};
use bedrock_iam::*;
use testing::world::*;

const MICRO: &str = "us.amazon.nova-micro-v1:0";

const MINUTE: Duration = Duration::from_mins(1);

fn target(id: &str) -> Target {
    profile(id, "us-east-1")
}

/// One object over several reconciles: what it remembers, and the generation of its spec.
#[derive(Default)]
struct History {
    remembered: Remembered,
    generation: i64,
}

impl History {
    /// The decision for these profiles, each routed to one Region, where a read shows `seen`.
    fn decide(&mut self, ids: &[&str], seen: &Observed) -> Decision {
        let intent = intent(ids.iter().map(|id| target(id)));
        let answers = answers(ids.iter().map(|id| (target(id), routes(id, "us-east-1", &["us-east-1"]))));
        let wish = Wish::InStep(Box::new(intent));
        let remembered = self.remembered.clone().following(Some(self.generation));
        let decision = decide(&wish, &answers, seen, &remembered, &pace());
        self.remembered = decision.remembered.clone();
        decision
    }

    /// Decides, and writes what was decided; what stands on the role afterwards.
    fn write(&mut self, ids: &[&str], seen: &Observed) -> PolicyState {
        let decision = self.decide(ids, seen);
        let [step] = decision.plan.steps() else { panic!("{:?}", decision.plan) };
        self.remembered.wrote(&decision.believed, step, Some(self.generation));
        step.leaves()
    }

    fn wait(&mut self, time: Duration) {
        self.remembered = std::mem::take(&mut self.remembered).after(time, &pace());
    }
}

/// What is planned, and the one reason that is told, if any.
fn told(decision: &Decision) -> (Option<Change>, Option<Reason>) {
    let reasons = reasons(&decision.plan.findings);
    assert!(reasons.len() < 2, "{reasons:?}");
    (change(&decision.plan), reasons.first().copied())
}

fn absent() -> Observed {
    observed(PolicyState::Absent)
}

fn withdrawn(policy: PolicyState) -> Observed {
    on(role(&[("bedrockaccess.io/namespaces", "@none")]), policy)
}

#[test]
fn a_read_that_lags_a_write_is_no_drift_and_no_proof() {
    let mut history = History::default();
    let policy = history.write(&[US], &absent());
    assert_eq!(told(&history.decide(&[US], &absent())), (None, Some(Reason::Progressing)));
    assert_eq!(told(&history.decide(&[US], &observed(policy))), (None, None), "the write is shown");
    let behind = history.decide(&[US], &absent());
    assert_eq!(told(&behind), (None, None), "another place that answers is still behind");
    history.wait(MINUTE);
    let gone = history.decide(&[US], &absent());
    assert_eq!(gone.plan.steps()[0].cause(), Some(Cause::Drift), "after the lag a read is believed");
}

#[test]
fn a_change_is_written_though_reads_still_show_what_was_there_before_the_last_write() {
    let mut history = History::default();
    let us = history.write(&[US], &absent());
    history.write(&[US, MICRO], &observed(us.clone()));
    let back = history.decide(&[US], &observed(us));
    assert_eq!(back.plan.steps().len(), 1, "what is shown is not what is there: {back:?}");
    let both = history.decide(&[US, MICRO], &absent());
    assert_eq!(told(&both).0, None, "not even the state before the last but one");
}

#[test]
fn what_is_neither_our_write_nor_what_was_there_before_is_drift_at_once() {
    let mut history = History::default();
    let PolicyState::Ours(mut edited) = history.write(&[US], &absent()) else { panic!() };
    edited.statement[1].resource = vec!["*".to_owned()];
    let drifted = history.decide(&[US], &observed(PolicyState::Ours(edited)));
    assert_eq!(drifted.plan.steps()[0].cause(), Some(Cause::Drift));
    let foreign = history.decide(&[US], &observed(PolicyState::Foreign(None)));
    let policy = foreign.believed.policy(&claim().policy());
    assert!(policy.is_foreign(), "what is not ours is never taken for ours");
}

#[test]
fn consent_that_one_read_does_not_show_moments_after_a_write_is_not_withdrawn() {
    let mut history = History::default();
    let policy = history.write(&[US], &absent());
    for role in [role(&[]), RoleState::Missing] {
        assert_eq!(told(&history.decide(&[US], &on(role, policy.clone()))), (None, None));
    }
    history.wait(MINUTE);
    let later = history.decide(&[US], &withdrawn(policy));
    assert_eq!(told(&later), (Some(Change::Delete), Some(Reason::ConsentMissing)));
}

#[test]
fn while_consent_is_in_doubt_nothing_more_is_granted_so_that_the_doubt_ends() {
    let mut history = History::default();
    let policy = history.write(&[US], &absent());
    let more = history.decide(&[US, MICRO], &withdrawn(policy.clone()));
    assert_eq!(
        (change(&more.plan), more.plan.desired(&claim().policy()), more.doubt),
        (None, None, Doubt::Role)
    );
    assert_eq!(reasons(&more.plan.findings)[0], Reason::Progressing);
    let soon = Remembered::next_look(more.doubt, &nothing_done(), &pace());
    assert!(soon < pace().interval, "it is looked at as soon as the doubt can end: {soon:?}");
    let unchanged = history.decide(&[US], &withdrawn(policy));
    assert_eq!(told(&unchanged), (None, None), "and nothing is taken away");
}

fn nothing_done() -> Outcome {
    Outcome { applied: Applied::default(), policies: [].into(), proven: [].into(), findings: Vec::new() }
}

#[test]
fn consent_that_one_read_still_shows_moments_after_a_withdrawal_is_not_given_again() {
    let mut history = History::default();
    let policy = history.write(&[US], &absent());
    history.wait(MINUTE);
    assert_eq!(history.write(&[US], &withdrawn(policy)), PolicyState::Absent);
    let again = history.decide(&[US], &absent());
    assert_eq!(change(&again.plan), None);
    let reasons = reasons(&again.plan.findings);
    assert!(
        reasons.iter().all(|reason| *reason == Reason::Progressing),
        "it may have been given: {reasons:?}"
    );
}

#[test]
fn a_role_that_was_deleted_and_created_again_holds_nothing_of_ours() {
    let mut history = History::default();
    history.write(&[US], &absent());
    let RoleState::Found(mut role) = consenting() else { panic!() };
    role.id = "AROA2".to_owned();
    let seen = on(RoleState::Found(role), PolicyState::Absent);
    assert_eq!(history.decide(&[US], &seen).plan.steps()[0].cause(), Some(Cause::New));
}

/// Writes, and has the policy removed by someone else after the lag, so many times.
fn quarrel(repairs: u32) -> History {
    let mut history = History::default();
    history.write(&[US], &absent());
    for _ in 0..repairs {
        history.wait(2 * MINUTE);
        history.write(&[US], &absent());
    }
    history
}

#[test]
fn whoever_keeps_undoing_the_policy_is_met_less_and_less_often_and_named() {
    let mut history = quarrel(3);
    let policy = first(&[US]);
    history.wait(MINUTE / 2);
    let mut confirmed = History { remembered: history.remembered.clone(), ..History::default() };
    assert_eq!(told(&confirmed.decide(&[US], &observed(policy.clone()))), (None, Some(Reason::Contended)));
    let edited = History::default().decide(&[US, MICRO], &absent()).plan.steps()[0].leaves();
    let waiting = history.decide(&[US], &observed(edited.clone()));
    assert_eq!(change(&waiting.plan), None, "not yet");
    assert!(reasons(&waiting.plan.findings).contains(&Reason::Contended));
    let changed = history.decide(&[US, MICRO], &observed(policy));
    assert_eq!(changed.plan.steps()[0].cause(), Some(Cause::Changed), "a change is not held back");
    history.wait(MINUTE / 2);
    let due = history.decide(&[US], &absent());
    assert_eq!(due.plan.steps()[0].cause(), Some(Cause::Drift));
    assert_eq!(reasons(&due.plan.findings), [Reason::Contended]);
}

fn first(ids: &[&str]) -> PolicyState {
    History::default().decide(ids, &absent()).plan.steps()[0].leaves()
}

#[test]
fn the_pause_between_two_repairs_grows_up_to_an_hour() {
    let mut history = quarrel(2);
    let mut pauses = Vec::new();
    for _ in 3..14 {
        let mut pause = Duration::ZERO;
        // A look every minute.
        while history.decide(&[US], &absent()).plan.steps().is_empty() {
            history.wait(MINUTE);
            pause += MINUTE;
            assert!(pause <= 70 * MINUTE, "it is not repaired any more");
        }
        history.write(&[US], &absent());
        pauses.push(pause);
    }
    assert!(pauses.is_sorted(), "{pauses:?}");
    assert_eq!(pauses.last(), Some(&(60 * MINUTE)), "{pauses:?}");
}

#[test]
fn a_quarrel_ends_with_a_quiet_interval_a_changed_spec_or_a_person_who_asks() {
    let is_contended = |history: &mut History| {
        history.wait(MINUTE);
        reasons(&history.decide(&[US], &observed(first(&[US]))).plan.findings).contains(&Reason::Contended)
    };
    assert!(is_contended(&mut quarrel(3)));
    let mut quiet = quarrel(3);
    quiet.wait(30 * MINUTE);
    assert!(!is_contended(&mut quiet));
    let mut changed = quarrel(3);
    changed.generation += 1;
    assert!(!is_contended(&mut changed));
    let mut asked = quarrel(3);
    asked.remembered = asked.remembered.anew();
    assert!(!is_contended(&mut asked));
}

#[test]
fn a_write_without_room_is_sent_again_when_something_changed_or_after_a_pause_that_grows() {
    let mut history = History::default();
    let decision = history.decide(&[US], &absent());
    let [step] = decision.plan.steps() else { panic!() };
    let others = BTreeSet::from(["theirs".to_owned()]);
    let no_room = Finding::new(Reason::PolicyTooLarge, "no room");
    history.remembered.refuse(step, others.clone(), no_room.clone());
    assert_eq!(history.remembered.refusal(step, &others), Some(no_room.clone()));
    assert_eq!(history.remembered.refusal(step, &BTreeSet::new()), None, "the role's other policies changed");
    let other = History::default().decide(&[US, MICRO], &absent());
    assert_eq!(history.remembered.refusal(&other.plan.steps()[0], &others), None, "ours changed");
    history.wait(5 * MINUTE);
    assert_eq!(history.remembered.refusal(step, &others), None, "the pause is over");
    history.remembered.refuse(step, others.clone(), no_room.clone());
    history.wait(9 * MINUTE);
    assert_eq!(history.remembered.refusal(step, &others), Some(no_room), "the next one is longer");
    history.wait(MINUTE);
    assert_eq!(history.remembered.refusal(step, &others), None);
}

#[test]
fn an_edit_of_what_was_in_sync_takes_no_grant_away_while_bedrock_answers_less() {
    let wish = Wish::InStep(Box::new(intent([us()])));
    let first = decide(&wish, &us_answers(), &absent(), &Remembered::default(), &pace());
    let mut remembered = first.remembered;
    let [step] = first.plan.steps() else { panic!() };
    remembered.wrote(&first.believed, step, None);
    let policies = [(claim().policy(), step.leaves())].into();
    let proven = [claim().policy()].into();
    let outcome = Outcome { applied: Applied::default(), policies, proven, findings: Vec::new() };
    remembered.told(&first.plan, &outcome, &consenting(), None);
    let remembered = remembered.after(MINUTE, &Pace::new(MINUTE, 10 * MINUTE));
    let PolicyState::Ours(mut edited) = step.leaves() else { panic!() };
    edited.statement[1].resource.pop();
    let shorter = answers([(us(), routes(US, "us-east-1", &["us-east-1"]))]);
    let plan = decide(&wish, &shorter, &observed(PolicyState::Ours(edited)), &remembered, &pace()).plan;
    let document = put(&plan).document.to_json();
    assert!(document.contains("us-west-2") && document.contains("us-east-2"), "{document}");
}
