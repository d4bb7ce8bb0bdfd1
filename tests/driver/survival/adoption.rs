//! The cluster id was changed, and the operator dies at each of its requests while it moves a policy.

use std::panic::catch_unwind;
use std::time::Duration;

use bedrock_iam::PolicyIdentity;
use serde_json::json;
use tokio::time::sleep;

use super::paused;
use super::scenarios::{GLOBAL, TEAM, US, an_object, policy};
use super::wire::{Crash, Failure};
use super::world::{CONSENT, ROLE, World, manifest, policy_name, role};

const SILENCE: Duration = Duration::from_mins(2);
const LIMIT: Duration = Duration::from_mins(30);
/// An interval, and the time in which IAM may show what was there before.
const INTERVAL: Duration = Duration::from_mins(12);
const DAY: Duration = Duration::from_hours(25);

/// A policy that was written under one cluster id, and an operator of another that has not started yet.
async fn renamed(seed: u64) -> World {
    let mut world = World::new(seed);
    an_object(&world);
    world.start().await;
    world.settle(SILENCE, LIMIT).await;
    world.kill().await;
    world.rename("another-id");
    world
}

/// The old policy is gone, the new one is there, others' are untouched, and no grant was ever absent.
fn assert_moved(world: &World, what: &str) {
    let new = PolicyIdentity::derive("another-id", TEAM, ROLE).policy_name().to_owned();
    let policies = world.sandbox.role_policies(ROLE);
    assert!(policies.contains(&new) && !policies.contains(&policy_name(TEAM)), "{what}: {policies:?}");
    assert_eq!(policies.len(), 3, "{what}: {policies:?}");
    assert_eq!(world.cluster.former_ids(), ["cluster"], "{what}: until the operator runs without the move");
    let states = world.sandbox.policy_states(ROLE).into_iter();
    let written: Vec<_> = states.skip_while(|state| state.len() < 3).collect();
    assert!(written.len() > 1, "{what}: there is no moment between the first policy and the end");
    for state in written {
        for profile in [US, GLOBAL] {
            assert!(state.values().any(|text| text.contains(profile)), "{what}: {profile} was absent");
        }
    }
}

#[test]
fn an_orphan_of_the_old_cluster_id_is_looked_after_while_policies_are_moved() {
    let seed = super::seed();
    paused(seed, async {
        let mut world = renamed(seed).await;
        world.cluster.vanish(TEAM, ROLE);
        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        world.start().await;
        world.settle(SILENCE, LIMIT).await;
        assert!(!world.sandbox.role_policies(ROLE).contains(&policy_name(TEAM)));
        assert_eq!((world.sandbox.role_policies(ROLE).len(), world.cluster.record()), (2, vec![]));
    });
}

#[test]
fn a_move_to_another_cluster_id_ends_well_wherever_the_operator_dies() {
    let seed = super::seed();
    let requests = paused(seed, async {
        let mut world = renamed(seed).await;
        let before = world.wire.sent().len();
        world.start().await;
        world.settle(SILENCE, LIMIT).await;
        assert_moved(&world, "undisturbed");
        world.wire.sent().len() - before
    });
    let mut failed = Vec::new();
    for number in 1..=requests {
        for crash in [Crash::BeforeApplied, Crash::ReplyLost] {
            let what = format!("request {number}, {crash:?}, seed {seed}");
            let run = async {
                let mut world = renamed(seed).await;
                world.wire.die_at(number, crash);
                world.start().await;
                tokio::time::timeout(LIMIT, world.wire.death()).await.expect("it dies");
                world.kill().await;
                world.start().await;
                world.settle(SILENCE, LIMIT).await;
                assert_moved(&world, &what);
            };
            if catch_unwind(std::panic::AssertUnwindSafe(|| paused(seed, run))).is_err() {
                failed.push(what);
            }
        }
    }
    println!("{} crash points", 2 * requests);
    assert!(failed.is_empty(), "{failed:#?}");
}

