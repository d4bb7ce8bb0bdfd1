//! A watch that breaks, repeats and mixes up, lists that are stale, and objects that are not what they were.

use std::time::Duration;

use aws_sandbox::{Fault, FaultKind, Service};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::history::{Disturbances, assert_never_absent, assert_nothing_foreign_changed, grant};
use super::scenarios::{GLOBAL, MICRO, TEAM, US};
use super::wire::Failure;
use super::world::{EndState, ROLE, SOURCE, World, manifest, policy_name, role};
use super::{in_parallel, paused};

/// The longest wait between two tries, and as much again for what they need.
const HEALED: Duration = Duration::from_mins(11);

/// The most requests in any one minute, while the user edits three times in it.
const MOST_PER_MINUTE: usize = 60;

/// How often what is random is tried.
const SEEDS: u64 = 12;

const NAME: &str = "amazon.nova-micro-v1:0";
const PRO: &str = "us.amazon.nova-pro-v1:0";

async fn begun(seed: u64) -> World {
    let mut world = World::new(seed);
    world.sandbox.create_role(role(ROLE));
    world.cluster.create(&manifest(TEAM, ROLE));
    world.start().await;
    ready(&world, "begin").await;
    world
}

async fn ready(world: &World, what: &str) {
    world.until(what, HEALED, |world| world.is_ready(TEAM)).await;
}

/// The user's edits, in turn: each keeps what the one before wanted.
const EDITS: [fn(&World); 4] = [
    |world| {
        world.cluster.edit(TEAM, ROLE, |object| {
            object["spec"]["models"].as_array_mut().unwrap().push(json!({"modelId": NAME, "scopes": ["us"]}));
        });
    },
    |world| world.cluster.annotate(TEAM, ROLE, "bedrockaccess.io/reconcile-at", "1"),
    |world| world.cluster.edit(TEAM, ROLE, |object| object["spec"]["interval"] = json!("20m")),
    |world| {
        world.cluster.edit(TEAM, ROLE, |object| {
            let more = json!({"modelId": "amazon.nova-pro-v1:0", "scopes": ["us"]});
            object["spec"]["models"].as_array_mut().unwrap().push(more);
        });
    },
];

/// The edits with a disturbance after each; what they come to.
async fn edited(seed: u64, mut disturb: impl AsyncFnMut(&mut World)) -> (World, EndState) {
    let mut world = begun(seed).await;
    let begin = Instant::now();
    for edit in EDITS {
        edit(&world);
        sleep(Duration::from_secs(20)).await;
        disturb(&mut world).await;
    }
    let what = format!("edited, seed {seed}");
    ready(&world, &what).await;
    // A watch that was told old things is not told the new ones before it begins again.
    sleep(HEALED).await;
    let most = world.most_per_minute(begin, Instant::now());
    assert!(most <= MOST_PER_MINUTE, "{what}: {most} requests in a minute");
    let ours = [policy_name(TEAM)];
    assert_nothing_foreign_changed(&world.sandbox, 2, &ours, &what);
    let wanted = [US, GLOBAL, MICRO, PRO].map(|profile| grant(&world.sandbox, SOURCE, profile));
    assert_never_absent(&world.sandbox, &ours[0], &wanted, &Disturbances::new(), &what);
    let end = world.end_state();
    (world, end)
}

fn same_end(seed: u64, disturb: impl AsyncFnMut(&mut World)) {
    let (_, undisturbed) = paused(seed, edited(seed, async |_| {}));
    let (_, end) = paused(seed, edited(seed, disturb));
    assert_eq!(end.difference(&undisturbed), Vec::<String>::new(), "seed {seed}");
}

#[test]
fn a_watch_that_is_cut_again_and_again_loses_nothing() {
    same_end(super::seed(), async |world| {
        for _ in 0..20 {
            world.cluster.cut_watches();
            sleep(Duration::from_secs(3)).await;
        }
    });
}

#[test]
fn a_watch_that_is_too_old_begins_anew_with_a_list() {
    same_end(super::seed(), async |world| {
        world.wire.fail(|call| call.kind == "watch", Failure::Refused);
        world.cluster.cut_watches();
        world.cluster.annotate(TEAM, ROLE, "example.com/note", "unseen");
        world.cluster.edit(TEAM, ROLE, |object| {
            object["metadata"]["annotations"].as_object_mut().unwrap().remove("example.com/note");
        });
        world.cluster.compact();
        sleep(Duration::from_secs(30)).await;
        world.wire.heal();
    });
}

#[test]
fn what_a_watch_repeats_and_mixes_up_takes_nothing_away() {
    let seed = super::seed();
    in_parallel((seed..seed + SEEDS).collect(), |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        same_end(seed, async |world| world.cluster.tell_again(6, &mut rng));
    });
}

#[test]
fn a_stale_list_after_a_restart_takes_nothing_away() {
    let seed = super::seed();
    in_parallel((seed..seed + SEEDS).collect(), |seed| {
        let mut stale = None;
        same_end(seed, async |world| {
            let newest = world.cluster.list();
            world.kill().await;
            if let Some(older) = stale.replace(newest) {
                world.cluster.answer_stale(older);
            }
            world.start().await;
            sleep(Duration::from_secs(20)).await;
        });
    });
}

