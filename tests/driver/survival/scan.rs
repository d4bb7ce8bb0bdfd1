//! Many objects at rest: one look at all roles stands for a look at each, and decides no write.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use aws_sandbox::Reads;
use bedrock_iam::PolicyIdentity;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::wire::{Call, Crash, Failure};
use super::world::{CONSENT, SOURCE, World, manifest, role};
use super::{in_parallel, paused, run};
use crate::context::INTERVAL;

const OBJECTS: usize = 30;

/// The longest that a scan takes on the wire of these tests.
const SCAN: Duration = Duration::from_secs(5);

/// What was written is believed for a minute; from then on an object may be at rest.
const SHOWN: Duration = Duration::from_secs(70);

fn name(number: usize) -> String {
    format!("app-{number}")
}

fn object(number: usize) -> Value {
    let mut object = manifest("team-a", &name(number));
    object["metadata"]["name"] = json!(name(number));
    object
}

fn policy_of(number: usize) -> String {
    PolicyIdentity::derive("cluster", "team-a", &name(number)).policy_name().to_owned()
}

fn policies(world: &World) -> BTreeMap<usize, Option<String>> {
    (0..OBJECTS)
        .map(|number| (number, world.sandbox.role_policy(&name(number), &policy_of(number))))
        .collect()
}

/// The AWS calls and writes since then, counted by kind.
fn since(world: &World, begin: Instant) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (at, call) in world.wire.sent() {
        let is_watching = ["watch", "list", "get", "read"].contains(&call.kind.as_str());
        if at >= begin && !is_watching {
            *counts.entry(call.kind).or_default() += 1;
        }
    }
    counts
}

fn count(counts: &BTreeMap<String, usize>, kind: &str) -> usize {
    counts.get(kind).copied().unwrap_or_default()
}

/// An operator whose objects are all in step, and have been so for long enough to be at rest.
async fn at_rest(seed: u64) -> World {
    let mut world = World::new(seed);
    world.wire.expect(100_000);
    for number in 0..OBJECTS {
        world.sandbox.create_role(role(&name(number)));
        world.cluster.create(&object(number));
    }
    world.start().await;
    let is_there = |world: &World| policies(world).values().all(Option::is_some);
    world.until("every policy is written", Duration::from_mins(2), is_there).await;
    sleep(SHOWN + 2 * INTERVAL).await;
    world
}

#[test]
fn at_rest_a_pass_costs_a_page_of_roles_and_what_bedrock_is_asked() {
    run(async |seed| {
        let world = at_rest(seed).await;
        let begin = Instant::now();
        sleep(10 * INTERVAL).await;
        let counts = since(&world, begin);
        assert!((9..=11).contains(&count(&counts, "GetAccountAuthorizationDetails")), "{counts:?}");
        let asked = count(&counts, "GetInferenceProfile");
        assert!((18..=22).contains(&asked), "two targets, once in an interval: {counts:?}");
        // Each object is looked at by its own reads once in six hours.
        assert!(count(&counts, "GetRole") <= 2 * OBJECTS, "{counts:?}");
        assert_eq!(
            count(&counts, "status") + count(&counts, "event") + count(&counts, "PutRolePolicy"),
            0,
            "{counts:?}"
        );
    });
}

#[test]
fn the_daily_look_for_orphans_is_taken_by_a_scan() {
    run(async |seed| {
        let world = at_rest(seed).await;
        world.cluster.vanish("team-a", &name(9));
        world.cluster.lose_entries();
        let begin = Instant::now();
        let is_told =
            |world: &World| world.metric("bedrock_access_orphaned_policies").as_deref() == Some("1");
        world.until("the orphan is told", Duration::from_hours(25), is_told).await;
        sleep(Duration::from_hours(24)).await;
        let rounds = usize::try_from(begin.elapsed().as_secs() / INTERVAL.as_secs()).unwrap();
        let looks = count(&since(&world, begin), "GetAccountAuthorizationDetails");
        assert!(looks <= rounds + 2, "{looks} looks in {rounds} intervals");
    });
}

