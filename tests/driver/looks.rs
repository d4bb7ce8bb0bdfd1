//! How often an object is looked at with which something is wrong.

use std::time::Duration;

use bedrock_access::reconcile::NextLook;
use serde_json::{Value, json};

use crate::context::INTERVAL;
use crate::world::{World, consenting, manifest};

type Wrong = (&'static str, fn(&mut Value));

const WRONG: [Wrong; 3] = [
    ("no role", |object| object["spec"]["role"]["name"] = json!("none")),
    ("no such model", |object| object["spec"]["models"] = json!([{"modelId": "amazon.unknown-v1:0"}])),
    ("what cannot be followed", |object| object["spec"]["models"] = json!([{"modelId": "NOT A MODEL"}])),
];

async fn looks(object: Value, number: usize) -> Vec<Duration> {
    let world = World::with(consenting(), object).await;
    let mut delays = Vec::new();
    for _ in 0..number {
        let NextLook::After(delay) = world.reconcile().await.unwrap() else { panic!("never") };
        delays.push(delay);
    }
    delays
}

#[tokio::test]
async fn an_object_in_error_is_looked_at_less_and_less_often_and_at_last_once_in_four_intervals() {
    let longest = 4 * INTERVAL;
    for (what, change) in WRONG {
        for interval in ["1m", "10m", "2h"] {
            let mut object = manifest();
            change(&mut object);
            object["spec"]["interval"] = json!(interval);
            let delays = looks(object, 16).await;
            assert!(delays.iter().all(|delay| *delay <= longest), "{what}, {interval}: {delays:?}");
            let last = delays[15];
            assert!(last >= longest.mul_f64(0.9), "{what}, {interval}: {delays:?}");
        }
    }
}

#[tokio::test]
async fn an_object_in_error_that_holds_something_is_looked_at_once_in_the_operator_s_interval() {
    for interval in ["1m", "10m", "2h"] {
        let mut object = manifest();
        object["spec"]["models"].as_array_mut().unwrap().push(json!({"modelId": "amazon.unknown-v1:0"}));
        object["spec"]["interval"] = json!(interval);
        let delays = looks(object, 16).await;
        assert!(delays.iter().all(|delay| *delay <= INTERVAL), "{interval}: {delays:?}");
        assert!(delays[15] >= INTERVAL.mul_f64(0.9), "{interval}: {delays:?}");
    }
}

#[tokio::test]
async fn an_object_in_step_is_looked_at_in_its_own_interval_every_time() {
    let mut object = manifest();
    object["spec"]["interval"] = json!("1m");
    let delays = looks(object, 14).await;
    assert!(delays[1..].iter().all(|delay| *delay <= Duration::from_mins(1)), "{delays:?}");
}
