//! What does not exist: roles and models. It is not asked for again and again, and soon found once it is there.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::run;
use super::wire::{Call, Failure};
use super::world::{CONSENT, World, manifest, role};
use crate::context::INTERVAL;

const OBJECTS: usize = 60;

/// The longest that a scan takes on the wire of these tests, with the look that follows.
const SCAN: Duration = Duration::from_secs(5);

/// By then the pauses between looks have grown to their longest.
const LATER: Duration = Duration::from_hours(3);

fn name(number: usize) -> String {
    format!("app-{number}")
}

fn object(number: usize) -> Value {
    let mut object = manifest("team-a", &name(number));
    object["metadata"]["name"] = json!(name(number));
    // What a tenant asks for is not what it gets.
    object["spec"]["interval"] = json!("1m");
    object
}

async fn world(seed: u64, change: impl Fn(&mut Value)) -> World {
    let mut world = World::new(seed);
    world.wire.expect(1_000_000);
    for number in 0..OBJECTS {
        let mut object = object(number);
        change(&mut object);
        world.cluster.create(&object);
    }
    world.start().await;
    world
}

fn asked(world: &World, kind: &str, begin: Instant) -> usize {
    world.wire.sent().iter().filter(|(at, call)| *at >= begin && call.kind == kind).count()
}

fn is_ready(world: &World, number: usize) -> bool {
    let object = world.cluster.get("team-a", &name(number)).unwrap();
    let mut conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

fn may_not_scan(world: &World) {
    world.wire.fail(|call: &Call| call.kind == "GetAccountAuthorizationDetails", Failure::Denied);
}

#[test]
fn an_object_without_a_role_is_not_looked_at_until_a_scan_shows_the_role() {
    run(async |seed| {
        let mut world = world(seed, |_| ()).await;
        sleep(5 * INTERVAL).await;
        let begin = Instant::now();
        sleep(6 * INTERVAL).await;
        let looks = asked(&world, "GetRole", begin);
        assert!(looks <= OBJECTS / 2, "{looks} in six intervals, when each waits for up to six hours");
        world.kill().await;
        let begin = Instant::now();
        world.start().await;
        sleep(INTERVAL / 2).await;
        assert_eq!(asked(&world, "GetRole", begin), 0, "nor after a restart");
        world.sandbox.create_role(role(&name(7)));
        world.until("it is Ready", INTERVAL + SCAN, |world| is_ready(world, 7)).await;
    });
}

#[test]
fn a_role_that_comes_while_it_is_new_is_found_by_the_object_s_own_looks() {
    run(async |seed| {
        let world = world(seed, |_| ()).await;
        sleep(Duration::from_secs(20)).await;
        world.sandbox.create_role(role(&name(7)));
        world.until("it is Ready", Duration::from_mins(1), |world| is_ready(world, 7)).await;
    });
}

#[test]
fn consent_that_is_given_to_an_object_in_error_is_seen_by_the_next_scan() {
    run(async |seed| {
        let world = world(seed, |_| ()).await;
        for number in 0..OBJECTS {
            world.sandbox.create_role(role(&name(number)).tag(CONSENT, "@none"));
        }
        sleep(LATER).await;
        let begin = Instant::now();
        world.sandbox.tag_role(&name(7), CONSENT, "team-a").unwrap();
        world.until("it is Ready", INTERVAL + SCAN, |world| is_ready(world, 7)).await;
        println!("Ready after {:?}", begin.elapsed());
    });
}

#[test]
fn where_nobody_may_scan_an_object_that_holds_nothing_is_looked_at_once_in_four_intervals() {
    run(async |seed| {
        let world = world(seed, |_| ()).await;
        may_not_scan(&world);
        sleep(LATER).await;
        let begin = Instant::now();
        sleep(12 * INTERVAL).await;
        let (roles, policies) = (asked(&world, "GetRole", begin), asked(&world, "GetRolePolicy", begin));
        assert!((2 * OBJECTS..=4 * OBJECTS).contains(&roles), "{roles} in twelve intervals");
        assert_eq!(policies, 0, "where there is no role there is no policy");
        world.sandbox.create_role(role(&name(7)));
        world.sandbox.create_role(role(&name(8)));
        world.cluster.annotate("team-a", &name(7), "bedrockaccess.io/reconcile-at", "now");
        world.until("whose object a person touches", SCAN, |world| is_ready(world, 7)).await;
        world.until("the other", 4 * INTERVAL, |world| is_ready(world, 8)).await;
    });
}

#[test]
fn a_person_who_changes_an_object_in_error_does_not_wait_for_the_longest_pause() {
    run(async |seed| {
        let world = world(seed, |_| ()).await;
        may_not_scan(&world);
        sleep(LATER).await;
        world.cluster.edit("team-a", &name(7), |object| object["spec"]["interval"] = json!("2m"));
        sleep(Duration::from_secs(10)).await;
        world.sandbox.create_role(role(&name(7)));
        world.until("it is Ready", Duration::from_mins(1), |world| is_ready(world, 7)).await;
    });
}

/// What an object in error holds is looked after as ever.
#[test]
fn an_object_in_error_that_holds_something_is_looked_at_in_every_interval() {
    run(async |seed| {
        let world = world(seed, |object| {
            object["spec"]["models"].as_array_mut().unwrap().push(json!({"modelId": "amazon.unknown-v1:0"}));
        })
        .await;
        for number in 0..OBJECTS {
            world.sandbox.create_role(role(&name(number)));
        }
        may_not_scan(&world);
        sleep(LATER).await;
        let ours = |world: &World| {
            let names = world.sandbox.role_policies(&name(7));
            names.into_iter().find(|name| name.starts_with("bedrock-access.") && name.contains("app-7"))
        };
        let policy = ours(&world).unwrap();
        world.sandbox.delete_role_policy(&name(7), &policy).unwrap();
        world.until("it is back", INTERVAL + SCAN, |world| ours(world).is_some()).await;
        world.sandbox.tag_role(&name(7), CONSENT, "@none").unwrap();
        world.until("it is gone", INTERVAL + SCAN, |world| ours(world).is_none()).await;
    });
}

#[test]
fn a_model_that_does_not_exist_is_asked_for_once_in_an_interval_by_all_together() {
    run(async |seed| {
        let world = world(seed, |object| {
            let unknown = |number| json!({"modelId": format!("amazon.unknown-{number}-v1:0")});
            object["spec"]["models"] = (0..20).map(unknown).collect();
        })
        .await;
        for number in 0..OBJECTS {
            world.sandbox.create_role(role(&name(number)));
        }
        may_not_scan(&world);
        sleep(INTERVAL).await;
        let first = asked(&world, "GetInferenceProfile", Instant::now() - INTERVAL);
        // Twenty models, two scopes. Each may ask anew that looks after its own interval of a minute.
        assert!(first <= 10 * 40, "{first} in the first interval");
        sleep(LATER).await;
        let begin = Instant::now();
        sleep(6 * INTERVAL).await;
        let later = asked(&world, "GetInferenceProfile", begin);
        assert!(later <= 60 * 40, "{later} in six intervals");
    });
}
