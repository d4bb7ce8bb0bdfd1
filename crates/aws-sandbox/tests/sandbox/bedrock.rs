use aws_sdk_bedrock::error::ProvideErrorMetadata;
use aws_sdk_bedrock::types::{InferenceProfileStatus, InferenceProfileType};

use crate::clients::{bedrock, served};

const NOVA: &str = "us.amazon.nova-2-lite-v1:0";

pub(crate) async fn models(client: &aws_sdk_bedrock::Client, id: &str) -> Vec<String> {
    let profile = client.get_inference_profile().inference_profile_identifier(id).send().await.unwrap();
    profile.models.into_iter().filter_map(|model| model.model_arn).collect()
}

#[tokio::test]
async fn a_geographic_profile_answers_the_destinations_of_its_source_region() {
    let (_sandbox, server) = served().await;
    let profile = "eu.amazon.nova-pro-v1:0";
    let expected = |regions: &[&str]| -> Vec<String> {
        regions
            .iter()
            .map(|at| format!("arn:aws:bedrock:{at}::foundation-model/amazon.nova-pro-v1:0"))
            .collect()
    };
    let frankfurt = models(&bedrock(&server, "eu-central-1"), profile).await;
    assert_eq!(frankfurt, expected(&["eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"]));
    let spain = models(&bedrock(&server, "eu-south-2"), profile).await;
    assert_eq!(spain, expected(&["eu-central-1", "eu-north-1", "eu-south-2", "eu-west-1", "eu-west-3"]));
}

#[tokio::test]
async fn a_global_profile_answers_the_region_less_and_the_source_region_model() {
    let (_sandbox, server) = served().await;
    let arns = models(&bedrock(&server, "ap-south-1"), "global.amazon.nova-2-lite-v1:0").await;
    assert_eq!(
        arns,
        [
            "arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0",
            "arn:aws:bedrock:ap-south-1::foundation-model/amazon.nova-2-lite-v1:0"
        ]
    );
}

#[tokio::test]
async fn a_profile_is_found_by_its_arn_too() {
    let (sandbox, server) = served().await;
    let client = bedrock(&server, "us-east-1");
    let arn = format!("arn:aws:bedrock:us-east-1:111122223333:inference-profile/{NOVA}");
    let profile = client.get_inference_profile().inference_profile_identifier(&arn).send().await.unwrap();
    assert_eq!((profile.inference_profile_arn(), profile.inference_profile_id()), (arn.as_str(), NOVA));
    assert_eq!(profile.status(), &InferenceProfileStatus::Active);
    assert_eq!(profile.r#type(), &InferenceProfileType::SystemDefined);
    let call = sandbox.calls().pop().unwrap();
    assert_eq!((call.region.as_str(), call.target.as_deref()), ("us-east-1", Some(NOVA)));
}

#[tokio::test]
async fn a_profile_that_is_not_in_the_source_region_is_not_found() {
    let (_sandbox, server) = served().await;
    for id in [NOVA, "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-2-lite-v1:0"] {
        let client = bedrock(&server, "eu-central-1");
        let error = client.get_inference_profile().inference_profile_identifier(id).send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), 404);
        assert_eq!(error.code(), Some("ResourceNotFoundException"), "{id}");
    }
    let client = bedrock(&server, "us-east-1");
    let error = client.get_inference_profile().inference_profile_identifier("a b").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"));
}

#[tokio::test]
async fn profiles_change_and_vanish_per_source_region() {
    let (sandbox, server) = served().await;
    sandbox.set_profile("us-east-1", NOVA, Some(&["us-east-1"]));
    assert_eq!(models(&bedrock(&server, "us-east-1"), NOVA).await.len(), 1);
    assert_eq!(models(&bedrock(&server, "us-west-2"), NOVA).await.len(), 3);
    sandbox.set_profile("us-east-1", NOVA, Some(&[]));
    assert!(models(&bedrock(&server, "us-east-1"), NOVA).await.is_empty());
    sandbox.set_profile("us-east-1", NOVA, None);
    let get =
        bedrock(&server, "us-east-1").get_inference_profile().inference_profile_identifier(NOVA).send().await;
    assert!(get.unwrap_err().into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn lists_of_profiles_are_paginated_and_agree_with_the_single_answers() {
    let (_sandbox, server) = served().await;
    let client = bedrock(&server, "us-east-1");
    let all = client.list_inference_profiles().max_results(10).into_paginator().items().send();
    let all = all.try_collect().await.unwrap();
    assert!(all.len() > 90, "{}", all.len());
    for summary in &all {
        let get = client.get_inference_profile().inference_profile_identifier(summary.inference_profile_id());
        let profile = get.send().await.unwrap();
        assert_eq!(profile.models(), summary.models());
    }
    let none =
        client.list_inference_profiles().type_equals(InferenceProfileType::Application).send().await.unwrap();
    assert!(none.inference_profile_summaries().is_empty());
}

#[tokio::test]
async fn a_model_says_how_it_can_be_invoked() {
    let (sandbox, server) = served().await;
    let client = bedrock(&server, "us-east-1");
    let types = async |id: &str| {
        let model =
            client.get_foundation_model().model_identifier(id).send().await.unwrap().model_details.unwrap();
        model
            .inference_types_supported()
            .iter()
            .map(|kind| kind.as_str().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(types("amazon.nova-2-lite-v1:0").await, "INFERENCE_PROFILE");
    assert_eq!(types("amazon.nova-lite-v1:0").await, "ON_DEMAND INFERENCE_PROFILE");
    assert_eq!(
        types("arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0").await,
        "ON_DEMAND"
    );
    let unknown = client.get_foundation_model().model_identifier("amazon.nova-3").send().await.unwrap_err();
    assert!(unknown.into_service_error().is_resource_not_found_exception());
    let list = client.list_foundation_models().by_inference_type("ON_DEMAND".into()).send().await.unwrap();
    assert_eq!(list.model_summaries().len(), 4);
    sandbox.set_model("us-east-1", "amazon.nova-2-lite-v1:0", Some(&["PROVISIONED"]));
    assert_eq!(types("amazon.nova-2-lite-v1:0").await, "PROVISIONED");
}
