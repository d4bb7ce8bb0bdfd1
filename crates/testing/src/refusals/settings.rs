//! Mistakes in `operations`, `guardrails`, the policies and `interval`.

use super::refusals;

refusals! {
    converse_as_operation_is_refused:
        "/operations", ["Converse"] => ["InvokeModel"],
        "spec.operations[0]": "write InvokeModel, which authorises Converse too, InvokeModelWithResponseStream, which authorises ConverseStream too, or CountTokens";
    another_operation_is_refused:
        "/operations", ["InvokeModel", "InvokeModelWithResponseStream", "ConverseStream"] => ["InvokeModel", "InvokeModelWithResponseStream"],
        "spec.operations[2]": "write InvokeModel, which authorises Converse too, InvokeModelWithResponseStream, which authorises ConverseStream too, or CountTokens";
    an_empty_list_of_operations_is_refused:
        "/operations", [] => null,
        "spec.operations": "name an operation, or leave operations out to allow both";
    counting_tokens_alone_is_refused:
        "/operations", ["CountTokens"] => ["InvokeModel", "CountTokens"],
        "spec.operations": "CountTokens goes beside an operation that calls: add InvokeModel, InvokeModelWithResponseStream or both";
    counting_tokens_outside_the_lock_is_refused:
        "/", {
            "operations": ["InvokeModel", "CountTokens"],
            "routing": {"scopes": ["us"], "allowedDestinationRegions": ["us-east-2", "us-west-2"]}
        } => {
            "operations": ["InvokeModel", "CountTokens"],
            "routing": {"scopes": ["us"], "allowedDestinationRegions": ["us-east-1", "us-east-2", "us-west-2"]}
        },
        "spec.operations": "CountTokens runs in the source Region, and routing.allowedDestinationRegions leaves one out: add it there, or take CountTokens out of operations";
    stored_responses_of_an_application_profile_are_refused:
        "/responses", true => false,
        "spec.responses": "the Responses API takes no application inference profile: name a system profile or a model in its place, or leave responses out";
    long_term_api_keys_are_refused:
        "/apiKeys", "LongTerm" => "ShortTerm",
        "spec.apiKeys": "write ShortTerm, for keys that expire with a session of the role, or leave apiKeys out; long-term keys are never granted";
    a_project_other_than_the_default_one_is_refused:
        "/projects", ["proj-a1b2c3"] => [],
        "spec.projects[0]": "write default, the project of calls that name none, or [] to grant no project";
    a_wildcard_in_a_guardrail_arn_is_refused:
        "/guardrails/0/arn", "arn:aws:bedrock:us-east-1:123456789012:guardrail/*" => "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1",
        "spec.guardrails[0].arn": "write out the one guardrail's ARN: no '*', '?' or '$'";
    a_guardrail_by_its_bare_id_is_refused:
        "/guardrails/0/arn", "gr1" => "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1",
        "spec.guardrails[0].arn": "write the guardrail's whole ARN, such as arn:aws:bedrock:us-east-1:123456789012:guardrail/ID";
    a_guardrail_version_that_is_no_version_is_refused:
        "/guardrails/0/version", "latest" => "DRAFT",
        "spec.guardrails[0].version": "a guardrail's version is a number in quotes, such as \"2\", or DRAFT";
    a_guardrail_in_a_region_outside_source_regions_is_refused:
        "/guardrails/0/arn", "arn:aws:bedrock:us-west-2:123456789012:guardrail/gr1" => "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1",
        "spec.guardrails": "a guardrail lies in a Region outside sourceRegions: add that Region to sourceRegions, or name a guardrail of a source Region";
    two_guardrails_in_one_region_are_refused:
        "/guardrails", [
            {"arn": "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1", "version": "1"},
            {"arn": "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr2", "version": "1"}
        ] => [{"arn": "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr2", "version": "1"}],
        "spec.guardrails": "two guardrails lie in the same Region: name at most one per source Region";
    a_drift_policy_that_does_not_exist_is_refused:
        "/driftPolicy", "Ignore" => "Report",
        "spec.driftPolicy": "write Enforce, to repair the policy when it is changed, or Report, to only report it";
    a_deletion_policy_that_does_not_exist_is_refused:
        "/deletionPolicy", "Orphan" => "Retain",
        "spec.deletionPolicy": "write Delete, to remove the policy with this object, or Retain, to leave it on the role";
    an_interval_under_a_minute_is_refused:
        "/interval", "59s" => "60s",
        "spec.interval": "an interval is at least 1m and at most 24h: write hours, minutes and seconds, such as 10m, 1h30m or 90s";
    an_interval_of_more_than_a_day_is_refused:
        "/interval", "24h1s" => "24h",
        "spec.interval": "an interval is at least 1m and at most 24h: write hours, minutes and seconds, such as 10m, 1h30m or 90s";
    an_interval_without_unit_is_refused:
        "/interval", "600" => "600s",
        "spec.interval": "an interval is at least 1m and at most 24h: write hours, minutes and seconds, such as 10m, 1h30m or 90s";
    an_interval_in_days_is_refused:
        "/interval", "1d" => "24h",
        "spec.interval": "an interval is at least 1m and at most 24h: write hours, minutes and seconds, such as 10m, 1h30m or 90s";
    an_empty_interval_is_refused:
        "/interval", "" => null,
        "spec.interval": "an interval is at least 1m and at most 24h: write hours, minutes and seconds, such as 10m, 1h30m or 90s";
}
