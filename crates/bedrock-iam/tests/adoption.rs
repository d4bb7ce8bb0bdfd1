//! Plans over two policies: the object's own, and the one that was written in another name before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use bedrock_iam::consent::{TAG, Tenant};
use bedrock_iam::decide::{Change, Pace, Remembered};
use bedrock_iam::*;
use testing::world::*;

const FORMER: &str = "former";

fn former() -> Claim {
    let tenant = Tenant { cluster_id: FORMER.to_owned(), ..claim().tenant };
    Claim { identity: PolicyIdentity::derive(FORMER, "team-a", "assistant"), tenant, ..claim() }
}

fn moving() -> Claim {
    Claim { former: Some(Box::new(former())), ..claim() }
}

fn in_step() -> Wish {
    Wish::InStep(Box::new(Intent { claim: moving(), ..intent([us()]) }))
}

/// What the former policy grants is what is wanted.
fn granting() -> PolicyState {
    let plan = planned(
        &Intent { claim: former(), ..intent([us()]) },
        &us_answers(),
        &on(consenting(), PolicyState::Absent),
        None,
    );
    carried_out(&plan).0
}

fn own() -> PolicyState {
    carried_out(&first_plan()).0
}

fn role_with(entries: &str) -> RoleState {
    role(&[(TAG, entries)])
}

fn decided(wish: &Wish, role: RoleState, own: PolicyState, former_policy: PolicyState) -> Plan {
    let mut observed = on(role, own);
    observed.policies.insert(former().policy(), former_policy);
    let pace = Pace::new(std::time::Duration::ZERO, std::time::Duration::from_mins(10));
    decide(wish, &us_answers(), &observed, &Remembered::default(), &pace).plan
}

/// Which policy each step is of, and whether it gives.
fn steps(plan: &Plan) -> Vec<(&str, bool)> {
    let whose = |step: &Step| if step.policy == former().policy() { FORMER } else { "own" };
    plan.steps().iter().map(|step| (whose(step), matches!(step.change, Change::Put { .. }))).collect()
}

#[test]
fn the_step_that_gives_stands_before_the_one_that_takes() {
    let plan = decided(&in_step(), consenting(), PolicyState::Absent, granting());
    assert_eq!(steps(&plan), [("own", true), (FORMER, false)]);
    let plan = decided(&in_step(), consenting(), own(), granting());
    assert_eq!(steps(&plan), [(FORMER, false)]);
    assert!(!plan.is_withdrawal, "a manifest that changed meanwhile may want it otherwise");
}

#[test]
fn the_former_policy_stays_while_anything_stands_against_the_object() {
    let suspended = Wish::AsIs(moving(), None);
    assert_eq!(steps(&decided(&suspended, consenting(), own(), granting())), []);
    let gone = PolicyState::Foreign(None);
    let plan = decided(&in_step(), consenting(), gone, granting());
    assert_eq!((steps(&plan), reasons(&plan.findings)), (vec![], vec![Reason::PolicyNameTaken]));
}

#[test]
fn an_owner_s_word_for_either_name_lets_the_former_policy_stand() {
    let of = |entries: &str, wish: &Wish| {
        let plan = decided(wish, role_with(entries), PolicyState::Absent, granting());
        (steps(&plan).len(), plan.is_withdrawal)
    };
    for wish in [in_step(), Wish::AsIs(moving(), None)] {
        assert_eq!(of("former/team-a", &wish).0, 0);
        assert_eq!(of("@none", &wish), (1, true));
    }
}

#[test]
fn a_former_policy_that_cannot_be_read_or_is_another_s_is_left_alone() {
    let fault = PolicyState::Fault(Fault { class: Class::Unavailable, message: "m".to_owned() });
    for other in [fault, PolicyState::Absent, PolicyState::Foreign(None)] {
        assert_eq!(steps(&decided(&in_step(), consenting(), own(), other)), []);
    }
}

#[test]
fn a_deletion_takes_the_former_policy_first_and_waits_for_what_cannot_be_read() {
    let gone = Wish::Gone(moving());
    assert_eq!(steps(&decided(&gone, consenting(), own(), granting())), [(FORMER, false), ("own", false)]);
    let fault = Fault { class: Class::Unavailable, message: "m".to_owned() };
    let plan = decided(&gone, consenting(), own(), PolicyState::Fault(fault.clone()));
    assert_eq!((steps(&plan), plan.obstacle.clone()), (vec![], Some(fault)));
}

#[test]
fn a_policy_that_outlives_its_object_does_so_by_its_owner_s_word_for_its_own_name() {
    let retained = Wish::Retained(moving());
    let of = |entries: &str| steps(&decided(&retained, role_with(entries), own(), granting())).len();
    assert_eq!(of("retain:cluster/team-a retain:former/team-a"), 0);
    assert_eq!(of("retain:cluster/team-a"), 1, "the former one goes");
    assert_eq!(of("team-a"), 2);
}
