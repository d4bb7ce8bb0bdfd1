//! The cluster id was changed, and the operator dies at each of its requests while it moves a policy.

use std::panic::catch_unwind;
use std::time::Duration;

use bedrock_iam::PolicyIdentity;

use super::paused;
use super::scenarios::{GLOBAL, TEAM, US, an_object};
use super::wire::Crash;
use super::world::{CONSENT, ROLE, World, policy_name};

const SILENCE: Duration = Duration::from_mins(2);
const LIMIT: Duration = Duration::from_mins(30);

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
    let written = world.sandbox.policy_states(ROLE).into_iter().skip_while(|state| state.len() < 3);
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
