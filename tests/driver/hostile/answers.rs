//! Answers of Bedrock that lie: no grant comes of them, and none that is there changes.

use aws_sandbox::{ApplicationProfile, Fault, FaultKind, Service};
use serde_json::{Value, json};
use testing::world::ACCOUNT;

use super::bedrock::{self, Liar};
use crate::world::{US, World, consenting, manifest};

const MODEL: &str = "amazon.nova-2-lite-v1:0";

fn model_in(region: &str) -> String {
    format!("arn:aws:bedrock:{region}::foundation-model/{MODEL}")
}

fn profile_arn(id: &str) -> String {
    format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/{id}")
}

/// What no answer may bring into a policy in a model ARN's place.
fn lies() -> Vec<String> {
    let regions = [
        "*",
        "us-*",
        "us-east-?",
        "us-east-1 ",
        " us-east-1",
        "US-EAST-1",
        "us-east-1\",\"*",
        "us-east-1\n",
        "us-east-1\0",
        "${aws:RequestedRegion}",
        "unspecified",
    ];
    let models = [
        "*",
        "amazon.*",
        "amazon.nova-2-lite-v1:0*",
        "amazon.nova-2-lite-v1:?",
        "${aws:username}",
        "amazon.nova-2-lite-v1:0\",\"*",
        "amazon.nova-2-lite v1:0",
        "",
        "amazon.nova-2-lite-v1:0/../x",
    ];
    let other = [
        "",
        " ",
        "*",
        "arn:*",
        "arn:aws:bedrock:*",
        "arn:aws:bedrock:*:*:*",
        "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.nova-2-lite-v1:0",
        "arn:aws-cn:bedrock:cn-north-1::foundation-model/amazon.nova-2-lite-v1:0",
        "arn:*:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0",
        "arn:aws:bedrock:us-east-1:111122223333:foundation-model/amazon.nova-2-lite-v1:0",
        "arn:aws:bedrock:us-east-1:999999999999:foundation-model/amazon.nova-2-lite-v1:0",
        "arn:aws:bedrock:us-east-1:*:foundation-model/amazon.nova-2-lite-v1:0",
        "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl",
        "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-2-lite-v1:0",
        "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6",
        "arn:aws:s3:::bucket/*",
        "arn:aws:iam::111122223333:role/assistant",
        " arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0 ",
        "ARN:AWS:BEDROCK:us-east-1::FOUNDATION-MODEL/amazon.nova-2-lite-v1:0",
        "amazon.nova-2-lite-v1:0",
    ];
    let in_regions = regions.iter().map(|region| model_in(region));
    let of_models = models.iter().map(|model| format!("arn:aws:bedrock:us-east-1::foundation-model/{model}"));
    in_regions.chain(of_models).chain(other.map(str::to_owned)).collect()
}

/// Another model than the one that was asked for, by an ARN that is well-formed.
fn other_models() -> [String; 2] {
    ["amazon.nova-pro-v1:0", "anthropic.claude-opus-4-1-20250805-v1:0"]
        .map(|model| format!("arn:aws:bedrock:us-east-1::foundation-model/{model}"))
}

async fn world(models: Value) -> World {
    let mut object = manifest();
    object["spec"]["models"] = models;
    object["spec"]["routing"] = json!({"scopes": ["us"]});
    World::with(consenting(), object).await
}

/// The answer brings nothing: neither to a role without a grant nor to one with it.
async fn brings_nothing(world: &World, before: Option<&String>, what: &str) {
    world.ask_again();
    world.rests(what).await;
    assert_eq!(world.text().as_ref(), before, "{what}");
    assert_eq!(
        world.condition("ProfilesResolved"),
        Some(("Unknown".to_owned(), "BedrockUnavailable".to_owned())),
        "{what}"
    );
    // A policy that was proven before is not doubted for a lie; one that never was is not shown as Ready.
    assert_eq!(world.is_ready(), before.is_some(), "{what}");
}

