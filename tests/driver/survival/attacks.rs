//! One team asks for all that the operator can give, in every way that there is. What the others notice of it: a new object of theirs
//! is Ready, and a withdrawal is carried out, as soon as without. In the time of the test's clock.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::paused;
use super::wire::{Call, Failure};
use super::world::{CONSENT, ROLE, SOURCE, World, filler, manifest, policy_name, role};
use crate::hostile::absurd::REGIONS;

/// As in production.
const RATE: NonZeroU32 = NonZeroU32::new(20).unwrap();

const SOON: Duration = Duration::from_secs(5);

/// Of the team whose consent is withdrawn: the shortest that a manifest may name.
const INTERVAL: Duration = Duration::from_mins(1);

/// The attack has been going on for so long when the others begin; by then IAM shows every write of before.
const UNDER_WAY: Duration = Duration::from_secs(70);

/// New objects, one after the other.
const NEW: usize = 8;

struct Attack {
    name: &'static str,
    /// The objects of `team-b`, and what stands in AWS for them.
    prepare: fn(&World) -> Vec<Value>,
    /// How often one of them is annotated.
    annotates: Option<Duration>,
    /// Which calls hang.
    hangs: Option<fn(&Call) -> bool>,
}

const ATTACKS: [Attack; 5] = [
    Attack {
        name: "unknown models and a storm of annotations",
        prepare: |_| objects(20, |_, object| object["spec"]["models"] = unknown_models(40)),
        annotates: Some(Duration::from_millis(40)),
        hangs: None,
    },
    Attack {
        name: "Regions that hang",
        prepare: |_| objects(16, |_, object| object["spec"]["sourceRegions"] = json!(REGIONS)),
        annotates: None,
        hangs: Some(hangs_elsewhere),
    },
    Attack {
        name: "objects that name no role",
        prepare: |_| {
            objects(400, |number, object| object["spec"]["role"]["name"] = json!(format!("none-{number}")))
        },
        annotates: None,
        hangs: None,
    },
    Attack {
        name: "tags of many models",
        prepare: |world| {
            let arns: Vec<String> = (0..60).map(own_model).collect();
            for arn in &arns {
                world.sandbox.set_tagged_resource(arn, &[(CONSENT, "team-b")]);
            }
            objects(20, |_, object| {
                object["spec"]["models"] = arns.iter().map(|arn| json!({"modelArn": arn})).collect();
            })
        },
        annotates: None,
        hangs: None,
    },
    Attack {
        name: "a role without room",
        prepare: |world| {
            world.sandbox.create_role(role("full").policy("more", &filler(9_600)));
            objects(400, |_, object| object["spec"]["role"]["name"] = json!("full"))
        },
        annotates: None,
        hangs: None,
    },
];

/// Bedrock answers in one Region alone, as behind the endpoint of a closed network.
fn hangs_elsewhere(call: &Call) -> bool {
    call.kind.contains("InferenceProfile") && call.place != SOURCE
}

fn objects(number: usize, change: impl Fn(usize, &mut Value)) -> Vec<Value> {
    let one = |number| {
        let mut object = named("team-b", &format!("flood-{number}"));
        object["spec"]["interval"] = json!("1m");
        change(number, &mut object);
        object
    };
    (0..number).map(one).collect()
}

fn named(namespace: &str, name: &str) -> Value {
    let mut object = manifest(namespace, ROLE);
    object["metadata"]["name"] = json!(name);
    object
}

fn unknown_models(number: usize) -> Value {
    (0..number).map(|number| json!({"modelId": format!("amazon.unknown-{number}-v1:0")})).collect()
}

fn own_model(number: usize) -> String {
    format!("arn:aws:bedrock:{SOURCE}:111122223333:provisioned-model/model{number:07}")
}

