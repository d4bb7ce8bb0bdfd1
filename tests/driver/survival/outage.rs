//! One story, told with and without an outage: three teams, two edits and a deletion while the outage lasts.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::catch_unwind;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::history::{Disturbances, assert_never_absent, grant};
use super::scenarios::{GLOBAL, US};
use super::wire::{Call, Failure};
use super::world::{EndState, ROLE, World, manifest, policy_name, role};
use super::{in_parallel, paused};

/// Half of it passes before the users change anything, half after.
const OUTAGE: Duration = Duration::from_mins(20);

/// An object that nothing is wrong with is in step by then, whatever happens to another.
const UNHINDERED: Duration = Duration::from_mins(1);

/// The longest wait between two tries, and as much again for what they need.
const HEALED: Duration = Duration::from_mins(16);

const AT_REST: Duration = Duration::from_mins(11);

/// Each write, and each change of Ready: to not ready and back, for each object, in each half of the outage.
const MOST_EVENTS: usize = 8 + 3 * 4;

/// When the outage begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// With the operator's start.
    AtStart,
    /// After everything had come to rest.
    AtRest,
}

impl Begin {
    /// Both for one failure of each sort; the others, which differ in their words only, hit the start.
    pub(crate) fn of(failure: Failure) -> &'static [Self] {
        match failure {
            Failure::Status(500)
            | Failure::Denied
            | Failure::Hang
            | Failure::LostReply
            | Failure::Truncated => &[Self::AtStart, Self::AtRest],
            _ => &[Self::AtStart],
        }
    }
}

/// What goes wrong, for whom.
#[derive(Clone, Copy)]
pub(crate) struct Outage {
    pub(crate) begin: Begin,
    pub(crate) kind: &'static str,
    pub(crate) failure: Failure,
    /// Which calls of the kind.
    pub(crate) hits: fn(&Call) -> bool,
    /// Whom it must not hinder.
    pub(crate) unhindered: &'static [&'static str],
}

impl fmt::Display for Outage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {:?} {:?}", self.kind, self.failure, self.begin)
    }
}

/// The most requests in any one minute of an outage.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rates {
    /// In the first two minutes, when delays are still short.
    pub(crate) at_first: usize,
    /// Later.
    pub(crate) later: usize,
}

/// The objects of `team-a`, `team-b` and `team-c`, and what must be seen while the outage lasts.
#[derive(Clone, Copy)]
pub(crate) struct Story {
    pub(crate) objects: fn() -> [Value; 3],
    /// Before the users change anything.
    pub(crate) in_the_middle: fn(&World, &Outage),
    /// After they did.
    pub(crate) at_last: fn(&World, &Outage),
}

