//! Owners of targets: each is asked once in an interval however many objects go by its word, and is obeyed within that.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::wire::{Call, Failure};
use super::world::{CONSENT, SOURCE, World, manifest, role};
use super::{paused, run};
use crate::context::INTERVAL;

const SOON: Duration = Duration::from_secs(5);

/// What was written is believed for a minute; from then on nothing is left to be said.
const SHOWN: Duration = Duration::from_secs(70);

const GUARDRAIL: &str = "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcdefghijkl";

fn name(number: usize) -> String {
    format!("app-{number}")
}

fn model(number: usize) -> String {
    format!("arn:aws:bedrock:{SOURCE}:111122223333:provisioned-model/model{number:07}")
}

fn object(number: usize, models: &[String]) -> Value {
    let mut object = manifest("team-a", &name(number));
    object["metadata"]["name"] = json!(name(number));
    object["spec"]["models"] = models.iter().map(|arn| json!({"modelArn": arn})).collect();
    object
}

fn guarded(number: usize) -> Value {
    let mut object = manifest("team-a", &name(number));
    object["metadata"]["name"] = json!(name(number));
    object["spec"]["guardrails"] = json!([{"arn": GUARDRAIL, "version": "1"}]);
    object
}

/// The objects of an operator, each with a role of its own.
async fn world(seed: u64, owners: &[String], objects: Vec<Value>) -> World {
    let mut world = World::new(seed);
    world.wire.expect(1_000_000);
    for arn in owners {
        world.sandbox.set_tagged_resource(arn, &[(CONSENT, "team-a")]);
    }
    for object in &objects {
        world.sandbox.create_role(role(object["spec"]["role"]["name"].as_str().unwrap()));
        world.cluster.create(object);
    }
    world.start().await;
    world
}

fn is_granted(world: &World, number: usize, arn: &str) -> bool {
    let name = name(number);
    let policies = world.sandbox.role_policies(&name).into_iter();
    let mut documents = policies.filter_map(|policy| world.sandbox.role_policy(&name, &policy));
    documents.any(|document| document.contains(arn))
}

fn reason(world: &World, number: usize) -> Option<String> {
    let object = world.cluster.get("team-a", &name(number))?;
    let conditions = object["status"]["conditions"].as_array()?;
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
    Some(ready["reason"].as_str()?.to_owned())
}

fn asked(world: &World, kind: &str, begin: Instant) -> usize {
    world.wire.sent().iter().filter(|(at, call)| *at >= begin && call.kind == kind).count()
}

#[test]
fn an_owner_is_asked_once_in_an_interval_however_many_objects_go_by_its_word() {
    run(async |seed| {
        let models: Vec<String> = (0..100).map(model).collect();
        let world = world(seed, &models, (0..20).map(|number| object(number, &models)).collect()).await;
        sleep(SHOWN).await;
        let first = asked(&world, "ListTagsForResource", Instant::now() - SHOWN);
        assert_eq!(first, 100, "20 objects that come together");
        let begin = Instant::now();
        sleep(10 * INTERVAL).await;
        let later = asked(&world, "ListTagsForResource", begin);
        // A little more often than the interval, so that nobody hears of a withdrawal too late.
        assert!((900..=1_100).contains(&later), "{later} in ten intervals");
    });
}

#[test]
fn a_guardrail_that_many_objects_share_is_asked_for_once_in_an_interval_also_at_rest() {
    run(async |seed| {
        let world = world(seed, &[GUARDRAIL.to_owned()], (0..30).map(guarded).collect()).await;
        sleep(SHOWN + 2 * INTERVAL).await;
        let at_rest = world.metric("bedrock_access_objects_at_rest").unwrap();
        assert_eq!(at_rest, "30");
        let begin = Instant::now();
        sleep(10 * INTERVAL).await;
        let (tags, looks) = (asked(&world, "ListTagsForResource", begin), asked(&world, "GetRole", begin));
        assert!((9..=11).contains(&tags), "{tags}");
        assert!(looks <= 60, "{looks}: each by its own reads once in six hours");
    });
}

#[test]
fn what_is_not_there_or_does_not_consent_is_not_asked_for_by_each_object() {
    run(async |seed| {
        let models: Vec<String> = (0..100).map(model).collect();
        let world = world(seed, &[], (0..20).map(|number| object(number, &models)).collect()).await;
        sleep(6 * INTERVAL).await;
        let begin = Instant::now();
        sleep(10 * INTERVAL).await;
        let asked = asked(&world, "ListTagsForResource", begin);
        assert!(asked <= 10 * 100 * 3, "{asked} in ten intervals");
    });
}

/// So many objects, of which all but the last name the model; those that do obey in time.
async fn a_withdrawal_is_obeyed(seed: u64, number: usize, after: Duration) {
    let (own, other) = (model(1), model(2));
    let mut objects: Vec<Value> =
        (0..number).map(|number| object(number, std::slice::from_ref(&own))).collect();
    objects.push(object(number, std::slice::from_ref(&other)));
    let world = world(seed, &[own.clone(), other.clone()], objects).await;
    sleep(SHOWN + 2 * INTERVAL + after).await;
    assert!((0..number).all(|number| is_granted(&world, number, &own)));
    world.sandbox.set_tags(&own, &[(CONSENT, "@none")]).unwrap();
    let begin = Instant::now();
    let is_gone = |world: &World| (0..number).all(|number| !is_granted(world, number, &own));
    world.until("it is gone from all", INTERVAL + SOON, is_gone).await;
    assert!(is_granted(&world, number, &other));
    let writes = world.sandbox.history(&name(number)).len();
    println!("{number} objects obey after {:?}; {writes} writes elsewhere", begin.elapsed());
}

