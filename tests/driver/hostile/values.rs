//! Values that are not what their field means: refused by name, while what was granted stays.

use serde_json::{Value, json};
use testing::world::ACCOUNT;

use crate::world::{World, manifest};

/// What may stand nowhere.
fn hostile() -> Vec<String> {
    let long = "x.".repeat(5_000);
    let texts = [
        "*",
        "?",
        "${aws:username}",
        "amazon.nova-2-lite-v1:0\",\"*",
        "amazon.nova-2-lite\nv1:0",
        "amazon.nova-2-lite\0v1:0",
        "amazon.nova-2-lite v1:0",
        "amazon.новая-модель",
        "amazon.\u{202e}etil\u{200b}",
        "amazon.🦜",
        "amazon.nova%2a",
        "us-east-1\u{a0}",
        "us-\u{ff45}ast-1",
        &long,
        " ",
    ];
    texts.map(str::to_owned).into()
}

/// A field of the spec by its JSON pointer, and how a refusal names it.
const FIELDS: [(&str, &str); 12] = [
    ("/role/name", "spec.role.name: "),
    ("/sourceRegions/0", "spec.sourceRegions[0]: "),
    ("/routing/scopes/0", ".scopes: "),
    ("/routing/allowedDestinationRegions/0", "spec.routing.allowedDestinationRegions[0]: "),
    ("/routing/deniedScopes/0", "spec.routing.deniedScopes: "),
    ("/models/0/modelId", "spec.models[0].modelId: "),
    ("/models/1/inferenceProfile", "spec.models[1].inferenceProfile: "),
    ("/models/2/modelArn", "spec.models[2].modelArn: "),
    ("/operations/0", "spec.operations: "),
    ("/guardrails/0/arn", "spec.guardrails[0].arn: "),
    ("/guardrails/0/version", "spec.guardrails[0].version: "),
    ("/driftPolicy", "spec.driftPolicy: "),
];

