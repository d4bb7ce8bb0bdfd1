use std::collections::BTreeMap;

use aws_sandbox::{ApplicationProfile, Config, Sandbox, Seed, Server};
use aws_sdk_bedrock::Client;
use aws_sdk_bedrock::types::{InferenceProfileType, Tag};

use crate::bedrock::models;
use crate::clients::{bedrock, served};

const APPLICATION: &str = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6";
const PROVISIONED: &str = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl";
const IMPORTED: &str = "arn:aws:bedrock:us-east-1:111122223333:imported-model/abcdefghijkl";
const DEPLOYMENT: &str = "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/abcdefghijkl";

fn application(model_arns: &[&str]) -> ApplicationProfile {
    ApplicationProfile {
        region: "us-east-1".to_owned(),
        id: "a1b2c3d4e5f6".to_owned(),
        name: "billing".to_owned(),
        model_arns: model_arns.iter().map(|&arn| arn.to_owned()).collect(),
        tags: BTreeMap::from([("bedrockaccess.io/namespaces".to_owned(), "team-a".to_owned())]),
    }
}

/// The value of the only tag; `None` when the resource is not found.
async fn only_tag(client: &Client, arn: &str) -> Option<String> {
    match client.list_tags_for_resource().resource_arn(arn).send().await {
        Ok(answer) => answer.tags().first().map(Tag::value).map(str::to_owned),
        Err(error) => {
            assert!(error.into_service_error().is_resource_not_found_exception(), "{arn}");
            None
        }
    }
}

#[tokio::test]
async fn what_the_seed_holds_has_its_models_and_tags() {
    let model = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0";
    let tagged =
        |arn: &str, value: &str| (arn.to_owned(), BTreeMap::from([("k".to_owned(), value.to_owned())]));
    let seed = Seed {
        application_profiles: vec![application(&[model])],
        tagged_resources: BTreeMap::from([tagged(PROVISIONED, "p"), tagged(IMPORTED, "i")]),
        ..Seed::default()
    };
    let sandbox = Sandbox::new(Config { seed, ..Config::default() });
    let server = Server::start(sandbox.clone()).await.unwrap();
    let client = bedrock(&server, "us-east-1");
    assert_eq!(models(&client, APPLICATION).await, [model]);
    let expected = [(APPLICATION, "team-a"), (PROVISIONED, "p"), (IMPORTED, "i")];
    for (arn, value) in expected {
        assert_eq!(only_tag(&client, arn).await.as_deref(), Some(value), "{arn}");
        assert_eq!(only_tag(&client, &format!("{arn}0")).await, None, "{arn}0");
    }
    assert_eq!(only_tag(&client, DEPLOYMENT).await, None);
}