#[test]
fn a_withdrawal_is_obeyed_within_the_interval_by_one_object_and_by_many_whenever_it_comes() {
    let seed = super::seed();
    let cases: Vec<_> =
        [1, 9, 40].into_iter().flat_map(|number| (0..6).map(move |part| (number, part))).collect();
    super::in_parallel(cases, |(number, part)| {
        paused(seed + u64::from(part), a_withdrawal_is_obeyed(seed, number, part * INTERVAL / 6));
    });
}

#[test]
fn a_withdrawal_is_obeyed_in_time_though_those_who_asked_before_are_gone() {
    run(async |seed| {
        let own = model(1);
        let world =
            world(seed, std::slice::from_ref(&own), vec![object(0, std::slice::from_ref(&own))]).await;
        sleep(SHOWN).await;
        world.sandbox.set_tags(&own, &[(CONSENT, "@none")]).unwrap();
        let withdrawn = Instant::now();
        // Another object comes, goes by what was said before, and is the only one left.
        sleep(INTERVAL / 2).await;
        world.sandbox.create_role(role(&name(1)));
        world.cluster.create(&object(1, std::slice::from_ref(&own)));
        world.until("it is granted", SOON, |world| is_granted(world, 1, &own)).await;
        world.cluster.delete("team-a", &name(0));
        let left = (INTERVAL + SOON).saturating_sub(withdrawn.elapsed());
        world.until("it is gone", left, |world| !is_granted(world, 1, &own)).await;
    });
}

#[test]
fn another_word_of_an_owner_wakes_those_who_go_by_it_and_nobody_else() {
    run(async |seed| {
        let (own, other) = (model(1), model(2));
        let objects = (0..9).map(|number| object(number, &[if number < 4 { &own } else { &other }.clone()]));
        let mut world = world(seed, &[own.clone(), other.clone()], objects.collect()).await;
        world.wire.expect(100_000);
        sleep(SHOWN + INTERVAL).await;
        world.sandbox.set_tags(&own, &[(CONSENT, "@none")]).unwrap();
        let before: Vec<usize> = (0..9).map(|number| looks(&world, number)).collect();
        let is_gone = |world: &World| !(0..4).any(|number| is_granted(world, number, &own));
        world.until("it is gone", INTERVAL + SOON, is_gone).await;
        let more: Vec<usize> = (0..9).map(|number| looks(&world, number) - before[number]).collect();
        assert!(more[..4].iter().all(|looks| (1..=3).contains(looks)), "{more:?}");
        assert!(more[4..].iter().all(|looks| *looks <= 2), "their own looks alone: {more:?}");
        world.kill().await;
    });
}

fn looks(world: &World, number: usize) -> usize {
    let name = name(number);
    let calls = world.sandbox.calls();
    calls.iter().filter(|call| call.operation == "GetRole" && call.target.as_deref() == Some(&name)).count()
}

/// Objects that were refused for long, so that an answer is at hand.
async fn refused(seed: u64) -> (World, String) {
    let own = model(1);
    let objects = (0..12).map(|number| object(number, std::slice::from_ref(&own))).collect();
    let world = world(seed, std::slice::from_ref(&own), objects).await;
    world.sandbox.set_tags(&own, &[(CONSENT, "team-b")]).unwrap();
    sleep(5 * INTERVAL).await;
    assert!((0..12).all(|number| reason(&world, number).as_deref() == Some("TargetNotAllowed")));
    (world, own)
}

#[test]
fn consent_that_is_given_after_a_refusal_is_seen_at_the_next_look_of_any_object_and_wakes_the_others() {
    run(async |seed| {
        let (world, own) = refused(seed).await;
        world.sandbox.set_tags(&own, &[(CONSENT, "team-a")]).unwrap();
        let any = |world: &World| (0..12).any(|number| is_granted(world, number, &own));
        world.until("somebody sees it", INTERVAL, any).await;
        let all = |world: &World| (0..12).all(|number| is_granted(world, number, &own));
        world.until("the others hear of it", SOON, all).await;
    });
}

#[test]
fn who_is_new_is_not_refused_by_an_old_answer() {
    run(async |seed| {
        let (world, own) = refused(seed).await;
        // The answer that is at hand has just been given.
        world.cluster.annotate("team-a", &name(3), "bedrockaccess.io/reconcile-at", "now");
        sleep(Duration::from_secs(2)).await;
        world.sandbox.set_tags(&own, &[(CONSENT, "team-a")]).unwrap();
        world.sandbox.create_role(role(&name(12)));
        world.cluster.create(&object(12, std::slice::from_ref(&own)));
        let all = |world: &World| (0..=12).all(|number| is_granted(world, number, &own));
        world.until("it is granted, and the others hear of it", SOON, all).await;
    });
}

#[test]
fn an_owner_that_does_not_answer_keeps_what_it_allowed_and_is_not_asked_on_and_on() {
    run(async |seed| {
        let own = model(1);
        let world =
            world(seed, std::slice::from_ref(&own), vec![object(0, std::slice::from_ref(&own))]).await;
        sleep(SHOWN).await;
        world.wire.fail(|call: &Call| call.kind == "ListTagsForResource", Failure::Denied);
        let begin = Instant::now();
        sleep(6 * INTERVAL).await;
        let asked = asked(&world, "ListTagsForResource", begin);
        assert!(is_granted(&world, 0, &own));
        assert!(asked <= 60, "{asked} in six intervals");
        world.wire.heal();
        world.sandbox.set_tags(&own, &[(CONSENT, "@none")]).unwrap();
        world.until("it is gone", INTERVAL + SOON, |world| !is_granted(world, 0, &own)).await;
    });
}