#[test]
fn a_restart_reads_no_role_by_itself_and_writes_nothing() {
    run(async |seed| {
        let mut world = at_rest(seed).await;
        world.kill().await;
        let begin = Instant::now();
        world.start().await;
        sleep(INTERVAL / 2).await;
        let counts = since(&world, begin);
        assert_eq!(count(&counts, "GetAccountSummary"), 1, "{counts:?}");
        assert_eq!(count(&counts, "GetAccountAuthorizationDetails"), 1, "{counts:?}");
        assert_eq!(count(&counts, "GetRole") + count(&counts, "GetRolePolicy"), 0, "{counts:?}");
        assert_eq!(
            count(&counts, "status") + count(&counts, "event") + count(&counts, "finalizer"),
            0,
            "{counts:?}"
        );
        let at_rest = world.metric("bedrock_access_objects_at_rest").unwrap();
        assert_eq!(at_rest, OBJECTS.to_string());
    });
}

#[test]
fn what_someone_deletes_or_edits_is_back_within_an_interval_and_a_scan() {
    run(async |seed| {
        let world = at_rest(seed).await;
        let before = policies(&world);
        for number in 0..10 {
            world.sandbox.delete_role_policy(&name(number), &policy_of(number));
        }
        let edited = before[&10].as_ref().unwrap().replace("us-west-2", "us-west-1");
        world.sandbox.put_role_policy(&name(10), &policy_of(10), &edited).unwrap();
        let begin = Instant::now();
        world.until("all are back", INTERVAL + SCAN, |world| policies(world) == before).await;
        let counts = since(&world, begin);
        assert_eq!(count(&counts, "PutRolePolicy"), 11, "{counts:?}");
        assert!(count(&counts, "GetRole") <= 11 + OBJECTS / 4, "the others are left alone: {counts:?}");
    });
}

#[test]
fn a_withdrawal_is_carried_out_within_an_interval_and_a_scan() {
    run(async |seed| {
        let world = at_rest(seed).await;
        world.sandbox.tag_role(&name(3), CONSENT, "team-b").unwrap();
        let is_gone = |world: &World| world.sandbox.role_policy(&name(3), &policy_of(3)).is_none();
        world.until("what was withdrawn is gone", INTERVAL + SCAN, is_gone).await;
    });
}

#[test]
fn another_answer_of_bedrock_s_wakes_those_that_name_the_target() {
    run(async |seed| {
        let world = at_rest(seed).await;
        let routes = ["us-east-1", "us-east-2", "us-west-2", "us-west-1"];
        world.sandbox.set_profile(SOURCE, "us.amazon.nova-2-lite-v1:0", Some(&routes));
        let grants =
            |policy: &Option<String>| policy.as_ref().is_some_and(|policy| policy.contains("us-west-1"));
        let all = |world: &World| policies(world).values().all(grants);
        world.until("every policy follows the profile", INTERVAL + SCAN, all).await;
    });
}

#[test]
fn a_scan_that_shows_what_was_before_our_last_write_undoes_nothing() {
    run(async |seed| {
        let world = at_rest(seed).await;
        world.sandbox.set_reads(Reads::Flapping { lag: Duration::from_secs(30), seed });
        for round in 0..4 {
            // A person changes an object; the scans meanwhile show the policy of before.
            let scopes = if round % 2 == 0 { json!(["us"]) } else { json!(["us", "global"]) };
            world
                .cluster
                .edit("team-a", &name(7), |object| object["spec"]["routing"]["scopes"] = scopes.clone());
            sleep(INTERVAL / 3).await;
            let writes = world.sandbox.history(&name(7)).len();
            sleep(2 * INTERVAL).await;
            assert_eq!(world.sandbox.history(&name(7)).len(), writes, "round {round}: it was written again");
        }
    });
}

#[test]
fn who_may_not_look_at_all_roles_looks_at_each_in_the_same_interval() {
    run(async |seed| {
        let mut world = at_rest(seed).await;
        world.kill().await;
        world.wire.fail(|call: &Call| call.kind == "GetAccountAuthorizationDetails", Failure::Denied);
        world.start().await;
        let begin = Instant::now();
        sleep(INTERVAL).await;
        let read = count(&since(&world, begin), "GetRole");
        assert!(read >= OBJECTS, "{read} roles were read");
        let before = policies(&world);
        world.sandbox.delete_role_policy(&name(5), &policy_of(5));
        world.until("it is back", INTERVAL + SCAN, |world| policies(world) == before).await;
    });
}

