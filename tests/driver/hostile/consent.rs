//! Tags that look like consent and are none.

use aws_sandbox::{ApplicationProfile, NewRole};
use serde_json::json;
use testing::world::ACCOUNT;

use crate::world::{World, consenting, manifest};

const TAG: &str = "bedrockaccess.io/namespaces";

/// Near misses of `team-a`, `cluster/team-a`, `@any` and `deny:…`, each under the right key.
fn values() -> Vec<String> {
    let spellings = ["team-a", "cluster/team-a", "@any", "deny:team-a", "deny:@any"];
    let near = [
        |entry: &str| entry.to_uppercase(),
        |entry: &str| format!("{entry}x"),
        |entry: &str| format!("x{entry}"),
        |entry: &str| format!("{entry},"),
        |entry: &str| format!("team-b,{entry}"),
        |entry: &str| format!("{entry};team-b"),
        |entry: &str| format!("\"{entry}\""),
        |entry: &str| format!("'{entry}'"),
        |entry: &str| format!("[{entry}]"),
        |entry: &str| format!("{entry}\u{200b}"),
        |entry: &str| format!("\u{feff}{entry}"),
        |entry: &str| format!("{entry}\u{ad}"),
        |entry: &str| format!("{entry}*"),
        |entry: &str| format!("{entry}/"),
        |entry: &str| format!("/{entry}"),
        |entry: &str| format!("{entry}/team-a"),
        |entry: &str| format!("allow:{entry}"),
        |entry: &str| format!("deny:deny:{entry}"),
        |entry: &str| format!("deny :{entry}"),
        |entry: &str| format!("!{entry}"),
        |entry: &str| format!("-{entry}"),
        |entry: &str| entry.replace('a', "\u{430}"),
        |entry: &str| entry.replace('-', "\u{2010}"),
        |entry: &str| entry.replace('/', "\u{2215}") + "\u{301}",
        |entry: &str| entry.chars().rev().collect(),
        |entry: &str| entry.split_at(3).0.to_owned(),
        |entry: &str| entry.replace(|c: char| !c.is_alphanumeric(), " "),
    ];
    let more = [
        "*",
        "",
        " ",
        "any",
        "@all",
        "@ any",
        "@none",
        "true",
        "cluster/",
        "cluster/*",
        "cluster/@any",
        "deny:",
        "other/team-a",
    ];
    let near = spellings.iter().flat_map(|entry| near.iter().map(move |near| near(entry)));
    let near = near.filter(|value| !spellings.contains(&value.as_str()));
    near.chain(more.map(str::to_owned)).collect()
}

/// Near misses of the key, each with a value that would do.
const KEYS: [&str; 13] = [
    "bedrockaccess.io/namespace",
    "Bedrockaccess.io/Namespaces",
    "bedrockaccess.io/namespaces ",
    " bedrockaccess.io/namespaces",
    "bedrockaccess.io/namespaces.",
    "bedrockaccess.io/namespaces.0",
    "bedrockaccess.io/namespaces.1",
    "bedrockaccess.io/namespaces.02",
    "bedrockaccess.io/namespaces.10",
    "bedrockaccess.io/namespaces/2",
    "bedrockaccess,io/namespaces",
    "bedrock\u{430}ccess.io/namespaces",
    "namespaces",
];

/// What may be taken for consent at a glance, as (key, value).
fn near_misses() -> Vec<(String, String)> {
    let values = values().into_iter().map(|value| (TAG.to_owned(), value));
    values.chain(KEYS.map(|key| (key.to_owned(), "team-a cluster/team-a @any".to_owned()))).collect()
}

#[tokio::test]
async fn a_tag_that_nearly_consents_opens_no_role() {
    let world = World::with(NewRole::new("assistant"), manifest()).await;
    let near_misses = near_misses();
    for (key, value) in &near_misses {
        world.sandbox.create_role(NewRole::new("assistant").tag(key, value));
        world
            .refuses(
                "ConsentMissing",
                "the tag bedrockaccess.io/namespaces on role assistant",
                &format!("{key:?}={value:?}"),
            )
            .await;
        assert_eq!(world.text(), None);
    }
    println!("{} near misses on the role", near_misses.len());
    world.sandbox.create_role(consenting());
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "the same role with the tag itself");
}

#[tokio::test]
async fn a_tag_that_nearly_consents_opens_no_target() {
    let arn = |resource: &str| format!("arn:aws:bedrock:us-east-1:{ACCOUNT}:{resource}");
    let application = arn("application-inference-profile/a1b2c3d4e5f6");
    let provisioned = arn("provisioned-model/abcdefghijkl");
    let mut object = manifest();
    object["spec"]["models"] = json!([{"inferenceProfile": application}, {"modelArn": provisioned}]);
    let world = World::with(consenting(), object).await;
    world.sandbox.set_application_profile(ApplicationProfile {
        region: "us-east-1".to_owned(),
        id: "a1b2c3d4e5f6".to_owned(),
        name: "billing".to_owned(),
        model_arns: vec!["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0".to_owned()],
        tags: [].into(),
    });
    world.sandbox.set_tagged_resource(&provisioned, &[]);
    let near_misses = near_misses();
    for (key, value) in &near_misses {
        for target in [&application, &provisioned] {
            world.sandbox.set_tags(target, &[(key, value)]).unwrap();
        }
        world.ask_again();
        let what = format!("{key:?}={value:?}");
        world.refuses("TargetNotAllowed", &application, &what).await;
        assert!(world.message("Ready").contains(&provisioned), "{what}");
        assert_eq!(world.text(), None, "{what}");
    }
    println!("{} near misses on each of 2 targets", near_misses.len());
    for target in [&application, &provisioned] {
        world.sandbox.set_tags(target, &[(TAG, "team-a")]).unwrap();
    }
    world.ask_again();
    world.reconcile().await.unwrap();
    assert!(world.is_ready(), "the same targets with the tag itself");
}

#[tokio::test]
async fn consent_without_deny_before_the_entry_does_not_let_scopes_be_denied() {
    let mut object = manifest();
    object["spec"]["routing"]["deniedScopes"] = json!(["apac"]);
    let world = World::with(consenting(), object).await;
    for value in [
        "team-a",
        "deny: team-a",
        "deny:team-b team-a",
        "Deny:team-a team-a",
        "deny:deny:team-a team-a",
        "deny:*  team-a",
    ] {
        world.sandbox.tag_role("assistant", TAG, value).unwrap();
        world.refuses("ConsentMissing", "deniedScopes", value).await;
        assert_eq!(world.text(), None, "{value}");
    }
}