/// Tells the story once for each outage: its end must be the same as without, and no minute may hold more requests than `most`.
pub(crate) fn tell(story: Story, outages: Vec<Outage>, most: Rates, seed: u64) {
    let end = paused(seed, undisturbed(story, seed));
    let told = in_parallel(outages, |outage| {
        let rates = catch_unwind(|| paused(seed, disturbed(story, outage, seed, &end))).ok();
        (outage, rates)
    });
    let mut failed = Vec::new();
    let mut highest = Rates::default();
    for (outage, rates) in &told {
        let Some(Rates { at_first, later }) = *rates else {
            failed.push(format!("{outage}: see above"));
            continue;
        };
        println!("{outage}: at most {at_first} requests in a minute at first, {later} later");
        if at_first > most.at_first || later > most.later {
            failed.push(format!("{outage}: {at_first} requests in a minute at first, {later} later"));
        }
        highest = Rates { at_first: highest.at_first.max(at_first), later: highest.later.max(later) };
    }
    let (count, Rates { at_first, later }) = (told.len(), highest);
    println!("{} of {count} outages ended well", count - failed.len());
    println!("at most {at_first} requests in a minute at first, {later} later");
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The end without any outage.
async fn undisturbed(story: Story, seed: u64) -> EndState {
    let mut world = begun(story, seed);
    world.start().await;
    sleep(OUTAGE / 2).await;
    change(&world);
    sleep(OUTAGE / 2).await;
    ended(story, &world, "undisturbed").await
}

/// The end after an outage, which must be the same; how many requests were sent meanwhile.
async fn disturbed(story: Story, outage: Outage, seed: u64, end: &EndState) -> Rates {
    let what = format!("{outage}, seed {seed}");
    let mut world = begun(story, seed);
    if outage.begin == Begin::AtRest {
        world.start().await;
        sleep(UNHINDERED).await;
    }
    let begin = Instant::now();
    world.wire.fail(move |call| call.kind == outage.kind && (outage.hits)(call), outage.failure);
    if outage.begin == Begin::AtStart {
        world.start().await;
    }
    in_step(&world, &outage, &what).await;
    sleep(OUTAGE / 2).await;
    (story.in_the_middle)(&world, &outage);
    change(&world);
    in_step(&world, &outage, &what).await;
    sleep(OUTAGE / 2).await;
    (story.at_last)(&world, &outage);
    let rates = rates(&world, begin);
    world.wire.heal();

    sleep(HEALED).await;
    assert_eq!(ended(story, &world, &what).await.difference(end), Vec::<String>::new(), "{what}");
    rates
}

/// Three teams on one role, where others have policies too.
pub(crate) fn objects() -> [Value; 3] {
    ["team-a", "team-b", "team-c"].map(|team| manifest(team, ROLE))
}

fn begun(story: Story, seed: u64) -> World {
    let world = World::new(seed);
    world.sandbox.create_role(role(ROLE));
    for object in (story.objects)() {
        world.cluster.create(&object);
    }
    world
}

fn change(world: &World) {
    for team in ["team-a", "team-b"] {
        world.cluster.edit(team, ROLE, |object| {
            let more = json!({"modelId": "amazon.nova-micro-v1:0", "scopes": ["us"]});
            object["spec"]["models"].as_array_mut().unwrap().push(more);
        });
    }
    world.cluster.delete("team-c", ROLE);
}

async fn in_step(world: &World, outage: &Outage, what: &str) {
    for team in outage.unhindered {
        world.until(&format!("{what}: {team} is hindered"), UNHINDERED, |world| world.is_ready(team)).await;
    }
}

/// At rest nothing is written; and from the beginning nothing foreign was changed, and nothing wanted was absent.
async fn ended(story: Story, world: &World, what: &str) -> EndState {
    world.settle(Duration::from_mins(2), HEALED).await;
    let begin = Instant::now();
    sleep(AT_REST).await;
    let written = world.wire.sent().into_iter().filter(|(at, call)| *at >= begin && call.is_write());
    let written: BTreeSet<String> = written.map(|(_, call)| call.kind).collect();
    assert!(written.is_empty(), "{what}: written at rest: {written:?}");

    let events = world.cluster.events().len();
    assert!(events <= MOST_EVENTS, "{what}: {events} Events");

    let ours = ["team-a", "team-b", "team-c"].map(policy_name);
    super::history::assert_nothing_foreign_changed(&world.sandbox, 2, &ours, what);
    for object in &(story.objects)()[..2] {
        let source = object["spec"]["sourceRegions"][0].as_str().unwrap();
        let policy = policy_name(object["metadata"]["namespace"].as_str().unwrap());
        let wanted = [US, GLOBAL].map(|profile| grant(&world.sandbox, source, profile));
        assert_never_absent(&world.sandbox, &policy, &wanted, &Disturbances::new(), what);
    }
    world.end_state()
}

fn rates(world: &World, begin: Instant) -> Rates {
    let early = begin + Duration::from_mins(2);
    Rates {
        at_first: world.most_per_minute(begin, early),
        later: world.most_per_minute(early, Instant::now()),
    }
}
