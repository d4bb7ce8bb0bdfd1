//! Operators of one installation that divide the objects: who leads beside whom.

use std::cell::RefCell;

use super::*;
use crate::shard::Shard;

/// A while after the end of a division by when the next one leads: the lease in common runs out.
const RUN_OUT: Duration = Duration::from_secs(15 + 3);

fn numbered(index: u16, count: u16) -> Shard {
    Shard::new(Some(index), Some(count), None).unwrap()
}

fn selected(selector: &str) -> Shard {
    Shard::new(None, None, Some(selector.to_owned())).unwrap()
}

fn both(index: u16, count: u16, selector: &str) -> Shard {
    Shard::new(Some(index), Some(count), Some(selector.to_owned())).unwrap()
}

/// When an operator led, in seconds, and by which division.
#[derive(Default)]
struct Terms(RefCell<Vec<(&'static str, u64, u64)>>);

impl Terms {
    /// No two led at once that divide the objects otherwise.
    fn assert_apart(&self) {
        let terms = self.0.borrow();
        for (one, begun, ended) in terms.iter() {
            let at_once = |(other, from, to): &&(&str, u64, u64)| one != other && from < ended && begun < to;
            assert_eq!(terms.iter().find(at_once), None, "beside {one} from {begun} to {ended}: {terms:?}");
        }
    }

    fn begun(&self, division: &str) -> Vec<u64> {
        self.0.borrow().iter().filter(|(of, ..)| *of == division).map(|(_, begun, _)| *begun).collect()
    }
}

/// Runs an operator of a shard between two instants.
async fn operate(
    stored: &Stored,
    terms: &Terms,
    (division, shard): (&'static str, Shard),
    from: Duration,
    to: Duration,
) {
    let start = Instant::now();
    let end = sleep(to).boxed().shared();
    sleep(from).await;
    let fence = Fence::default();
    let lead = async || {
        let begun = start.elapsed().as_secs();
        while futures::FutureExt::now_or_never(end.clone()).is_none() && fence.check().is_ok() {
            sleep(100 * MOMENT).await;
        }
        terms.0.borrow_mut().push((division, begun, start.elapsed().as_secs()));
        end.clone().await;
    };
    let identity = format!("pod_{division}_{shard}_{from:?}");
    stored.candidate_of(&shard, &identity, &fence).run(end.clone(), || {}, lead).await;
}

#[tokio::test(start_paused = true)]
async fn shards_of_one_count_lead_beside_each_other() {
    let (stored, terms) = (Stored::slow(20 * MOMENT), Terms::default());
    let run = |index| operate(&stored, &terms, ("three", numbered(index, 3)), Duration::ZERO, 60 * SECOND);
    let during = async {
        sleep(30 * SECOND).await;
        assert_eq!(stored.holder(HOME).as_deref(), Some("shards-of-3"));
        let holders: Vec<String> = (0..3)
            .filter_map(|index| stored.holder(&format!("{HOME}/bedrock-access-shard-{index}")))
            .collect();
        assert_eq!(holders.len(), 3, "each has its own: {holders:?}");
    };
    tokio::join!(run(0), run(1), run(2), during);
    // Who comes second to the lease in common tries again in a moment.
    assert!(terms.begun("three").iter().all(|begun| *begun <= 4), "{:?}", terms.0);
    assert_eq!(terms.0.borrow().len(), 3);
    assert_eq!(stored.holder(HOME).as_deref(), Some("shards-of-3"), "it runs out by itself");
}

#[tokio::test(start_paused = true)]
async fn a_shard_s_second_operator_stands_by_and_takes_over_at_once() {
    let (stored, terms) = (Stored::default(), Terms::default());
    let first = operate(&stored, &terms, ("first", numbered(1, 2)), Duration::ZERO, 40 * SECOND);
    let second = operate(&stored, &terms, ("second", numbered(1, 2)), 10 * SECOND, 60 * SECOND);
    tokio::join!(first, second);
    let begun = terms.begun("second");
    assert!((40..=43).contains(&begun[0]), "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn who_divides_the_objects_otherwise_waits_until_all_others_have_gone() {
    let divisions = || {
        [
            ("all", vec![Shard::default()]),
            ("two", vec![numbered(0, 2), numbered(1, 2)]),
            ("three", vec![numbered(0, 3), numbered(1, 3), numbered(2, 3)]),
            ("selectors", vec![selected("a=b"), selected("!a")]),
        ]
    };
    for (before, earlier) in divisions() {
        // One that takes the lease of all waits by a clock that cannot be paused: tests/handover/shards.rs.
        for (after, later) in divisions().into_iter().filter(|(after, _)| *after != before && *after != "all")
        {
            let (stored, terms) = (Stored::slow(10 * MOMENT), Terms::default());
            let (stored, terms) = (&stored, &terms);
            // As in a rolling update: the new ones are there before the old go, one after the other.
            let old = earlier.iter().enumerate().map(|(number, shard)| {
                let end = Duration::from_secs(50 + 10 * number as u64);
                operate(stored, terms, (before, shard.clone()), Duration::ZERO, end)
            });
            let new = later
                .iter()
                .map(|shard| operate(stored, terms, (after, shard.clone()), 20 * SECOND, 150 * SECOND));
            tokio::join!(futures::future::join_all(old), futures::future::join_all(new));
            terms.assert_apart();
            let last = Duration::from_secs(40 + 10 * earlier.len() as u64);
            let latest = last + RUN_OUT + 4 * SECOND;
            let begun = terms.begun(after);
            assert_eq!(begun.len(), later.len(), "{before} to {after}: {begun:?}");
            let in_time = |begun: &u64| (last.as_secs()..=latest.as_secs()).contains(begun);
            assert!(begun.iter().all(in_time), "{before} to {after}: {begun:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_divisions_that_start_at_the_same_instant_one_leads() {
    for delay in [0, 1, 10, 700] {
        let (stored, terms) = (Stored::slow(delay * MOMENT), Terms::default());
        let run = |division, shard| operate(&stored, &terms, (division, shard), Duration::ZERO, 100 * SECOND);
        tokio::join!(
            run("two", numbered(0, 2)),
            run("two", numbered(1, 2)),
            run("three", numbered(0, 3)),
            run("three", numbered(1, 3)),
            run("selectors", selected("a=b")),
        );
        terms.assert_apart();
        assert!(!terms.0.borrow().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn operators_of_two_selectors_lead_beside_each_other_and_each_may_be_divided_further() {
    let (stored, terms) = (Stored::default(), Terms::default());
    let run = |division, shard, from: u64| {
        operate(&stored, &terms, (division, shard), Duration::from_secs(from), 100 * SECOND)
    };
    tokio::join!(
        run("a", selected("a=b"), 0),
        run("b", both(0, 2, "!a"), 0),
        run("b", both(1, 2, "!a"), 0),
        run("undivided", selected("!a"), 30),
        run("by three", both(2, 3, "!a"), 30),
        run("without", numbered(0, 2), 30),
    );
    assert_eq!((terms.begun("a").len(), terms.begun("b").len()), (1, 2));
    for waiting in ["undivided", "by three", "without"] {
        assert_eq!(terms.begun(waiting), Vec::<u64>::new(), "{waiting}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shard_whose_lease_in_common_is_taken_sends_nothing_any_more() {
    let (stored, fence) = (Stored::default(), Fence::default());
    let end = sleep(45 * SECOND).boxed().shared();
    let lead = async || {
        sleep(10 * SECOND).await;
        assert!(fence.check().is_ok());
        for _ in 0..15 {
            stored.give(HOME, "shards-of-3");
            sleep(2 * SECOND + 100 * MOMENT).await;
            assert!(fence.check().is_err(), "its own lease is not renewed without the one in common");
        }
        end.clone().await;
    };
    stored.candidate_of(&numbered(0, 2), "us", &fence).run(end.clone(), || {}, lead).await;
    assert_eq!(stored.holder(HOME).as_deref(), Some("shards-of-3"));
}

#[tokio::test(start_paused = true)]
async fn shards_of_two_releases_do_not_lead_beside_each_other() {
    let (stored, terms) = (Stored::default(), Terms::default());
    stored.give("elsewhere", "shards-of-2");
    let keeps = async {
        for _ in 0..10 {
            stored.give("elsewhere", "shards-of-2");
            sleep(2 * SECOND).await;
        }
    };
    tokio::join!(operate(&stored, &terms, ("two", numbered(0, 2)), Duration::ZERO, 60 * SECOND), keeps);
    let begun = terms.begun("two");
    assert!(begun.len() == 1 && (33..=37).contains(&begun[0]), "{begun:?}");
}