/// A policy that its owner lets outlive its object, under a cluster id whose policies were moved; the operator adopts nothing any more.
async fn retained_under_a_former_id() -> World {
    let mut world = World::new(super::seed());
    world.sandbox.create_role(role(ROLE).tag(CONSENT, "retain:cluster/team-a"));
    let mut object = manifest(TEAM, ROLE);
    object["spec"]["deletionPolicy"] = json!("Retain");
    world.cluster.create(&object);
    world.start().await;
    world.until("Ready", LIMIT, |world| world.is_ready(TEAM)).await;
    world.cluster.delete(TEAM, ROLE);
    world.settle(SILENCE, LIMIT).await;
    world.kill().await;
    world.rename("another-id");
    world.start().await;
    world.settle(SILENCE, LIMIT).await;
    world.kill().await;
    world.end_the_move();
    world
}

fn told(world: &World, reason: &str) -> Vec<String> {
    let events = world.cluster.events().into_iter().filter(|event| event["reason"] == reason);
    events.map(|event| event["note"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_stays_under_a_former_cluster_id_goes_once_its_owner_withdraws_and_the_id_is_forgotten_then() {
    paused(super::seed(), async {
        let mut world = retained_under_a_former_id().await;
        world.start().await;
        sleep(3 * INTERVAL).await;
        assert!(policy(&world).is_some(), "the owner lets it stay");
        assert_eq!(world.cluster.former_ids(), ["cluster"]);
        world.sandbox.tag_role(ROLE, CONSENT, "retain:another-id/team-a").unwrap();
        sleep(2 * INTERVAL).await;
        assert!(policy(&world).is_some(), "an owner who names the id of now withdrew nothing");

        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        sleep(INTERVAL).await;
        assert_eq!((policy(&world), world.cluster.record()), (None, vec![]));
        assert_eq!(world.sandbox.role_policies(ROLE).len(), 2, "what others wrote stays");
        assert!(told(&world, "PolicyRemoved").concat().contains("the former cluster id cluster"));
        assert_eq!(world.cluster.former_ids(), Vec::<String>::new());
    });
}

#[test]
fn what_the_record_lost_of_a_former_cluster_id_is_found_by_the_look_at_the_account() {
    paused(super::seed(), async {
        let mut world = retained_under_a_former_id().await;
        world.cluster.lose_entries();
        world.start().await;
        sleep(INTERVAL / 3).await;
        assert_eq!(world.cluster.former_ids(), ["cluster"], "the account was not looked at yet");
        sleep(2 * INTERVAL).await;
        assert_eq!(world.cluster.former_ids(), ["cluster"], "and has one left");
        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        sleep(INTERVAL).await;
        assert_eq!((policy(&world), world.cluster.former_ids()), (None, vec![]));
    });
}

#[test]
fn without_the_right_to_look_at_the_account_the_record_alone_says_when_a_former_cluster_id_is_done() {
    paused(super::seed(), async {
        let mut world = retained_under_a_former_id().await;
        world.wire.fail(|call| call.kind == "GetAccountAuthorizationDetails", Failure::Denied);
        world.start().await;
        sleep(3 * INTERVAL).await;
        assert_eq!(world.cluster.former_ids(), ["cluster"]);
        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        sleep(INTERVAL).await;
        assert_eq!((policy(&world), world.cluster.former_ids()), (None, vec![]));
    });
}

#[test]
fn an_object_under_the_cluster_id_of_now_does_not_look_after_the_policy_under_the_former_one() {
    paused(super::seed(), async {
        let mut world = retained_under_a_former_id().await;
        world.sandbox.tag_role(ROLE, CONSENT, "team-a").unwrap();
        world.cluster.create(&manifest(TEAM, ROLE));
        world.start().await;
        world.until("Ready", LIMIT, |world| world.is_ready(TEAM)).await;
        sleep(DAY).await;
        let notes = told(&world, "OrphanedPolicy");
        assert!(notes.len() == 1 && notes[0].contains("the former cluster id cluster"), "{notes:?}");
        assert!(policy(&world).is_some(), "a person decides, while the role consents");
        assert_eq!(world.sandbox.role_policies(ROLE).len(), 4, "the object's own is untouched");
    });
}
