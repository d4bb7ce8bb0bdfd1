//! Several operators that divide the objects, with one cluster, one AWS and one record.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::history::{Disturbances, assert_never_absent, grant};
use super::paused;
use super::scenarios::{GLOBAL, TEAM, US};
use super::world::{Beside, CONSENT, ROLE, SOURCE, World, manifest, policy_name, role};
use crate::context::Shards;

const LIMIT: Duration = Duration::from_mins(30);
const INTERVAL: Duration = Duration::from_mins(12);
const DAY: Duration = Duration::from_hours(25);

/// Of two shards, the first has the namespaces team-a and team-b, the second default and team-d.
const OF_THE_FIRST: [&str; 2] = [TEAM, "team-b"];
const OF_THE_SECOND: [&str; 2] = ["default", "team-d"];

const KEY: &str = "sharding.bedrockaccess.io/key";
const ONE: &str = "sharding.bedrockaccess.io/key=one";
const REST: &str = "!sharding.bedrockaccess.io/key";

/// A role that consents to all.
fn world() -> World {
    let world = World::new(super::seed());
    world.sandbox.create_role(role(ROLE));
    world.sandbox.tag_role(ROLE, CONSENT, "@any").unwrap();
    world
}

fn has_policy(world: &World, namespace: &str) -> bool {
    world.sandbox.role_policy(ROLE, &policy_name(namespace)).is_some()
}

async fn start(world: &World, shard: Shards) -> Beside {
    let operator = world.start_as(shard).await;
    operator.wire.expect(1_000_000);
    operator
}

/// Of two operators that divide the objects by label: the one of the key, and the one of the rest.
async fn by_label(world: &World) -> (Beside, Beside) {
    (start(world, Shards::Selected(ONE)).await, start(world, Shards::Selected(REST)).await)
}

#[test]
fn each_object_is_served_by_the_shard_of_its_namespace_alone() {
    paused(super::seed(), async {
        let world = world();
        for namespace in [OF_THE_FIRST, OF_THE_SECOND].concat() {
            world.cluster.create(&manifest(namespace, ROLE));
        }
        let (first, second) =
            (start(&world, Shards::Numbered(0, 2)).await, start(&world, Shards::Numbered(1, 2)).await);
        let all = [OF_THE_FIRST, OF_THE_SECOND].concat();
        world.until("Ready", LIMIT, |world| all.iter().all(|namespace| world.is_ready(namespace))).await;
        // Long enough for sweeps and a look at the account.
        sleep(DAY).await;
        assert_eq!(first.namespaces(), OF_THE_FIRST.map(str::to_owned).into());
        assert_eq!(second.namespaces(), OF_THE_SECOND.map(str::to_owned).into());
        assert_eq!((first.writes(), second.writes()), (2, 2));
        assert_eq!(world.cluster.record().len(), 4);

        for namespace in &all {
            world.cluster.delete(namespace, ROLE);
        }
        world.until("gone", LIMIT, |world| world.cluster.objects().is_empty()).await;
        assert!(all.iter().all(|namespace| !has_policy(&world, namespace)));
        assert_eq!(world.cluster.record(), Vec::<String>::new());
    });
}

#[test]
fn the_sweep_of_a_shard_leaves_what_is_another_one_s_and_that_one_finds_it() {
    paused(super::seed(), async {
        let world = world();
        let [ours, theirs] = [OF_THE_SECOND[0], OF_THE_FIRST[0]];
        for namespace in [ours, theirs] {
            world.cluster.create(&manifest(namespace, ROLE));
        }
        let (first, second) =
            (start(&world, Shards::Numbered(0, 2)).await, start(&world, Shards::Numbered(1, 2)).await);
        world
            .until("Ready", LIMIT, |world| [ours, theirs].iter().all(|namespace| world.is_ready(namespace)))
            .await;
        first.kill().await;
        world.sandbox.tag_role(ROLE, CONSENT, ours).unwrap();
        sleep(DAY).await;
        assert!(has_policy(&world, theirs), "its object is there, though nobody looks after it now");
        world.cluster.vanish(theirs, ROLE);
        sleep(DAY).await;
        assert!(has_policy(&world, theirs), "an orphan of another shard");
        assert_eq!((second.writes(), has_policy(&world, ours)), (1, true));

        let first = start(&world, Shards::Numbered(0, 2)).await;
        sleep(INTERVAL).await;
        assert!(!has_policy(&world, theirs) && has_policy(&world, ours));
        assert_eq!((first.writes(), world.cluster.record().len()), (1, 1));
    });
}

