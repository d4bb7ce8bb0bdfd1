//! IAM that shows a write late, and other writers.

use std::time::Duration;

use aws_sandbox::Reads;
use serde_json::json;

use crate::world::{World, consenting, manifest};

const MINUTE: Duration = Duration::from_mins(1);

fn writes(calls: &[String]) -> usize {
    calls.iter().filter(|call| *call == "PutRolePolicy" || *call == "DeleteRolePolicy").count()
}

async fn lagging(reads: Reads) -> World {
    let world = World::with_lag(consenting(), manifest(), MINUTE).await;
    world.sandbox.set_reads(reads);
    world
}

fn ready(world: &World) -> (String, String) {
    world.condition("Ready").unwrap()
}

#[tokio::test]
async fn a_write_that_reads_do_not_show_for_a_minute_is_written_once_and_ready_only_then() {
    let world = lagging(Reads::Lagging(MINUTE)).await;
    for _ in 0..3 {
        world.reconcile().await.unwrap();
        assert_eq!(ready(&world), ("Unknown".to_owned(), "Progressing".to_owned()));
        assert!(world.message("PolicyInSync").contains("IAM does not show it yet"));
    }
    world.sandbox.advance(MINUTE);
    world.reconcile().await.unwrap();
    assert!(world.is_ready());
    assert_eq!(writes(&world.take_calls()), 1);
    assert_eq!(world.take_events(), ["PolicyWritten", "Reconciled"]);
}

#[tokio::test]
async fn reads_that_flap_between_old_and_new_change_nothing_and_flap_no_condition() {
    for seed in 0..8 {
        println!("seed {seed}");
        let world = lagging(Reads::Flapping { lag: MINUTE, seed }).await;
        world.reconcile().await.unwrap();
        let mut was_ready = world.is_ready();
        for _ in 0..8 {
            world.reconcile().await.unwrap();
            assert!(world.is_ready() || !was_ready, "Ready was taken back");
            was_ready = world.is_ready();
        }
        assert!(was_ready, "nine readings, each of several reads, and none was new");
        assert_eq!(writes(&world.take_calls()), 1);
    }
}

#[tokio::test]
async fn a_change_back_is_written_though_reads_still_show_the_first_policy() {
    let world = World::with_lag(consenting(), manifest(), MINUTE).await;
    world.reconcile().await.unwrap();
    let first = world.policy();
    world.sandbox.set_reads(Reads::Lagging(MINUTE));
    for scopes in [json!(["us"]), json!(["us", "global"])] {
        world.kubernetes.edit(|object| object["spec"]["routing"]["scopes"] = scopes);
        world.reconcile().await.unwrap();
    }
    assert_eq!(world.policy(), first);
    assert_eq!(writes(&world.take_calls()), 3);
}

#[tokio::test]
async fn someone_who_keeps_undoing_the_policy_is_named_and_met_less_often() {
    let world = World::new().await;
    world.reconcile().await.unwrap();
    let name = world.sandbox.role_policies("assistant").remove(0);
    for repair in 1..=4 {
        world.kubernetes.take_writes();
        world.sandbox.delete_role_policy("assistant", &name).unwrap();
        world.reconcile().await.unwrap();
        assert!(world.policy().is_some(), "repair {repair}");
        assert_eq!(world.is_ready(), repair < 4, "repair {repair}");
        let notes = world.take_notes();
        assert!(
            notes.iter().any(|note| note.ends_with("the policy had been removed by someone else")),
            "{notes:?}"
        );
    }
    assert_eq!(world.condition("PolicyInSync"), Some(("False".to_owned(), "Contended".to_owned())));
    assert!(world.condition("Reconciling").is_some(), "a tool need not give up");
}