#[tokio::test]
async fn a_lie_about_a_system_profile_changes_no_grant() {
    let mut world = world(json!([{"modelId": MODEL}])).await;
    let bedrock = Liar::instead(&mut world).await;
    let truth = vec![model_in("us-east-1"), model_in("us-west-2")];
    let mut told = 0;
    for granted in [false, true] {
        if granted {
            let truth = truth.clone();
            bedrock.tell(move |_| Some(bedrock::profile(&profile_arn(US), US, &truth)));
            world.ask_again();
            world.reconcile().await.unwrap();
            assert!(world.is_ready(), "{}", world.message("Ready"));
        }
        let before = world.text();
        assert_eq!(before.is_some(), granted);
        for lie in lies().into_iter().chain(other_models()) {
            for models in [vec![lie.clone()], [truth.clone(), vec![lie.clone()]].concat()] {
                let what = format!("{models:?}");
                bedrock.tell(move |_| Some(bedrock::profile(&profile_arn(US), US, &models)));
                brings_nothing(&world, before.as_ref(), &what).await;
                told += 1;
            }
        }
        // About another profile, account or partition than was asked for.
        for arn in [
            "",
            "*",
            "arn:aws:bedrock:us-east-1:*:inference-profile/us.amazon.nova-2-lite-v1:0",
            "arn:aws:bedrock:us-east-1:999999999999:inference-profile/us.amazon.nova-2-lite-v1:0",
            "arn:aws-us-gov:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-2-lite-v1:0",
            "arn:aws:bedrock:*:111122223333:inference-profile/us.amazon.nova-2-lite-v1:0",
            "arn:aws:bedrock:us-east-1:111122223333:inference-profile/*",
            "arn:aws:bedrock:us-east-1:111122223333:inference-profile/global.amazon.nova-2-lite-v1:0",
            "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.amazon.nova-2-lite-v1:0",
        ] {
            let truth = truth.clone();
            bedrock.tell(move |_| Some(bedrock::profile(arn, US, &truth)));
            brings_nothing(&world, before.as_ref(), arn).await;
            told += 1;
        }
    }
    println!("{told} lies about a system profile");
}

#[tokio::test]
async fn a_lie_about_an_application_profile_changes_no_grant() {
    let arn = format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/a1b2c3d4e5f6");
    let world = world(json!([{"inferenceProfile": arn}])).await;
    let set = |models: &[String]| {
        world.sandbox.set_application_profile(ApplicationProfile {
            region: "us-east-1".to_owned(),
            id: "a1b2c3d4e5f6".to_owned(),
            name: "billing".to_owned(),
            model_arns: models.to_vec(),
            tags: [("bedrockaccess.io/namespaces".to_owned(), "team-a".to_owned())].into(),
        });
    };
    let truth = vec![model_in("us-east-1"), model_in("us-west-2")];
    let mut told = 0;
    for granted in [false, true] {
        if granted {
            set(&truth);
            world.ask_again();
            world.reconcile().await.unwrap();
            assert!(world.is_ready(), "{}", world.message("Ready"));
        }
        let before = world.text();
        // Which model it leads to only its owner knows, but it is one, and stays the same.
        let several = [truth.clone(), other_models().to_vec()].concat();
        let thousands: Vec<String> =
            (0..5000).map(|n| model_in("us-east-1").replace("nova-2", &format!("nova-{n}"))).collect();
        let mut answers: Vec<Vec<String>> =
            lies().into_iter().map(|lie| [truth.clone(), vec![lie]].concat()).collect();
        answers.extend([several, thousands]);
        answers.extend(other_models().into_iter().filter(|_| granted).map(|other| vec![other]));
        for models in answers {
            set(&models);
            brings_nothing(&world, before.as_ref(), &format!("{:.200}", format!("{models:?}"))).await;
            told += 1;
        }
    }
    println!("{told} lies about an application profile");
}

#[tokio::test]
async fn a_model_in_thousands_of_regions_does_not_fit_and_changes_nothing() {
    let mut world = world(json!([{"modelId": MODEL}])).await;
    let bedrock = Liar::instead(&mut world).await;
    let letters = ('a'..='z').flat_map(|one| ('a'..='z').map(move |other| format!("{one}{other}")));
    let regions: Vec<String> =
        letters.flat_map(|word| (0..5).map(move |n| model_in(&format!("us-{word}-{n}")))).collect();
    assert!(regions.len() > 3000);
    bedrock.tell(move |_| Some(bedrock::profile(&profile_arn(US), US, &regions)));
    world.refuses("PolicyTooLarge", "the policy needs", "thousands of Regions").await;
    assert_eq!(world.text(), None);
}

#[tokio::test]
async fn a_lie_about_a_model_on_demand_changes_no_grant() {
    let mut world = world(json!([{"modelId": MODEL, "scopes": ["in-region"]}])).await;
    let bedrock = Liar::instead(&mut world).await;
    for granted in [false, true] {
        if granted {
            bedrock.tell(|_| Some(bedrock::model(&model_in("us-east-1"), MODEL, &["ON_DEMAND"])));
            world.ask_again();
            world.reconcile().await.unwrap();
            assert!(world.is_ready(), "{}", world.message("Ready"));
        }
        let before = world.text();
        for lie in lies().into_iter().chain(other_models()).chain([model_in("us-west-2"), model_in("")]) {
            let what = lie.clone();
            bedrock.tell(move |_| Some(bedrock::model(&lie, MODEL, &["ON_DEMAND"])));
            brings_nothing(&world, before.as_ref(), &what).await;
        }
    }
    bedrock
        .tell(|_| Some(bedrock::model(&model_in("us-east-1"), MODEL, &["on_demand", "*", "ON_DEMAND ", ""])));
    let before = world.text();
    world.ask_again();
    world.rests("inference types").await;
    assert_eq!(world.reason(), "OnDemandNotSupported");
    assert_eq!(world.text(), before);
}