#[tokio::test]
async fn an_application_profile_over_a_global_one_has_the_region_less_model() {
    let (sandbox, server) = served().await;
    let arns = [
        "arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0",
    ];
    sandbox.set_application_profile(application(&arns));
    let client = bedrock(&server, "us-east-1");
    for identifier in [APPLICATION, "a1b2c3d4e5f6"] {
        let get = client.get_inference_profile().inference_profile_identifier(identifier);
        let profile = get.send().await.unwrap();
        assert_eq!(profile.inference_profile_arn(), APPLICATION);
        assert_eq!(profile.r#type(), &InferenceProfileType::Application);
        assert_eq!(models(&client, identifier).await, arns);
    }
    sandbox.delete_application_profile("us-east-1", "a1b2c3d4e5f6");
    let get = client.get_inference_profile().inference_profile_identifier(APPLICATION).send().await;
    assert!(get.unwrap_err().into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn tags_of_what_belongs_to_the_account_come_change_and_go() {
    let (sandbox, server) = served().await;
    let client = bedrock(&server, "us-east-1");
    for arn in [PROVISIONED, IMPORTED, DEPLOYMENT] {
        assert_eq!(
            sandbox.set_tags(arn, &[]).unwrap_err().to_string(),
            format!("the sandbox has no resource {arn}")
        );
        sandbox.set_tagged_resource(arn, &[("k", "a")]);
    }
    sandbox.set_application_profile(application(&[]));
    for arn in [APPLICATION, PROVISIONED, IMPORTED, DEPLOYMENT] {
        sandbox.set_tags(arn, &[("k", "b")]).unwrap();
        assert_eq!(only_tag(&client, arn).await.as_deref(), Some("b"), "{arn}");
        sandbox.set_tags(arn, &[]).unwrap();
        let answer = client.list_tags_for_resource().resource_arn(arn).send().await;
        assert!(answer.expect("it is still there").tags().is_empty(), "{arn}");
    }
    sandbox.delete_tagged_resource(PROVISIONED);
    assert_eq!((only_tag(&client, PROVISIONED).await, sandbox.tags(PROVISIONED)), (None, None));
    assert!(sandbox.tags(IMPORTED).is_some());
}

#[tokio::test]
async fn what_belongs_to_another_region_account_or_partition_is_not_found() {
    let (sandbox, server) = served().await;
    sandbox.set_application_profile(application(&[]));
    sandbox.set_tagged_resource(PROVISIONED, &[("k", "v")]);
    for arn in [APPLICATION, PROVISIONED] {
        assert!(only_tag(&bedrock(&server, "us-east-1"), arn).await.is_some());
        assert_eq!(only_tag(&bedrock(&server, "us-west-2"), arn).await, None, "{arn}");
    }
    for (own, other) in [("111122223333", "444455556666"), ("arn:aws:", "arn:aws-us-gov:")] {
        let arn = PROVISIONED.replace(own, other);
        sandbox.set_tagged_resource(&arn, &[("k", "v")]);
        assert_eq!(only_tag(&bedrock(&server, "us-east-1"), &arn).await, None, "{arn}");
        let arn = APPLICATION.replace(own, other);
        assert_eq!(only_tag(&bedrock(&server, "us-east-1"), &arn).await, None, "{arn}");
    }
}

#[tokio::test]
async fn owners_tag_and_untag_what_belongs_to_the_account() {
    let (sandbox, server) = served().await;
    sandbox.set_application_profile(application(&[]));
    sandbox.set_tagged_resource(PROVISIONED, &[("team", "a")]);
    let client = bedrock(&server, "us-east-1");
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let pairs = |arn: &str| sandbox.tags(arn).unwrap().into_iter().collect::<Vec<_>>();
    for arn in [APPLICATION, PROVISIONED] {
        let before = pairs(arn);
        let namespaces = tag("bedrockaccess.io/namespaces", "team-a team-b");
        client.tag_resource().resource_arn(arn).tags(namespaces).tags(tag("k", "")).send().await.unwrap();
        let tags = sandbox.tags(arn).unwrap();
        assert_eq!((tags["bedrockaccess.io/namespaces"].as_str(), tags["k"].as_str()), ("team-a team-b", ""));
        assert!(before.iter().all(|(key, _)| tags.contains_key(key)), "{arn}: {tags:?}");
        let untag = client.untag_resource().resource_arn(arn).tag_keys("k").tag_keys("never-there");
        untag.send().await.unwrap();
        assert_eq!(sandbox.tags(arn).unwrap().len(), tags.len() - 1);
    }
    let missing = client.tag_resource().resource_arn(IMPORTED).tags(tag("k", "v")).send().await.unwrap_err();
    assert!(missing.into_service_error().is_resource_not_found_exception());
    let elsewhere = bedrock(&server, "us-west-2").untag_resource().resource_arn(PROVISIONED).tag_keys("team");
    let elsewhere = elsewhere.send().await.unwrap_err();
    assert!(elsewhere.into_service_error().is_resource_not_found_exception());
    assert!(sandbox.tags(PROVISIONED).unwrap().contains_key("team"));
}

#[tokio::test]
async fn tags_out_of_bounds_are_refused_and_change_nothing() {
    let (sandbox, server) = served().await;
    sandbox.set_tagged_resource(PROVISIONED, &[("team", "a")]);
    let client = bedrock(&server, "us-east-1");
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    for (key, value) in
        [(&*"k".repeat(129), "v"), ("", "v"), ("k!", "v"), ("k", &*"v".repeat(257)), ("k", "v;")]
    {
        let put =
            client.tag_resource().resource_arn(PROVISIONED).tags(tag("fine", "v")).tags(tag(key, value));
        let refused = put.send().await.unwrap_err().into_service_error();
        assert!(refused.is_validation_exception(), "{key}={value}: {refused:?}");
    }
    let many = (0..50).map(|number| tag(&format!("k{number}"), "v")).collect();
    let refused = client.tag_resource().resource_arn(PROVISIONED).set_tags(Some(many)).send().await;
    assert!(refused.unwrap_err().into_service_error().is_too_many_tags_exception());
    assert_eq!(sandbox.tags(PROVISIONED).unwrap().len(), 1);
}