/// An object of the same name that wants something else.
fn successor() -> serde_json::Value {
    let mut object = manifest(TEAM, ROLE);
    object["spec"]["models"] = json!([{"modelId": NAME, "scopes": ["us"]}]);
    object
}

#[derive(Clone, Copy, Debug)]
enum Supplanted {
    Live,
    WhileDown,
    Unseen,
}

async fn supplanted(seed: u64, how: Supplanted) -> EndState {
    let mut world = begun(seed).await;
    match how {
        Supplanted::Live => world.cluster.supplant(&successor()),
        Supplanted::WhileDown => {
            world.kill().await;
            world.cluster.supplant(&successor());
            world.start().await;
        }
        Supplanted::Unseen => {
            world.wire.fail(|call| ["list", "watch"].contains(&call.kind.as_str()), Failure::Refused);
            world.cluster.cut_watches();
            world.cluster.supplant(&successor());
            // This gives the operator something to tell of the predecessor.
            world.sandbox.fault(Fault::new(FaultKind::AccessDenied).of(Service::Iam, "GetRole"));
            sleep(Duration::from_mins(25)).await;
            let status = world.cluster.get(TEAM, ROLE).unwrap()["status"].clone();
            assert_eq!(status, json!({"observedGeneration": -1}), "a status was given to another object");
            world.sandbox.clear_faults();
            world.wire.heal();
        }
    }
    ready(&world, &format!("{how:?}, seed {seed}")).await;
    sleep(HEALED).await;
    assert_nothing_foreign_changed(&world.sandbox, 2, &[policy_name(TEAM)], &format!("{how:?}"));
    world.end_state()
}

#[test]
fn an_object_of_the_same_name_and_another_uid_is_another_object() {
    let seed = super::seed();
    let live = paused(seed, supplanted(seed, Supplanted::Live));
    for how in [Supplanted::WhileDown, Supplanted::Unseen] {
        let end = paused(seed, supplanted(seed, how));
        assert_eq!(end.difference(&live), Vec::<String>::new(), "{how:?}");
    }
}

#[test]
fn an_object_that_went_without_its_finalizer_is_forgotten() {
    let seed = super::seed();
    paused(seed, async {
        let world = begun(seed).await;
        assert!(world.remembered() > 0);
        world.cluster.vanish(TEAM, ROLE);
        world.until("nothing to be remembered", HEALED, |world| world.remembered() == 0).await;
    });
}

#[test]
fn an_object_that_cannot_be_decoded_stops_no_other() {
    let seed = super::seed();
    paused(seed, async {
        let mut world = World::new(seed);
        world.sandbox.create_role(role(ROLE));
        for (team, spec) in [("team-1", json!(5)), ("team-2", json!({"role": []})), ("team-3", json!(null))] {
            let mut object = manifest(team, ROLE);
            object["spec"] = spec;
            world.cluster.create(&object);
        }
        world.cluster.create(&manifest(TEAM, ROLE));
        world.start().await;
        ready(&world, "beside bad objects").await;
        world.cluster.edit("team-1", ROLE, |object| object["spec"] = json!("still bad"));
        world.settle(Duration::from_mins(2), HEALED).await;
        for team in ["team-1", "team-2", "team-3"] {
            let told = Some(("False".to_owned(), "InvalidSpec".to_owned()));
            assert_eq!(world.condition(team, "Ready"), told, "{team} is not told why nothing happens");
        }
        let asked = world.wire.count();
        sleep(Duration::from_mins(5)).await;
        assert_eq!(world.wire.count(), asked, "what cannot be decoded is nothing to ask about");
    });
}

#[test]
fn an_object_on_which_the_code_panics_is_told_so_and_stops_no_other() {
    let seed = super::seed();
    paused(seed, async {
        let mut world = World::new(seed);
        world.sandbox.create_role(role(ROLE));
        let mut bad = manifest("team-b", ROLE);
        bad["spec"]["models"] = json!([{"modelId": "amazon.nova-micro-v1:0", "scopes": ["in-region"]}]);
        world.cluster.create(&bad);
        world.cluster.create(&manifest(TEAM, ROLE));
        world.wire.fail(|call| call.kind == "GetFoundationModel", Failure::Panic);
        world.start().await;
        ready(&world, "beside an object on which the code panics").await;
        let told = Some(("Unknown".to_owned(), "InternalError".to_owned()));
        world.until("a panic is told", HEALED, |world| world.condition("team-b", "Ready") == told).await;
        let told_at = world.wire.count();
        sleep(Duration::from_mins(20)).await;
        let requests = world.wire.count() - told_at;
        assert!(
            requests <= 60,
            "{requests} requests in 20 minutes: what panics is tried less and less often"
        );
        assert!(world.is_ready(TEAM));
        world.wire.heal();
        world.until("healed", HEALED, |world| world.is_ready("team-b")).await;
    });
}
