//! Mistakes in `models`.

use super::refusals;

refusals! {
    an_entry_without_a_model_is_refused:
        "/models/0", {} => {"modelId": "amazon.nova-lite-v1:0"},
        "spec.models[0]": "set exactly one of modelId, inferenceProfile and modelArn";
    an_entry_with_two_models_is_refused:
        "/models/0", {"modelId": "amazon.nova-lite-v1:0", "inferenceProfile": "us.amazon.nova-lite-v1:0"}
        => {"inferenceProfile": "us.amazon.nova-lite-v1:0"},
        "spec.models[0]": "set exactly one of modelId, inferenceProfile and modelArn";
    scopes_beside_a_profile_are_refused:
        "/models/3", {"inferenceProfile": "us.amazon.nova-micro-v1:0", "scopes": ["us"]}
        => {"modelId": "amazon.nova-micro-v1:0", "scopes": ["us"]},
        "spec.models[3]": "scopes belongs beside a modelId: an inferenceProfile has its scope already, a modelArn has none";
    a_model_without_any_scope_is_refused:
        "/routing", null => {"scopes": ["us"]},
        "spec.models": "a modelId has no scope: set routing.scopes, or scopes beside the modelId, to profile prefixes such as us or global, or to in-region";
    a_model_with_an_empty_list_of_scopes_is_refused:
        "/models/1/scopes", [] => ["us"],
        "spec.models": "a modelId has no scope: set routing.scopes, or scopes beside the modelId, to profile prefixes such as us or global, or to in-region";
    the_same_entry_twice_is_refused:
        "/models/2", {"modelId": "amazon.nova-2-lite-v1:0"} => {"modelId": "amazon.nova-2-lite-v1:0", "scopes": ["in-region"]},
        "spec.models": "two entries of models are the same: take one out";
    a_wildcard_within_a_model_id_is_refused:
        "/models/0/modelId", "anthropic.*-haiku" => "anthropic.claude-*",
        "spec.models[0].modelId": "a modelId holds no '*', '?' or '$', but for one '*' as the last character of a family, such as anthropic.claude-haiku-*";
    a_question_mark_in_a_model_id_is_refused:
        "/models/0/modelId", "amazon.nova-?-lite" => "amazon.nova-2-lite-v1:0",
        "spec.models[0].modelId": "a modelId holds no '*', '?' or '$', but for one '*' as the last character of a family, such as anthropic.claude-haiku-*";
    a_policy_variable_in_a_model_id_is_refused:
        "/models/0/modelId", "amazon.${aws:username}" => "amazon.nova-2-lite-v1:0",
        "spec.models[0].modelId": "a modelId holds no '*', '?' or '$', but for one '*' as the last character of a family, such as anthropic.claude-haiku-*";
    a_model_id_that_is_an_arn_is_refused:
        "/models/0/modelId", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0" => "amazon.nova-2-lite-v1:0",
        "spec.models[0].modelId": "a modelId is no ARN: write a foundation model by its id (with scopes [in-region] for calls without a profile), a profile's ARN as inferenceProfile, a model of your own as modelArn";
    a_model_id_with_a_profile_prefix_is_refused:
        "/models/0", {"modelId": "us.amazon.nova-2-lite-v1:0"} => {"inferenceProfile": "us.amazon.nova-2-lite-v1:0"},
        "spec.models[0].modelId": "a modelId has no profile prefix: write the whole id as inferenceProfile, or take the prefix off and name it in scopes";
    a_model_id_without_provider_is_refused:
        "/models/0/modelId", "claude-haiku" => "anthropic.claude-haiku-4-5-20251001-v1:0",
        "spec.models[0].modelId": "a modelId is a provider, a dot and a model, such as amazon.nova-2-lite-v1:0";
    a_family_of_everything_is_refused:
        "/models/0/modelId", "*" => "amazon.*",
        "spec.models[0].modelId": "a modelId is a provider, a dot and a model, such as amazon.nova-2-lite-v1:0";
    a_wildcard_in_a_profile_is_refused:
        "/models/3", {"inferenceProfile": "us.amazon.*"} => {"modelId": "amazon.*", "scopes": ["us"]},
        "spec.models[3].inferenceProfile": "an inferenceProfile is one profile: no '*', '?' or '$'; a family of models is a modelId";
    a_profile_arn_without_account_is_refused:
        "/models/3/inferenceProfile", "arn:aws:bedrock:us-east-1::inference-profile/us.amazon.nova-micro-v1:0"
        => "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0",
        "spec.models[3].inferenceProfile": "a profile's ARN carries an account id, a system profile's too: arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0";
    a_profile_arn_of_another_kind_is_refused:
        "/models/3", {"inferenceProfile": "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghijkl"}
        => {"modelArn": "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghijkl"},
        "spec.models[3].inferenceProfile": "write a profile's whole ARN, such as arn:aws:bedrock:us-east-1:123456789012:inference-profile/ID or with application-inference-profile in its place; a model of your own belongs in modelArn";
    an_application_profile_by_its_bare_id_is_refused:
        "/models/3/inferenceProfile", "a1b2c3d4e5f6" => "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/f6e5d4c3b2a1",
        "spec.models[3].inferenceProfile": "an inferenceProfile is a system profile's id, such as us.amazon.nova-micro-v1:0, or a profile's ARN; an application profile is named by its ARN";
    a_profile_arn_in_a_region_outside_source_regions_is_refused:
        "/models/4/inferenceProfile", "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/a1b2c3d4e5f6"
        => "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
        "spec.models": "an inferenceProfile's ARN lies in a Region outside sourceRegions: add that Region to sourceRegions, or name a profile of a source Region";
    a_wildcard_in_a_model_arn_is_refused:
        "/models/5/modelArn", "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/*"
        => "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghijkl",
        "spec.models[5].modelArn": "a modelArn is one model: no '*', '?' or '$'";
    a_foundation_model_by_its_arn_is_refused:
        "/models/5", {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"}
        => {"modelId": "amazon.nova-lite-v1:0", "scopes": ["in-region"]},
        "spec.models[5].modelArn": "a foundation model is written by its id: modelId, with scopes [in-region] for calls without a profile";
    a_model_arn_without_account_is_refused:
        "/models/5/modelArn", "arn:aws:bedrock:us-east-1::imported-model/abcdefghijkl"
        => "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghijkl",
        "spec.models[5].modelArn": "a modelArn is arn:aws:bedrock:us-east-1:123456789012:provisioned-model/ID, or imported-model or custom-model-deployment in its place; a profile's ARN belongs in inferenceProfile";
    a_model_arn_in_a_region_outside_source_regions_is_refused:
        "/models/5/modelArn", "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"
        => "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl",
        "spec.models": "a modelArn lies in a Region outside sourceRegions: add that Region to sourceRegions, or name a model of a source Region";
}