#[test]
fn an_object_that_moves_by_its_label_keeps_its_policy_and_is_deleted_by_its_new_shard() {
    paused(super::seed(), async {
        let world = world();
        world.cluster.create(&manifest(TEAM, ROLE));
        let (one, rest) = by_label(&world).await;
        world.until("Ready", LIMIT, |world| world.is_ready(TEAM)).await;
        assert_eq!((one.writes(), rest.writes()), (0, 1));
        for round in 0..3 {
            for (label, operator, other) in [(Some("one"), &one, &rest), (None, &rest, &one)] {
                let (before, others) = (operator.writes(), other.writes());
                world.cluster.label(TEAM, ROLE, KEY, label);
                sleep(if round == 0 { INTERVAL } else { Duration::from_secs(1) }).await;
                world.cluster.edit(TEAM, ROLE, |object| {
                    let lite = json!({"modelId": "amazon.nova-2-lite-v1:0"});
                    let micro = json!({"modelId": "amazon.nova-micro-v1:0", "scopes": ["us"]});
                    object["spec"]["models"] =
                        if label.is_some() { json!([lite, micro]) } else { json!([lite]) };
                });
                sleep(Duration::from_mins(5)).await;
                assert!(world.is_ready(TEAM), "{:#?}", world.cluster.objects());
                assert!(operator.writes() > before, "its new shard follows it");
                assert_eq!(other.writes(), others, "and the other one does not");
            }
        }
        let wanted = [US, GLOBAL].map(|profile| grant(&world.sandbox, SOURCE, profile));
        assert_never_absent(&world.sandbox, &policy_name(TEAM), &wanted, &Disturbances::new(), "moved");
        world.cluster.label(TEAM, ROLE, KEY, Some("one"));
        sleep(Duration::from_secs(1)).await;
        world.cluster.delete(TEAM, ROLE);
        world.until("gone", LIMIT, |world| world.cluster.objects().is_empty()).await;
        assert!(!has_policy(&world, TEAM));
        sleep(2 * INTERVAL).await;
        assert_eq!(world.cluster.record(), Vec::<String>::new());
    });
}

#[test]
fn one_that_comes_back_is_noted_anew_though_another_shard_took_its_entry_out() {
    paused(super::seed(), async {
        let world = world();
        let labelled = |label: Option<&str>| {
            let mut object = manifest(TEAM, ROLE);
            object["metadata"]["labels"] = label.map_or(json!({}), |label| json!({KEY: label}));
            object
        };
        world.cluster.create(&labelled(Some("one")));
        let (_one, _rest) = by_label(&world).await;
        world.until("Ready", LIMIT, |world| world.is_ready(TEAM)).await;
        world.cluster.label(TEAM, ROLE, KEY, None);
        sleep(Duration::from_secs(1)).await;
        world.cluster.delete(TEAM, ROLE);
        world.until("gone", LIMIT, |world| world.cluster.objects().is_empty()).await;
        // What the other shard does not know of goes with the next sweep, or is there before it.
        world.cluster.lose_entries();
        world.cluster.create(&labelled(Some("one")));
        world.until("Ready", LIMIT, |world| world.is_ready(TEAM)).await;
        assert_eq!(world.cluster.record().len(), 1);
    });
}

#[test]
fn shards_by_label_take_no_object_of_another_one_for_gone_and_each_finds_what_is() {
    paused(super::seed(), async {
        let world = world();
        for (namespace, label) in
            [(TEAM, json!({KEY: "one"})), ("team-b", json!({})), ("team-c", json!({KEY: "none"}))]
        {
            let mut object = manifest(namespace, ROLE);
            object["metadata"]["labels"] = label;
            world.cluster.create(&object);
        }
        let (one, rest) = by_label(&world).await;
        world
            .until("Ready", LIMIT, |world| [TEAM, "team-b"].iter().all(|namespace| world.is_ready(namespace)))
            .await;
        sleep(DAY).await;
        assert!(!has_policy(&world, "team-c"), "nobody serves it");
        assert_eq!((one.writes(), rest.writes()), (1, 1));
        one.kill().await;
        world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
        sleep(DAY).await;
        assert!(has_policy(&world, TEAM), "its object is there, and another shard's");
        assert!(!has_policy(&world, "team-b"));
        world.cluster.vanish(TEAM, ROLE);
        sleep(INTERVAL).await;
        assert!(!has_policy(&world, TEAM), "of an object that is gone nobody knows the label");
        assert_eq!(world.cluster.record().len(), 1, "that of team-b, whose object is there");
    });
}

#[test]
fn an_entry_that_another_shard_wrote_goes_with_the_object_all_the_same() {
    paused(super::seed(), async {
        let world = world();
        let (one, rest) = by_label(&world).await;
        // Both have read the record.
        sleep(INTERVAL).await;
        world.cluster.create(&manifest(TEAM, ROLE));
        world.until("Ready", LIMIT, |world| world.is_ready(TEAM)).await;
        world.cluster.label(TEAM, ROLE, KEY, Some("one"));
        sleep(Duration::from_mins(1)).await;
        world.cluster.delete(TEAM, ROLE);
        world.until("gone", LIMIT, |world| world.cluster.objects().is_empty()).await;
        assert_eq!((one.writes(), rest.writes()), (1, 1));
        rest.kill().await;
        sleep(2 * INTERVAL).await;
        assert_eq!(world.cluster.record(), Vec::<String>::new());
    });
}
