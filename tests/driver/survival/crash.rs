//! The operator dies at each of its requests in turn, before and after the server did what it asked.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::catch_unwind;
use std::time::Duration;

use bedrock_iam::Grant;
use tokio::time::{Instant, sleep, timeout};

use super::history::{
    Disturbances, assert_never_absent, assert_nothing_foreign_changed, assert_statement_beside_stays, grant,
};
use super::orphans;
use super::scenarios::{self, Scenario, TEAM};
use super::wire::Crash;
use super::world::{EndState, ROLE, SOURCE, World, policy_name};
use super::{in_parallel, paused};

/// Longer than anything that follows a change at once, shorter than the interval.
const SILENCE: Duration = Duration::from_mins(2);
const LIMIT: Duration = Duration::from_mins(30);

/// For what is found at the next interval.
const AT_THE_INTERVAL: Duration = Duration::from_mins(12);

/// More than a whole interval.
const AT_REST: Duration = Duration::from_mins(11);

/// How the operator comes to know of the change.
#[derive(Clone, Copy, Debug)]
enum Notice {
    /// By its watch.
    Live,
    /// From its first list, having been down meanwhile.
    AtStart,
}

/// How many crash points were reached, and where the run came to no good end.
struct Swept {
    run: String,
    reached: usize,
    points: usize,
    failed: Vec<String>,
}

struct Run {
    scenario: Scenario,
    notice: Notice,
    /// How long nothing is sent once all has been done.
    silence: Duration,
}

/// The number of requests that the undisturbed run makes, and what it comes to.
struct Undisturbed {
    requests: usize,
    end: EndState,
}

impl fmt::Display for Run {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let notice = match self.notice {
            Notice::Live => "seen by the watch",
            Notice::AtStart => "found at the start",
        };
        write!(out, "{}, {notice}", self.scenario.name)
    }
}

#[test]
fn the_end_is_the_same_wherever_the_operator_dies() {
    let seed = super::seed();
    let mut runs: Vec<Run> = Vec::new();
    for notice in [Notice::AtStart, Notice::Live] {
        let at_once = |scenario| Run { scenario, notice, silence: SILENCE };
        runs.extend(scenarios::all().into_iter().map(at_once));
        runs.push(Run { scenario: orphans::story(), notice, silence: AT_THE_INTERVAL });
    }
    let swept = in_parallel(runs, |run| run.sweep(seed));
    for one in &swept {
        println!("{}: {} of {} crash points", one.run, one.reached, one.points);
    }
    let sum = |count: fn(&Swept) -> usize| swept.iter().map(count).sum::<usize>();
    let (reached, points) = (sum(|one| one.reached), sum(|one| one.points));
    println!("total: {reached} of {points} crash points");
    let failed: Vec<&String> = swept.iter().flat_map(|one| &one.failed).collect();
    assert!(failed.is_empty(), "no good end: {failed:#?}");
    assert_eq!(reached, points, "a crash point was never reached");
}

impl Run {
    fn sweep(&self, seed: u64) -> Swept {
        let undisturbed = paused(seed, self.undisturbed(seed));
        let (mut reached, mut points, mut failed) = (0, 0, Vec::new());
        for number in 1..=undisturbed.requests {
            for crash in [Crash::BeforeApplied, Crash::ReplyLost] {
                points += 1;
                let seed = seed + points as u64;
                match catch_unwind(|| paused(seed, self.disturbed(seed, number, crash, &undisturbed.end))) {
                    Ok(died) => reached += usize::from(died),
                    Err(_) => failed.push(format!("{self}, request {number}, {crash:?}, seed {seed}")),
                }
            }
        }
        Swept { run: self.to_string(), reached, points, failed }
    }

    async fn undisturbed(&self, seed: u64) -> Undisturbed {
        let (mut world, wanted) = self.begin(seed).await;
        let sent = world.wire.sent().len();
        let disturbances = self.act(&mut world).await;
        world.settle(self.silence, LIMIT).await;
        let requests = world.wire.sent().len() - sent;
        assert!((self.scenario.ends_well)(&world), "{self}: {:#?}", world.cluster.objects());
        self.check(&world, wanted, &disturbances, &format!("{self}, undisturbed, seed {seed}"));
        self.stay_at_rest(&world, "undisturbed").await;
        Undisturbed { requests, end: world.end_state() }
    }

    /// Whether the operator came to the request at which it was to die.
    async fn disturbed(&self, seed: u64, number: usize, crash: Crash, end: &EndState) -> bool {
        let what = format!("{self}, request {number}, {crash:?}, seed {seed}");
        let (mut world, wanted) = self.begin(seed).await;
        world.wire.die_at(number, crash);
        let disturbances = self.act(&mut world).await;
        let died = timeout(LIMIT, world.wire.death()).await.is_ok();
        world.kill().await;
        world.start().await;
        world.settle(self.silence, LIMIT).await;
        self.check(&world, wanted, &disturbances, &what);
        assert_eq!(world.end_state().difference(end), Vec::<String>::new(), "{what}");
        self.stay_at_rest(&world, &what).await;
        assert_eq!(world.end_state().difference(end), Vec::<String>::new(), "{what}");
        died
    }

    /// Everything at rest, and the grants that must not be lost.
    async fn begin(&self, seed: u64) -> (World, Vec<Grant>) {
        let mut world = World::new(seed);
        (self.scenario.prepare)(&world);
        world.start().await;
        world.settle(SILENCE, LIMIT).await;
        (self.scenario.first)(&world);
        world.settle(SILENCE, LIMIT).await;
        let wanted =
            self.scenario.throughout.iter().map(|profile| grant(&world.sandbox, SOURCE, profile)).collect();
        (world, wanted)
    }

    async fn act(&self, world: &mut World) -> Disturbances {
        match self.notice {
            Notice::Live => (self.scenario.act)(world),
            Notice::AtStart => {
                world.kill().await;
                let disturbances = (self.scenario.act)(world);
                world.start().await;
                disturbances
            }
        }
    }

    fn check(&self, world: &World, mut wanted: Vec<Grant>, disturbances: &Disturbances, what: &str) {
        let ours = [policy_name(TEAM)];
        let prepared =
            world.sandbox.history(ROLE).iter().take_while(|change| change.policy != ours[0]).count();
        assert_nothing_foreign_changed(&world.sandbox, prepared, &ours, what);
        assert_statement_beside_stays(&world.sandbox, &ours[0], what);
        wanted.extend(self.scenario.afterwards.iter().map(|profile| grant(&world.sandbox, SOURCE, profile)));
        assert_never_absent(&world.sandbox, &ours[0], &wanted, disturbances, what);
    }

    /// At rest nothing is written, neither in AWS nor in Kubernetes.
    async fn stay_at_rest(&self, world: &World, what: &str) {
        let begin = Instant::now();
        sleep(AT_REST).await;
        let sent = world.wire.sent().into_iter().filter(|(at, call)| *at >= begin && call.is_write());
        let kinds: BTreeSet<String> = sent.map(|(_, call)| call.kind).collect();
        assert!(kinds.is_empty(), "{self}, {what}: written at rest: {kinds:?}");
    }
}