/// How long it takes until the condition holds.
async fn until(limit: Duration, holds: impl Fn() -> bool) -> Option<Duration> {
    let begun = Instant::now();
    while !holds() {
        if begun.elapsed() >= limit {
            return None;
        }
        sleep(Duration::from_millis(50)).await;
    }
    Some(begun.elapsed())
}

async fn annotate(world: &World, number: usize, every: Option<Duration>) {
    let Some(every) = every else { return std::future::pending().await };
    for round in 0.. {
        let name = format!("flood-{}", round % number);
        world.cluster.annotate("team-b", &name, "bedrockaccess.io/reconcile-at", &round.to_string());
        sleep(every).await;
    }
}

/// What the others notice.
async fn calm(world: &World, name: &str) {
    sleep(UNDER_WAY).await;
    for number in 0..NEW {
        let new = format!("new-{number}");
        let mut object = named("team-c", &new);
        object["spec"]["role"]["name"] = json!(new);
        world.sandbox.create_role(role(&new));
        world.cluster.create(&object);
        let took = until(SOON, || world.shows_ready("team-c", &new)).await;
        assert!(took.is_some(), "{name}: {new} is not Ready after {SOON:?}");
        println!("{name}: {new} is Ready after {took:?}");
        sleep(Duration::from_millis(1300)).await;
    }
    world.sandbox.tag_role(ROLE, CONSENT, "team-b").unwrap();
    let is_gone = || world.sandbox.role_policy(ROLE, &policy_name("team-a")).is_none();
    let took = until(INTERVAL + SOON, is_gone).await;
    assert!(took.is_some(), "{name}: what was withdrawn is still granted after an interval");
    println!("{name}: the withdrawal is carried out after {took:?}");
}

async fn withstand(attack: &Attack, seed: u64) {
    let world = quiet(seed, "team-a").await;

    if let Some(hangs) = attack.hangs {
        world.wire.fail(hangs, Failure::Hang);
    }
    let flood = (attack.prepare)(&world);
    for object in &flood {
        world.cluster.create(object);
    }
    tokio::select! {
        () = annotate(&world, flood.len(), attack.annotates) => {}
        () = calm(&world, attack.name) => {}
    }
    if let Some(hangs) = attack.hangs {
        let hanging = world.wire.sent().into_iter().map(|(_, call)| call).filter(hangs);
        let places: BTreeSet<String> = hanging.map(|call| call.place).collect();
        assert!(places.len() >= 20, "only {places:?} were asked at all");
    }
    let status = |object: &Value| {
        let name = object["metadata"]["name"].as_str().unwrap();
        world.cluster.get("team-b", name).unwrap()["status"]["observedGeneration"].clone()
    };
    let served = flood.iter().filter(|object| status(object) == 1).count();
    println!("{}: {served} of {} of the flood were told something", attack.name, flood.len());
    assert!(2 * served >= flood.len(), "{}: only {served} of the flood were served at all", attack.name);
}

fn all_withstand(number: usize) {
    let seed = super::seed();
    paused(seed, withstand(&ATTACKS[number], seed));
}

#[test]
fn a_calm_team_is_served_while_another_storms_with_annotations() {
    all_withstand(0);
}

#[test]
fn a_calm_team_is_served_while_another_names_regions_that_hang() {
    all_withstand(1);
}

#[test]
fn a_calm_team_is_served_while_another_names_roles_that_are_none() {
    all_withstand(2);
}

#[test]
fn a_calm_team_is_served_while_another_asks_for_the_tags_of_many_models() {
    all_withstand(3);
}

#[test]
fn a_calm_team_is_served_while_another_fills_a_role() {
    all_withstand(4);
}

/// One object that is Ready, and looked at once a minute.
async fn quiet(seed: u64, team: &str) -> World {
    let mut world = World::new(seed);
    world.wire.expect(100_000);
    world.limit(RATE);
    world.sandbox.create_role(role(ROLE));
    let mut object = manifest(team, ROLE);
    object["spec"]["interval"] = json!("1m");
    world.cluster.create(&object);
    world.start().await;
    assert!(until(SOON, || world.is_ready(team)).await.is_some(), "{team}: before anything else");
    world
}