#[test]
fn where_scans_fail_for_a_while_objects_are_looked_at_by_themselves() {
    run(async |seed| {
        let world = at_rest(seed).await;
        world.wire.fail(|call: &Call| call.kind == "GetAccountAuthorizationDetails", Failure::Hang);
        let before = policies(&world);
        world.sandbox.delete_role_policy(&name(5), &policy_of(5));
        world.until("it is back", INTERVAL + INTERVAL / 2, |world| policies(world) == before).await;
        world.wire.heal();
    });
}

/// Someone deletes a policy, edits a second and takes consent from a third role, and the operator dies at one of the requests that
/// follow; the next one finds them.
async fn dies_after_a_change(seed: u64, number: usize, crash: Crash) -> bool {
    let mut world = at_rest(seed).await;
    let before = policies(&world);
    let written: Vec<usize> = (4..OBJECTS).map(|number| world.sandbox.history(&name(number)).len()).collect();
    world.wire.die_at(number, crash);
    world.sandbox.delete_role_policy(&name(1), &policy_of(1));
    let edited = before[&2].as_ref().unwrap().replace("us-west-2", "us-west-1");
    world.sandbox.put_role_policy(&name(2), &policy_of(2), &edited).unwrap();
    world.sandbox.tag_role(&name(3), CONSENT, "team-b").unwrap();
    let died = timeout(INTERVAL + SCAN, world.wire.death()).await.is_ok();
    world.kill().await;
    world.start().await;
    let is_right = |world: &World| {
        let wanted = before.iter().map(|(number, policy)| (*number, policy.clone().filter(|_| *number != 3)));
        policies(world) == wanted.collect()
    };
    world.until("all is as it should be", 2 * INTERVAL, is_right).await;
    for (number, before) in (4..OBJECTS).zip(&written) {
        assert_eq!(
            world.sandbox.history(&name(number)).len(),
            *before,
            "{number} was in step and was written again"
        );
    }
    died
}

#[test]
fn the_end_is_the_same_wherever_the_operator_dies_while_it_scans() {
    let seed = super::seed();
    let points =
        (1..40).flat_map(|number| [Crash::BeforeApplied, Crash::ReplyLost].map(|crash| (number, crash)));
    let died = in_parallel(points.collect(), |(number, crash)| {
        paused(seed + number as u64, dies_after_a_change(seed + number as u64, number, crash))
    });
    let count = died.iter().filter(|died| **died).count();
    println!("it died at {count} of {} points", died.len());
    assert!(count >= 30, "{count}");
}

#[test]
fn each_object_is_looked_at_by_its_own_reads_in_six_hours_whatever_scans_show() {
    run(async |seed| {
        let world = at_rest(seed).await;
        let begin = Instant::now();
        sleep(Duration::from_hours(6) + INTERVAL).await;
        let looks = count(&since(&world, begin), "GetRole");
        assert!((OBJECTS..3 * OBJECTS).contains(&looks), "{looks} looks in six hours");
    });
}

/// Six thousand questions take longer than an interval at two a second.
#[test]
fn a_namespace_that_asks_more_than_can_be_answered_keeps_no_scan_from_its_end() {
    run(async |seed| {
        let mut world = at_rest(seed).await;
        world.kill().await;
        world.limit(NonZeroU32::new(2).unwrap());
        for number in 0..60 {
            let mut flood = manifest("team-b", "flood");
            flood["metadata"]["name"] = json!(format!("flood-{number}"));
            let missing = |model: usize| {
                let id = number * 100 + model;
                json!({"modelArn": format!("arn:aws:bedrock:{SOURCE}:111122223333:provisioned-model/m{id:011}")})
            };
            flood["spec"]["models"] = (0..100).map(missing).collect();
            world.cluster.create(&flood);
        }
        world.sandbox.create_role(role("flood"));
        world.start().await;
        sleep(3 * INTERVAL).await;
        let begin = Instant::now();
        sleep(3 * INTERVAL).await;
        let scans = count(&since(&world, begin), "GetAccountAuthorizationDetails");
        assert!((2..=4).contains(&scans), "{scans} scans in three intervals");
        assert_eq!(world.metric("bedrock_access_objects_at_rest"), Some(OBJECTS.to_string()));
    });
}
