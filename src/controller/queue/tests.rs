use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn key(namespace: &str, name: &str) -> Key {
    Key::new(namespace, name)
}

fn seeded() -> fastrand::Rng {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    fastrand::Rng::with_seed(seed)
}

/// All that can be had now, each done at once.
fn order(queue: &mut Queue, now: Instant) -> Vec<String> {
    let one = || {
        let task = queue.take(now)?;
        queue.done(&task.key);
        Some(task.key.name.to_string())
    };
    std::iter::from_fn(one).collect()
}

#[test]
fn within_a_namespace_what_became_due_first_goes_first() {
    let (mut queue, now) = (Queue::new(8), Instant::now());
    for (name, after) in [("c", 2), ("a", 3), ("b", 1), ("later", 9)] {
        queue.wake(&key("team-a", name), Urgency::Routine, now + after * SECOND);
    }
    assert_eq!(queue.take(now), None);
    assert_eq!(queue.next_due(), Some(now + SECOND));
    assert_eq!(order(&mut queue, now + 5 * SECOND), ["b", "c", "a"]);
    assert_eq!(queue.next_due(), Some(now + 9 * SECOND));
}

#[test]
fn a_change_overtakes_the_routine_of_every_namespace() {
    let (mut queue, now) = (Queue::new(8), Instant::now());
    for number in 0..300 {
        let namespace = format!("team-{}", number % 30);
        queue.wake(&key(&namespace, &format!("{number}")), Urgency::Routine, now);
    }
    assert_eq!(queue.take(now).map(|task| task.urgency), Some(Urgency::Routine));
    queue.wake(&key("team-5", "new"), Urgency::Change, now);
    assert!(order(&mut queue, now)[..2].contains(&"new".to_owned()));
}

#[test]
fn a_later_time_never_puts_off_an_earlier_one_and_the_more_urgent_counts() {
    let (mut queue, now) = (Queue::new(8), Instant::now());
    let object = key("team-a", "a");
    for (urgency, after) in [(Urgency::Routine, 5), (Urgency::Change, 7), (Urgency::Routine, 600)] {
        queue.wake(&object, urgency, now + after * SECOND);
    }
    let task = queue.take(now + 5 * SECOND).unwrap();
    assert_eq!((task.urgency, task.since), (Urgency::Change, now + 5 * SECOND));
    queue.done(&object);
    assert_eq!(queue.next_due(), None, "one look answers all that asked for one");
}

#[test]
fn what_is_woken_while_it_is_worked_on_is_handed_out_again_afterwards_and_not_before() {
    let (mut queue, now) = (Queue::new(8), Instant::now());
    let object = key("team-a", "a");
    queue.wake(&object, Urgency::Routine, now);
    queue.take(now).unwrap();
    queue.wake(&object, Urgency::Routine, now + 600 * SECOND);
    queue.wake(&object, Urgency::Withdrawal, now);
    assert_eq!(queue.take(now + SECOND), None);
    queue.done(&object);
    queue.wake(&object, Urgency::Routine, now + 600 * SECOND);
    assert_eq!(queue.take(now + SECOND).unwrap().urgency, Urgency::Withdrawal);
    queue.done(&object);
    assert_eq!(queue.take(now + 9999 * SECOND), None);
}

#[test]
fn the_oldest_due_is_the_one_that_waits_longest_for_a_worker() {
    let (mut queue, now) = (Queue::new(1), Instant::now());
    assert_eq!(queue.oldest_due(now), None);
    for (name, after) in [("a", 1), ("b", 2), ("c", 3)] {
        queue.wake(&key("team-a", name), Urgency::Routine, now + after * SECOND);
    }
    assert_eq!(queue.oldest_due(now), None, "nothing is due");
    queue.take(now + 2 * SECOND).unwrap();
    assert_eq!(queue.oldest_due(now + 2 * SECOND), Some(now + 2 * SECOND));
    queue.done(&key("team-a", "a"));
    queue.take(now + 2 * SECOND).unwrap();
    assert_eq!(queue.oldest_due(now + 4 * SECOND), Some(now + 3 * SECOND), "though nobody asked for it yet");
}

