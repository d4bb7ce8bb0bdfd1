//! Mistakes in `sourceRegions` and `routing`.

use super::refusals;

refusals! {
    a_source_region_without_its_hyphens_is_refused:
        "/sourceRegions", ["us-east-1", "useast2"] => ["us-east-1", "us-gov-west-1"],
        "spec.sourceRegions[1]": "not shaped like an AWS Region: write its code, such as us-east-1 or eu-central-1";
    a_wildcard_as_source_region_is_refused:
        "/sourceRegions", ["us-east-1", "us-*-2"] => ["us-east-1", "us-east-2"],
        "spec.sourceRegions[1]": "not shaped like an AWS Region: write its code, such as us-east-1 or eu-central-1";
    a_scope_in_place_of_a_destination_region_is_refused:
        "/routing/allowedDestinationRegions", ["us"] => ["us-east-1"],
        "spec.routing.allowedDestinationRegions[0]": "not shaped like an AWS Region: write its code, such as us-east-1 or eu-central-1";
    a_scope_with_its_dot_is_refused:
        "/routing/scopes", ["us."] => ["us"],
        "spec.routing.scopes[0]": "a scope is lower case: us, eu, apac, global and other prefixes of a system profile's id, or in-region";
    a_scope_in_capitals_is_refused:
        "/models/1/scopes", ["IN_REGION"] => ["in-region"],
        "spec.models[1].scopes[0]": "a scope is lower case: us, eu, apac, global and other prefixes of a system profile's id, or in-region";
    a_wildcard_as_denied_scope_is_refused:
        "/routing/deniedScopes", ["*"] => ["apac", "eu"],
        "spec.routing.deniedScopes[0]": "a scope is lower case: us, eu, apac, global and other prefixes of a system profile's id, or in-region";
    in_region_as_denied_scope_is_refused:
        "/routing/deniedScopes", ["in-region"] => ["eu"],
        "spec.routing.deniedScopes[0]": "deniedScopes holds profile prefixes such as apac or global; calls in the Region itself cannot be denied here";
    a_scope_both_wanted_and_denied_is_refused:
        "/routing/deniedScopes", ["global"] => ["apac"],
        "spec.routing": "a scope stands in both scopes and deniedScopes: take it out of one of the two";
    a_denied_scope_beside_a_model_is_refused:
        "/models/1/scopes", ["us", "apac"] => ["us"],
        "spec.models": "an entry wants a scope that routing.deniedScopes denies: take the scope out of one of the two";
    a_profile_of_a_denied_scope_is_refused:
        "/models/3/inferenceProfile", "apac.amazon.nova-micro-v1:0" => "us.amazon.nova-micro-v1:0",
        "spec.models": "an entry wants a scope that routing.deniedScopes denies: take the scope out of one of the two";
    the_arn_of_a_profile_of_a_denied_scope_is_refused:
        "/models/3/inferenceProfile", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/apac.amazon.nova-micro-v1:0"
        => "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0",
        "spec.models": "an entry wants a scope that routing.deniedScopes denies: take the scope out of one of the two";
}
