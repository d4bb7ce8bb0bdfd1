//! Source Regions that hang, or are slow: they occupy no worker, and what they answer late is not lost.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::run;
use super::wire::{Call, Failure};
use super::world::{SOURCE, World, manifest, role};
use crate::hostile::absurd::REGIONS;

const WORKERS: f64 = 8.0;

const SOON: Duration = Duration::from_secs(5);

fn object(namespace: &str, name: &str, sources: &[&str]) -> Value {
    let mut object = manifest(namespace, name);
    object["metadata"]["name"] = json!(name);
    object["spec"]["sourceRegions"] = json!(sources);
    object["spec"]["interval"] = json!("1m");
    object
}

/// The seconds that workers were held so far, all together.
fn held(world: &World) -> f64 {
    world.metric("bedrock_access_reconcile_duration_seconds_sum").unwrap().parse().unwrap()
}

async fn start(seed: u64) -> World {
    let mut world = World::new(seed);
    world.wire.expect(1_000_000);
    world.start().await;
    world
}

#[test]
fn sixty_objects_of_regions_that_hang_leave_the_workers_to_others() {
    run(async |seed| {
        let world = start(seed).await;
        world.wire.fail(|call| call.kind.contains("InferenceProfile") && call.place != SOURCE, Failure::Hang);
        world.sandbox.create_role(role("assistant"));
        let begin = Instant::now();
        for number in 0..60 {
            let mut flood = object("team-b", &format!("flood-{number}"), &REGIONS);
            flood["spec"]["role"]["name"] = json!("assistant");
            world.cluster.create(&flood);
        }
        for number in 0..20 {
            let name = format!("new-{number}");
            world.sandbox.create_role(role(&name));
            world.cluster.create(&object("team-c", &name, &[SOURCE]));
            let created = Instant::now();
            while !world.shows_ready("team-c", &name) {
                assert!(created.elapsed() < SOON, "{name} is not Ready after {SOON:?}");
                sleep(Duration::from_millis(50)).await;
            }
            sleep(Duration::from_secs(5)).await;
        }
        let first = held(&world) / (WORKERS * begin.elapsed().as_secs_f64());
        assert!(first <= 0.2, "{first} of the workers' time at first");
        let (begin, before) = (Instant::now(), held(&world));
        sleep(Duration::from_mins(30)).await;
        let share = (held(&world) - before) / (WORKERS * begin.elapsed().as_secs_f64());
        println!("workers were held {first:.3} of the time at first, {share:.3} later");
        assert!(share <= 0.05, "{share} of the workers' time");
    });
}

#[test]
fn one_look_waits_for_regions_that_hang_for_some_seconds_at_most() {
    run(async |seed| {
        let world = start(seed).await;
        world.wire.fail(|call: &Call| call.kind.contains("InferenceProfile"), Failure::Hang);
        world.sandbox.create_role(role("lone"));
        world.cluster.create(&object("team-b", "lone", &REGIONS));
        let is_told =
            |world: &World| world.cluster.get("team-b", "lone").unwrap()["status"]["conditions"].is_array();
        world.until("it is told", Duration::from_secs(8), is_told).await;
    });
}

#[test]
fn a_region_that_answers_late_serves_its_objects_in_the_end() {
    run(async |seed| {
        let world = start(seed).await;
        world.wire.fail(|call: &Call| call.kind.contains("InferenceProfile"), Failure::Slow);
        for number in 0..10 {
            let name = format!("slow-{number}");
            world.sandbox.create_role(role(&name));
            world.cluster.create(&object("team-b", &name, &["us-east-1", "us-west-2"]));
        }
        let all =
            |world: &World| (0..10).all(|number| world.shows_ready("team-b", &format!("slow-{number}")));
        world.until("all are Ready", Duration::from_secs(90), all).await;
    });
}

#[test]
fn a_region_that_is_back_is_noticed_within_the_longest_pause() {
    run(async |seed| {
        let world = start(seed).await;
        world.wire.fail(|call: &Call| call.kind.contains("InferenceProfile"), Failure::Hang);
        world.sandbox.create_role(role("lone"));
        world.cluster.create(&object("team-b", "lone", &["us-east-1", "us-west-2"]));
        sleep(Duration::from_mins(40)).await;
        world.wire.heal();
        world.until("it is Ready", Duration::from_mins(6), |world| world.shows_ready("team-b", "lone")).await;
    });
}