#[test]
fn a_namespace_that_takes_all_it_can_leaves_workers_to_others() {
    let (mut queue, now) = (Queue::new(8), Instant::now());
    for number in 0..100 {
        queue.wake(&key("flood", &format!("{number}")), Urgency::Change, now);
    }
    assert_eq!(std::iter::from_fn(|| queue.take(now)).count(), 8);
    queue.wake(&key("calm", "new"), Urgency::Routine, now);
    assert_eq!(queue.take(now).unwrap().key, key("calm", "new"));
}

/// The scheduler of kube-rs keeps what is due in a set, and takes the first of its order: who comes back at a low place is always
/// served, who stands late never.
#[test]
fn who_comes_back_at_once_again_and_again_starves_nobody() {
    let mut rng = seeded();
    let mut now = Instant::now();
    let mut queue = Queue::new(8);
    let objects: Vec<Key> = (0..40).map(|number| key("flood", &format!("{number}"))).collect();
    for object in &objects {
        queue.wake(object, Urgency::Change, now);
    }
    let mut served: BTreeMap<Key, u32> = BTreeMap::new();
    let mut running = Vec::new();
    for _ in 0..1_000 {
        while let Some(task) = queue.take(now) {
            *served.entry(task.key.clone()).or_default() += 1;
            running.push(task.key);
        }
        let ended = running.swap_remove(rng.usize(..running.len()));
        now += SECOND;
        queue.wake(&ended, if rng.bool() { Urgency::Change } else { Urgency::Routine }, now);
        queue.done(&ended);
    }
    let (least, most) = (served.values().min().unwrap(), served.values().max().unwrap());
    assert!(served.len() == 40 && most < &(3 * least), "{served:?}");
}

/// Whatever is waked, taken and done in whatever order: no key is out twice, no wake is without a look at its time or later, and a
/// namespace with due work waits for at most two turns for each namespace.
#[test]
fn nothing_is_lost_nothing_is_out_twice_and_nobody_is_overtaken_for_ever() {
    let mut rng = seeded();
    let begin = Instant::now();
    let mut now = begin;
    let mut queue = Queue::new(8);
    let mut running: BTreeSet<Key> = BTreeSet::new();
    // For which time each key was waked without having been taken since.
    let mut waked: BTreeMap<Key, Instant> = BTreeMap::new();
    let mut turns = 0;
    // The turn since which a namespace has had due work, and none under way.
    let mut waits: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for _ in 0..20_000 {
        match rng.u32(..3) {
            0 => {
                let object = key(&format!("team-{}", rng.u32(..6)), &format!("{}", rng.u32(..5)));
                let at = begin + Duration::from_millis(rng.u64(..2_000)) + now.duration_since(begin);
                let at = if rng.bool() { now } else { at };
                queue.wake(&object, Urgency::ALL[rng.usize(..3)], at);
                waked.entry(object).and_modify(|before| *before = at.min(*before)).or_insert(at);
            }
            1 => {
                if let Some(task) = queue.take(now) {
                    turns += 1;
                    assert!(running.insert(task.key.clone()), "{:?} is out twice", task.key);
                    let at = waked.remove(&task.key).expect("nobody waked it");
                    assert!(at <= now, "before its time");
                    waits.remove(&task.key.namespace);
                }
            }
            _ => {
                if !running.is_empty() {
                    let ended = running.iter().nth(rng.usize(..running.len())).unwrap().clone();
                    running.remove(&ended);
                    queue.done(&ended);
                }
            }
        }
        now += Duration::from_millis(rng.u64(..20));
        let is_idle = |namespace: &Arc<str>| !running.iter().any(|key| key.namespace == *namespace);
        let due = waked.iter().filter(|(_, at)| **at <= now).map(|(key, _)| Arc::clone(&key.namespace));
        let due: BTreeSet<Arc<str>> = due.filter(is_idle).collect();
        waits.retain(|namespace, _| due.contains(namespace));
        for namespace in due {
            let since = *waits.entry(namespace).or_insert(turns);
            assert!(turns - since <= 2 * 6 + 1, "overtaken {} times", turns - since);
        }
    }
    // What is left comes out, each once.
    for key in std::mem::take(&mut running) {
        queue.done(&key);
    }
    now += 10 * SECOND;
    while let Some(task) = queue.take(now) {
        waked.remove(&task.key).expect("nobody waked it");
        queue.done(&task.key);
    }
    assert_eq!(waked, BTreeMap::new(), "lost");
    assert!(turns > 1_000, "{turns}");
}
