use std::collections::BTreeMap;

use super::*;

const ROUNDS: u64 = 200;

fn tenant(name: &str) -> Arc<str> {
    Arc::from(name)
}

fn next(turns: &mut Turns<u32>) -> Option<(String, u32)> {
    turns.next(|_, _| Some(0)).map(|turn| (turn.tenant.to_string(), turn.item))
}

fn all(turns: &mut Turns<u32>) -> Vec<u32> {
    std::iter::from_fn(|| next(turns)).map(|(_, item)| item).collect()
}

#[test]
fn of_one_tenant_and_urgency_who_came_first_goes_first() {
    let mut turns = Turns::default();
    for item in 0..10 {
        turns.join(&tenant("a"), Urgency::Routine, item);
    }
    assert_eq!(all(&mut turns), (0..10).collect::<Vec<_>>());
    assert!(turns.is_empty());
}

#[test]
fn tenants_take_turns_however_much_each_waits_for() {
    let mut turns = Turns::default();
    for item in 0..100 {
        turns.join(&tenant("a"), Urgency::Routine, item);
    }
    for item in 100..104 {
        turns.join(&tenant("b"), Urgency::Routine, item);
    }
    let first: Vec<u32> = all(&mut turns).into_iter().take(8).collect();
    assert_eq!(first.iter().filter(|item| **item >= 100).count(), 4, "{first:?}");
}

#[test]
fn what_is_urgent_overtakes_what_waits_longer_of_every_tenant() {
    for urgent in [Urgency::Withdrawal, Urgency::Change] {
        let mut turns = Turns::default();
        for number in 0..50 {
            turns.join(&tenant(&format!("team-{number}")), Urgency::Routine, number);
        }
        turns.join(&tenant("team-7"), urgent, 1000);
        let order = all(&mut turns);
        assert!(order[..2].contains(&1000), "{urgent:?}: {order:?}");
    }
}

#[test]
fn who_hurries_goes_ahead_and_is_as_old_as_before() {
    let mut turns = Turns::default();
    let a = tenant("a");
    let places: Vec<Place> = (0..3).map(|item| turns.join(&a, Urgency::Routine, item)).collect();
    turns.join(&a, Urgency::Change, 3);
    let hurried = turns.hurry(&a, places[1], Urgency::Change);
    assert_eq!(turns.hurry(&a, hurried, Urgency::Routine), hurried, "nobody is slowed down");
    assert_eq!(all(&mut turns), [1, 0, 3, 2]);
}

#[test]
fn who_comes_back_again_and_again_stands_behind_those_who_wait() {
    let mut turns = Turns::default();
    turns.join(&tenant("b"), Urgency::Routine, 1);
    turns.join(&tenant("a"), Urgency::Routine, 0);
    for _ in 0..4 {
        if next(&mut turns) == Some(("b".to_owned(), 1)) {
            return;
        }
        turns.join(&tenant("a"), Urgency::Routine, 0);
    }
    panic!("whoever never stays away for long is served alone");
}

#[test]
fn who_left_is_not_served() {
    let mut turns = Turns::default();
    let place = turns.join(&tenant("a"), Urgency::Routine, 1);
    turns.join(&tenant("a"), Urgency::Routine, 2);
    assert_eq!(turns.leave("a", place), Some(1));
    assert_eq!(turns.leave("a", place), None);
    assert_eq!(all(&mut turns), [2]);
}

#[test]
fn who_would_go_beyond_its_share_waits_for_the_others_and_who_may_not_is_passed_over() {
    let mut turns = Turns::default();
    turns.join(&tenant("a"), Urgency::Withdrawal, 1);
    turns.join(&tenant("b"), Urgency::Routine, 2);
    turns.join(&tenant("c"), Urgency::Withdrawal, 3);
    let excess = |tenant: &str, _| match tenant {
        "a" => Some(1),
        "b" => Some(0),
        _ => None,
    };
    let served: Vec<u32> = std::iter::from_fn(|| turns.next(excess)).map(|turn| turn.item).collect();
    assert_eq!(served, [2, 1]);
    assert_eq!(all(&mut turns), [3]);
}

/// Tenants that come back with urgent work whenever they were served, and one that waits with a routine look: it is served after at
/// most two turns for each.
#[test]
fn nobody_is_overtaken_for_longer_than_two_rounds() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    for _ in 0..ROUNDS {
        let mut turns = Turns::default();
        let flooding = rng.u32(1..20);
        let flood = |turns: &mut Turns<u32>, rng: &mut fastrand::Rng, name: &str| {
            for _ in 0..rng.u32(1..4) {
                let urgency = Urgency::ALL[rng.usize(..3)];
                turns.join(&tenant(name), urgency, 0);
            }
        };
        for number in 0..flooding {
            flood(&mut turns, &mut rng, &format!("team-{number}"));
        }
        for _ in 0..rng.u32(..50) {
            let served = next(&mut turns).unwrap().0;
            flood(&mut turns, &mut rng, &served);
        }
        turns.join(&tenant("calm"), Urgency::Routine, 1);
        let is_served = (0..=2 * flooding + 1).any(|before| {
            let (served, item) = next(&mut turns).unwrap();
            flood(&mut turns, &mut rng, &served);
            // A tenant of many namespaces may go on opening new ones.
            flood(&mut turns, &mut rng, &format!("new-{before}"));
            item == 1
        });
        assert!(is_served, "more than two rounds of {flooding} tenants were served before");
    }
}

/// A tenant that floods the operator with changes of its own must not put off the look that finds its consent withdrawn.
#[test]
fn a_tenant_s_own_urgent_work_puts_off_its_oldest_for_two_turns_of_its_own() {
    let mut turns = Turns::default();
    let a = tenant("a");
    turns.join(&a, Urgency::Routine, 1);
    for _ in 0..10 {
        turns.join(&a, Urgency::Change, 0);
        turns.join(&tenant("b"), Urgency::Routine, 2);
    }
    let mut own = 0;
    for _ in 0..100 {
        let (served, item) = next(&mut turns).unwrap();
        if item == 1 {
            assert!(own <= 2, "{own} others of the tenant were served before");
            return;
        }
        if served == "a" {
            own += 1;
        }
        turns.join(&tenant(&served), if served == "a" { Urgency::Change } else { Urgency::Routine }, 0);
    }
    panic!("the oldest was not served");
}

#[test]
fn nothing_is_lost_and_nothing_served_twice() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut turns = Turns::default();
    let mut waiting = BTreeMap::new();
    let mut served = 0;
    for item in 0..5_000 {
        let name = tenant(&format!("team-{}", rng.u32(..7)));
        match rng.u32(..4) {
            0 | 1 => {
                let place = turns.join(&name, Urgency::ALL[rng.usize(..4)], item);
                waiting.insert(item, (name, place));
            }
            2 => {
                if let Some(turn) = turns.next(|_, _| Some(0)) {
                    let (name, place) = waiting.remove(&turn.item).expect("served twice");
                    assert_eq!((turn.tenant, turn.urgency), (name, place.urgency));
                    served += 1;
                }
            }
            _ => {
                let number = rng.usize(..=waiting.len());
                if let Some(&item) = waiting.keys().nth(number) {
                    let (name, place) = waiting[&item].clone();
                    let hurried = turns.hurry(&name, place, Urgency::ALL[rng.usize(..4)]);
                    waiting.insert(item, (name, hurried));
                }
            }
        }
    }
    assert!(served > 500, "{served}");
    assert_eq!(all(&mut turns).len(), waiting.len());
}