#[tokio::test]
async fn a_list_that_lies_brings_only_members_of_the_family() {
    let mut world =
        world(json!([{"modelId": "amazon.nova-*"}, {"modelId": "amazon.nova-*", "scopes": ["in-region"]}]))
            .await;
    let bedrock = Liar::instead(&mut world).await;
    let listed: Vec<String> = [
        "*",
        "us.*",
        "us.amazon.nova-*",
        "us.amazon.nova-?",
        "us.amazon.nova-${aws:username}",
        "us.amazon.nova-\",\"*",
        "us.amazon.nova- x",
        "us.amazon.nova-2-lite-v1:0",
        "eu.amazon.nova-2-lite-v1:0",
        "us.us.amazon.nova-2-lite-v1:0",
        "us.anthropic.claude-opus-4-1-20250805-v1:0",
        "",
        "us.",
        "amazon.nova-pro-v1:0",
        "amazon.nova-*",
        "amazon.titan-embed-text-v2:0",
        "amazon.nova-/../../x",
    ]
    .map(str::to_owned)
    .into();
    bedrock.tell(move |path| {
        let id = path.rsplit('/').next().unwrap().replace("%3A", ":");
        Some(match path {
            "/inference-profiles" => bedrock::profiles(&listed),
            "/foundation-models" => bedrock::models(&listed),
            _ if path.starts_with("/inference-profiles/") => bedrock::profile(
                &profile_arn(&id),
                &id,
                &[format!("arn:aws:bedrock:us-east-1::foundation-model/{}", id.split_once('.')?.1)],
            ),
            _ => bedrock::model(
                &format!("arn:aws:bedrock:us-east-1::foundation-model/{id}"),
                &id,
                &["ON_DEMAND"],
            ),
        })
    });
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "{}", world.message("Ready"));
    let grants = world.kubernetes.object()["status"]["grants"].clone();
    let ids: Vec<&str> =
        grants.as_array().unwrap().iter().map(|grant| grant["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [US, "amazon.nova-pro-v1:0"]);
    assert!(!world.text().unwrap().contains('*'));
}

#[tokio::test]
async fn a_list_of_thousands_is_refused_before_each_is_asked_about() {
    let mut world = world(json!([{"modelId": "amazon.nova-*"}])).await;
    let bedrock = Liar::instead(&mut world).await;
    let listed: Vec<String> = (0..5000).map(|n| format!("us.amazon.nova-{n}")).collect();
    bedrock.tell(move |path| (path == "/inference-profiles").then(|| bedrock::profiles(&listed)));
    world.refuses("PolicyTooLarge", "5000 targets", "thousands of profiles").await;
    assert_eq!(world.text(), None);
}

#[tokio::test]
async fn a_list_that_never_ends_is_given_up() {
    let mut world = world(json!([{"modelId": "amazon.nova-*"}])).await;
    let bedrock = Liar::instead(&mut world).await;
    bedrock.tell(|_| {
        let mut page = bedrock::profiles(&[US.to_owned()]);
        page["nextToken"] = json!("more");
        Some(page)
    });
    brings_nothing(&world, None, "a list without end").await;
    assert!(world.message("Ready").contains("more than 20 pages"), "{}", world.message("Ready"));
}

#[tokio::test]
async fn a_body_that_is_none_changes_no_grant() {
    let world = world(json!([{"modelId": MODEL}])).await;
    world.reconcile().await.unwrap();
    let before = world.text();
    for operation in ["GetInferenceProfile", "GetRole", "GetRolePolicy"] {
        let service = if operation == "GetInferenceProfile" { Service::Bedrock } else { Service::Iam };
        world.sandbox.fault(Fault::new(FaultKind::MalformedBody).of(service, operation));
        world.ask_again();
        world.rests(operation).await;
        world.sandbox.clear_faults();
        assert_eq!(world.text(), before, "{operation}");
        let unknown = ["RoleAccepted", "ProfilesResolved", "PolicyInSync"].map(|kind| world.condition(kind));
        assert!(unknown.into_iter().flatten().any(|(status, _)| status == "Unknown"), "{operation}");
    }
    let mut world = self::world(json!([{"modelId": MODEL}])).await;
    let bedrock = Liar::instead(&mut world).await;
    for body in [
        json!(null),
        json!([]),
        json!(""),
        json!({}),
        json!({"models": "*"}),
        json!({"inferenceProfileArn": ["*"]}),
        json!({"inferenceProfileArn": profile_arn(US), "models": [{"modelArn": {"*": "*"}}]}),
    ] {
        let what = body.to_string();
        bedrock.tell(move |_| Some(body.clone()));
        brings_nothing(&world, None, &what).await;
    }
}