/// Every field, each as it should be.
fn full() -> Value {
    json!({
        "role": {"name": "assistant"},
        "sourceRegions": ["us-east-1"],
        "routing": {
            "scopes": ["us"],
            "allowedDestinationRegions": ["us-east-1", "us-east-2", "us-west-2"],
            "deniedScopes": ["apac"],
        },
        "models": [
            {"modelId": "amazon.nova-2-lite-v1:0"},
            {"inferenceProfile": "us.amazon.nova-micro-v1:0"},
            {"modelArn": format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:provisioned-model/abcdefghijkl")},
        ],
        "operations": ["InvokeModel"],
        "guardrails": [{"arn": format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/gr1"), "version": "2"}],
        "driftPolicy": "Enforce",
        "interval": "10m",
    })
}

/// The object of [`full`], with its policy on the role.
async fn granted() -> World {
    let world = World::new().await;
    let tags = [("bedrockaccess.io/namespaces", "team-a")];
    let model = full()["models"][2]["modelArn"].as_str().unwrap().to_owned();
    world.sandbox.tag_role("assistant", tags[0].0, "deny:team-a").unwrap();
    world.sandbox.set_tagged_resource(&model, &tags);
    let guardrail = full()["guardrails"][0]["arn"].as_str().unwrap().to_owned();
    world.sandbox.set_tagged_resource(&guardrail, &tags);
    world.apply(&full());
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
    world.take_calls();
    world
}

async fn is_refused(world: &World, pointer: &str, value: Value, place: &str) {
    let what = format!("{pointer} {:.60}", value.to_string());
    let mut spec = full();
    *spec.pointer_mut(pointer).unwrap() = value;
    world.apply(&spec);
    world.refuses("InvalidSpec", place, &what).await;
    assert!(!world.take_calls().contains(&"GetInferenceProfile".to_owned()), "{what}");
}

#[tokio::test]
async fn a_value_that_is_none_is_refused_by_the_name_of_its_field_and_takes_nothing_away() {
    let world = granted().await;
    let before = world.text();
    let mut refused = 0;
    for (pointer, place) in FIELDS {
        for value in hostile() {
            is_refused(&world, pointer, json!(value), place).await;
            refused += 1;
        }
    }
    assert_eq!(world.text(), before);
    println!("{refused} hostile values in {} fields", FIELDS.len());
}

#[tokio::test]
async fn an_arn_with_a_hostile_piece_is_refused_by_the_name_of_its_field() {
    let world = granted().await;
    let before = world.text();
    let arns = [
        ("/models/1/inferenceProfile", "inference-profile/us.amazon.nova-micro-v1:0"),
        ("/models/1/inferenceProfile", "application-inference-profile/a1b2c3d4e5f6"),
        ("/models/2/modelArn", "provisioned-model/abcdefghijkl"),
        ("/guardrails/0/arn", "guardrail/gr1"),
    ];
    let mut refused = 0;
    for (pointer, resource) in arns {
        let place = FIELDS.iter().find(|(field, _)| *field == pointer).unwrap().1;
        let (kind, id) = resource.split_once('/').unwrap();
        for piece in hostile() {
            for arn in [
                format!("arn:{piece}:bedrock:us-east-1:{ACCOUNT}:{kind}/{id}"),
                format!("arn:aws:{piece}:us-east-1:{ACCOUNT}:{kind}/{id}"),
                format!("arn:aws:bedrock:{piece}:{ACCOUNT}:{kind}/{id}"),
                format!("arn:aws:bedrock:us-east-1:{piece}:{kind}/{id}"),
                format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:{piece}/{id}"),
                format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:{kind}/{piece}"),
                format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:{kind}/{id}{piece}"),
            ] {
                is_refused(&world, pointer, json!(arn), place).await;
                refused += 1;
            }
        }
    }
    assert_eq!(world.text(), before);
    println!("{refused} hostile ARNs");
}

#[tokio::test]
async fn a_role_by_an_arn_with_a_hostile_piece_is_never_written_to() {
    let world = granted().await;
    let mut refused = 0;
    for piece in hostile() {
        for arn in [
            format!("arn:{piece}:iam::{ACCOUNT}:role/assistant"),
            format!("arn:aws:iam:{piece}:{ACCOUNT}:role/assistant"),
            format!("arn:aws:iam::{piece}:role/assistant"),
            format!("arn:aws:iam::{ACCOUNT}:role/{piece}"),
            format!("arn:aws:iam::{ACCOUNT}:role/assistant{piece}"),
        ] {
            let mut spec = full();
            spec["role"] = json!({ "arn": arn });
            world.apply(&spec);
            world.refuses("InvalidSpec", "spec.role.arn: ", &format!("{arn:.80}")).await;
            refused += 1;
        }
        // A path may hold almost anything, and is compared with the real one as a whole.
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{piece}/assistant");
        let mut spec = full();
        spec["role"] = json!({ "arn": arn });
        world.apply(&spec);
        world.rests(&arn).await;
        assert_eq!(world.reason(), "RoleNotFound", "{arn:.80}");
        refused += 1;
    }
    println!("{refused} hostile role ARNs");
}

#[tokio::test]
async fn what_lies_in_another_account_or_partition_is_refused_in_every_field_that_takes_an_arn() {
    for (partition, account) in [("aws", "999999999999"), ("aws-us-gov", ACCOUNT), ("aws-cn", "999999999999")]
    {
        let arn = |resource: &str| format!("arn:{partition}:bedrock:us-east-1:{account}:{resource}");
        let fields = [
            ("inferenceProfile", arn("inference-profile/us.amazon.nova-2-lite-v1:0")),
            ("inferenceProfile", arn("application-inference-profile/a1b2c3d4e5f6")),
            ("modelArn", arn("provisioned-model/abcdefghijkl")),
            ("modelArn", arn("imported-model/abcdefghijkl")),
            ("modelArn", arn("custom-model-deployment/abcdefghijkl")),
        ];
        for (field, arn) in fields {
            let mut object = manifest();
            object["spec"]["models"] = json!([{ field: arn }]);
            let world = World::with(crate::world::consenting(), object).await;
            // Should someone there have consented by the very tag, it is not ours to use.
            world.sandbox.set_tagged_resource(&arn, &[("bedrockaccess.io/namespaces", "@any")]);
            world.refuses("TargetNotAllowed", &format!("spec.models[0].{field}: {arn}"), &arn).await;
            assert_eq!(world.text(), None);
        }
        let world = World::new().await;
        let role = format!("arn:{partition}:iam::{account}:role/assistant");
        world.kubernetes.edit(|object| object["spec"]["role"] = json!({ "arn": role }));
        world.refuses("AccountNotServed", &role, &role).await;
        assert_eq!(world.text(), None);
    }
}

#[tokio::test]
async fn a_guardrail_of_another_partition_is_refused() {
    let world = granted().await;
    for partition in ["aws-us-gov", "aws-cn"] {
        let arn = format!("arn:{partition}:bedrock:us-east-1:{ACCOUNT}:guardrail/gr1");
        is_refused(&world, "/guardrails/0/arn", json!(arn), "spec.guardrails[0].arn: ").await;
    }
}

#[tokio::test]
async fn an_interval_is_taken_at_its_limits_and_refused_beyond_them() {
    let world = granted().await;
    for interval in ["1m", "60s", "24h", "23h59m60s"] {
        let mut spec = full();
        spec["interval"] = json!(interval);
        world.apply(&spec);
        world.rests(interval).await;
        assert!(world.is_ready(), "{interval}: {}", world.message("Ready"));
    }
    for interval in [
        "59s",
        "24h1s",
        "99999h9999999m999999999s",
        "0",
        "-10m",
        "1e3m",
        "99999999999999999999h",
        "P9999Y",
        "10 m\0",
        "∞",
        "",
    ] {
        is_refused(&world, "/interval", json!(interval), "spec.interval: ").await;
    }
}
