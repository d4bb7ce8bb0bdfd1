//! Manifests of valid, nearly valid and hostile values, with any answers, from a seed that is printed on failure.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

use std::sync::Mutex;

use bedrock_access_api::annotations::ACCEPT_SHRINK;
use bedrock_access_api::v1alpha1::BedrockAccess;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use testing::manifest::{Came, grants_exactly_or_nothing, text_grants_exactly_or_nothing};
use testing::world::ACCOUNT;

const CASES: u32 = 2048;

const HOSTILE: [&str; 12] = [
    "*",
    "?",
    "",
    " ",
    "${aws:username}",
    "amazon.nova-*x",
    "amazon.nova-2-lite-v1:0\",\"*",
    "us-east-1\n",
    "\0",
    "модель.🦜",
    "arn:aws:bedrock:*:*:*/*",
    "arn:aws:bedrock:us-east-1:999999999999:provisioned-model/abcdefghijkl",
];

/// One of the right ones; now and then one that is nearly right, or anything at all.
fn text(
    right: &'static [&'static str],
    nearly: &'static [&'static str],
) -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        400 => select(right).prop_map(str::to_owned),
        2 => select(nearly).prop_map(str::to_owned),
        1 => select(&HOSTILE[..]).prop_map(str::to_owned),
        1 => ".{0,12}",
        1 => (select(right), select(&HOSTILE[..])).prop_map(|(right, piece)| format!("{right}{piece}")),
    ]
}

fn region() -> impl Strategy<Value = String> + Clone {
    text(
        &["us-east-1", "us-east-2", "us-west-2", "us-nowhere-9"],
        &["us-east", "US-EAST-1", "us-gov-west-1", "global"],
    )
}

fn scope() -> impl Strategy<Value = String> + Clone {
    text(&["us", "global", "eu", "in-region"], &["us.", "US", "in_region", "us-", "apac2"])
}

fn model_id() -> impl Strategy<Value = String> + Clone {
    text(
        &[
            "amazon.nova-2-lite-v1:0",
            "amazon.nova-micro-v1:0",
            "meta.llama3-3-70b-instruct-v1:0",
            "amazon.nova-*",
            "amazon.*",
        ],
        &["nova", "us.amazon.nova-2-lite-v1:0", "amazon.**", "*", "amazon.nova-?", ".", "a."],
    )
}

fn arn(kinds: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    let field = |right: &'static [&'static str], nearly: &'static [&'static str]| text(right, nearly);
    let partition = field(&["aws"], &["aws-us-gov", "AWS"]);
    let account = field(&[ACCOUNT], &["999999999999", "11112222333", ""]);
    let region = field(&["us-east-1"], &["us-west-2", "us-nowhere-9", "", "*"]);
    (
        partition,
        region,
        account,
        text(kinds, &["foundation-model/amazon.nova-2-lite-v1:0", "prompt-router/x", "/"]),
    )
        .prop_map(|(partition, region, account, resource)| {
            format!("arn:{partition}:bedrock:{region}:{account}:{resource}")
        })
}

fn entry() -> impl Strategy<Value = Value> + Clone {
    let scopes = prop_oneof![3 => Just(Value::Null), 1 => list(scope(), 0..3)];
    let by_id = (model_id(), scopes).prop_map(|(id, scopes)| match scopes {
        Value::Null => json!({"modelId": id}),
        scopes => json!({"modelId": id, "scopes": scopes}),
    });
    let profile = prop_oneof![
        text(&["us.amazon.nova-2-lite-v1:0", "global.amazon.nova-2-lite-v1:0"], &["us", "us.", ".amazon"]),
        arn(&["inference-profile/us.amazon.nova-micro-v1:0", "application-inference-profile/a1b2c3d4e5f6"]),
    ];
    let own = arn(&[
        "provisioned-model/abcdefghijkl",
        "imported-model/abcdefghijkl",
        "custom-model-deployment/abcdefghijkl",
    ]);
    prop_oneof![
        20 => by_id,
        10 => profile.prop_map(|profile| json!({"inferenceProfile": profile})),
        10 => own.prop_map(|model| json!({"modelArn": model})),
        1 => Just(json!({})),
        1 => (model_id(), model_id()).prop_map(|(one, other)| json!({"modelId": one, "inferenceProfile": other})),
    ]
}

fn list<T: std::fmt::Debug + 'static>(
    item: impl Strategy<Value = T> + 'static,
    size: std::ops::Range<usize>,
) -> impl Strategy<Value = Value> + Clone
where
    Value: From<Vec<T>>,
{
    prop::collection::vec(item, size).prop_map(Value::from).boxed()
}

fn sometimes(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    prop_oneof![3 => Just(Value::Null), 1 => value]
}