#[test]
fn what_was_withdrawn_is_removed_before_any_other_call_of_the_same_team_that_waits() {
    let seed = super::seed();
    paused(seed, async {
        let world = quiet(seed, "team-b").await;
        for object in (ATTACKS[2].prepare)(&world) {
            world.cluster.create(&object);
        }
        sleep(UNDER_WAY).await;
        world.sandbox.tag_role(ROLE, CONSENT, "team-a").unwrap();
        let is_gone = || world.sandbox.role_policy(ROLE, &policy_name("team-b")).is_none();
        assert!(until(2 * INTERVAL, is_gone).await.is_some());
        let calls = world.sandbox.calls();
        let of_role: Vec<usize> = calls
            .iter()
            .enumerate()
            .filter(|(_, call)| call.target.as_deref() == Some(ROLE))
            .map(|(number, _)| number)
            .collect();
        let removal =
            of_role.iter().position(|number| calls[*number].operation == "DeleteRolePolicy").unwrap();
        let between = of_role[removal] - of_role[removal - 1] - 1;
        assert!(between <= 4, "{between} others between the look at the role and the removal");
    });
}

/// It floods the operator, and so itself: what its other objects lose by that is bounded.
#[test]
fn a_team_that_storms_with_annotations_puts_off_its_own_withdrawal_for_a_bounded_time() {
    let seed = super::seed();
    paused(seed, async {
        let world = quiet(seed, "team-b").await;
        world.sandbox.create_role(role("other"));
        let flood = objects(20, |_, object| {
            object["spec"]["models"] = unknown_models(40);
            object["spec"]["role"]["name"] = json!("other");
        });
        for object in &flood {
            world.cluster.create(object);
        }
        let withdrawal = async {
            sleep(UNDER_WAY).await;
            world.sandbox.tag_role(ROLE, CONSENT, "team-a").unwrap();
            let is_gone = || world.sandbox.role_policy(ROLE, &policy_name("team-b")).is_none();
            let took = until(2 * INTERVAL, is_gone).await;
            assert!(took.is_some(), "it is still granted after two intervals");
            println!("the withdrawal is carried out after {took:?}");
        };
        tokio::select! {
            () = annotate(&world, flood.len(), ATTACKS[0].annotates) => {}
            () = withdrawal => {}
        }
    });
}

#[test]
fn after_a_restart_a_new_object_does_not_wait_for_those_that_are_known() {
    let seed = super::seed();
    paused(seed, async {
        let mut world = World::new(seed);
        world.wire.expect(100_000);
        let known = 150;
        for number in 0..known {
            let name = format!("known-{number}");
            let mut object = named("team-a", &name);
            object["spec"]["role"]["name"] = json!(name);
            world.sandbox.create_role(role(&name));
            world.cluster.create(&object);
        }
        world.start().await;
        let all = || (0..known).all(|number| world.shows_ready("team-a", &format!("known-{number}")));
        assert!(until(Duration::from_mins(2), all).await.is_some());
        world.kill().await;

        world.limit(RATE);
        world.start().await;
        // Of the same team: by then each of the workers that it may have is at one that is known.
        sleep(Duration::from_secs(2)).await;
        let new: Vec<String> = (0..4).map(|number| format!("new-{number}")).collect();
        for name in &new {
            world.sandbox.create_role(role(name));
            let mut object = named("team-a", name);
            object["spec"]["role"]["name"] = json!(name);
            world.cluster.create(&object);
        }
        let all = || new.iter().all(|name| world.shows_ready("team-a", name));
        let took = until(SOON, all).await;
        assert!(took.is_some(), "they wait for the known ones");
        println!("the new ones are Ready after {took:?}");
    });
}