fn objects() -> impl Strategy<Value = BedrockAccess> {
    let role = prop_oneof![
        9 => text(&["assistant"], &["as sistant", "a/b"]).prop_map(|name| json!({"name": name})),
        1 => text(&["arn:aws:iam::111122223333:role/assistant"], &["arn:aws:sts::111122223333:assumed-role/a/b"]).prop_map(|arn| json!({"arn": arn})),
    ];
    let guardrail = (arn(&["guardrail/gr1"]), text(&["2", "DRAFT"], &["0x2", "-1", "99999999999", "draft"]))
        .prop_map(|(arn, version)| json!({"arn": arn, "version": version}));
    let routing = (list(scope(), 1..4), sometimes(list(region(), 0..4)), sometimes(list(text(&["apac", "jp"], &["in-region", "us", "global"]), 0..3)))
        .prop_map(|(scopes, lock, denied)| json!({"scopes": scopes, "allowedDestinationRegions": lock, "deniedScopes": denied}));
    let operations = list(
        text(&["InvokeModel", "InvokeModelWithResponseStream", "CountTokens"], &["Converse", "*"]),
        1..4,
    );
    let drift_policy = text(&["Enforce", "Report"], &["enforce", "Off"]);
    let annotation = text(
        &["us.amazon.nova-2-lite-v1:0@us-east-1", "a1b2c3d4e5f6"],
        &["@", "us.amazon.nova-2-lite-v1:0#2"],
    );
    let regions = prop_oneof![
        1 => list(region(), 0..4),
        9 => prop::collection::vec(region(), 0..3).prop_map(|more| json!([vec!["us-east-1".to_owned()], more].concat())),
    ];
    (role, regions, routing, prop::collection::vec(entry(), 1..6), sometimes(operations), sometimes(prop::collection::vec(guardrail, 0..3).prop_map(Value::from)), drift_policy, annotation, extras())
        .prop_map(|(role, regions, routing, models, operations, guardrails, drift_policy, annotation, extras)| {
            let mut object = json!({
                "apiVersion": "bedrockaccess.io/v1alpha1", "kind": "BedrockAccess",
                "metadata": {"name": "assistant", "namespace": "team-a", "annotations": {ACCEPT_SHRINK: annotation}},
                "spec": {
                    "role": role, "sourceRegions": regions, "routing": routing, "models": models, "operations": operations,
                    "guardrails": guardrails, "driftPolicy": drift_policy,
                },
            });
            object["spec"].as_object_mut().unwrap().extend(extras.as_object().unwrap().clone());
            serde_json::from_value(object).unwrap()
        })
}

/// What is wanted beside the invoke actions.
fn extras() -> impl Strategy<Value = Value> {
    let api_keys = sometimes(text(&["ShortTerm"], &["LongTerm", "SHORT_TERM"]).prop_map(Value::from));
    (any::<bool>(), any::<bool>(), api_keys).prop_map(|(discovery, responses, api_keys)| {
        json!({"discovery": discovery, "responses": responses, "apiKeys": api_keys})
    })
}

/// Lines as [`testing::manifest`] reads them.
fn answers() -> impl Strategy<Value = String> {
    let ids = || {
        text(
            &["us.amazon.nova-2-lite-v1:0", "amazon.nova-micro-v1:0", "eu.amazon.nova-pro-v1:0"],
            &["us.*", "amazon.*"],
        )
    };
    let arns = || {
        prop_oneof![
            (region(), model_id())
                .prop_map(|(region, model)| format!("arn:aws:bedrock:{region}::foundation-model/{model}")),
            arn(&["inference-profile/us.amazon.nova-2-lite-v1:0"]),
        ]
    };
    let line = |kind: &'static str, fields: BoxedStrategy<String>| {
        prop::collection::vec(fields, 1..5).prop_map(move |fields| format!("{kind}\t{}", fields.join("\t")))
    };
    let destination = prop_oneof![9 => region(), 1 => Just(String::new())].boxed();
    let line = prop_oneof![
        8 => line("routes", destination),
        2 => line("leads", arns().boxed()),
        1 => line("profile", arns().boxed()),
        1 => line("model", arns().boxed()),
        1 => line("profiles", ids().boxed()),
        1 => line("models", ids().boxed()),
        2 => text(&["team-a", "@any", "cluster/team-a"], &["team-b", "@none", ""]).prop_map(|value| format!("tags\t{value}")),
        1 => Just("missing".to_owned()),
        1 => Just("fault\t*".to_owned()),
    ];
    prop::collection::vec(line, 0..8).prop_map(|lines| lines.join("\n"))
}

#[test]
fn any_manifest_with_any_answers_grants_exactly_or_nothing() {
    let came = Mutex::new(Vec::new());
    let seed: u64 = std::env::var("SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed.to_le_bytes(); 4].concat());
    let mut runner = TestRunner::new_with_rng(ProptestConfig::with_cases(CASES), rng);
    let checked = runner.run(&(objects(), answers()), |(object, answers)| {
        came.lock().unwrap().push(grants_exactly_or_nothing(&object, &answers));
        Ok(())
    });
    if let Err(failure) = checked {
        panic!("SEED={seed}: {failure}");
    }
    let came = came.into_inner().unwrap();
    let count = |how| came.iter().filter(|came| **came == how).count();
    let (refused, to_nothing, to_grants) =
        (count(Came::Refused), count(Came::ToNothing), count(Came::ToGrants));
    println!("{refused} manifests refused, {to_nothing} granted nothing, {to_grants} granted exactly");
    assert!(to_grants > came.len() / 10, "too few manifests come to grants for this to say anything");
}

#[test]
fn each_seed_of_the_fuzzer_is_a_manifest_that_is_worked_with() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/manifest");
    let seeds: Vec<_> = std::fs::read_dir(seeds).unwrap().map(|seed| seed.unwrap().path()).collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        let text = std::fs::read_to_string(&seed).unwrap();
        let came = text_grants_exactly_or_nothing(&text);
        assert!(came > Some(Came::Refused), "{came:?} {}", seed.display());
    }
}
