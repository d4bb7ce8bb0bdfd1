//! From the object as Kubernetes stores it to what the core works with.

#![allow(clippy::unwrap_used, reason = "a fixture may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bedrock_access_api::annotations::ACCEPT_SHRINK;
use bedrock_access_api::parse::{OperatorSettings, claim, intent, interval};
use bedrock_access_api::v1alpha1::{BedrockAccess, BedrockAccessStatus};
use bedrock_iam::{
    DefaultProjectArn, DriftPolicy, Extras, Family, Finding, Guardrail, Intent, Operations, OwnModelKind,
    Reason, Region, Scope, Target,
};
use kube::ResourceExt;
use serde_json::{Value, json};
use testing::manifest::operator_settings;

fn object(spec: &Value) -> BedrockAccess {
    serde_json::from_value(json!({
        "apiVersion": "bedrockaccess.io/v1alpha1", "kind": "BedrockAccess",
        "metadata": {"name": "assistant", "namespace": "team-a"},
        "spec": spec,
    }))
    .unwrap()
}

fn spec() -> Value {
    json!({
        "role": {"name": "assistant"},
        "sourceRegions": ["us-east-1", "us-west-2"],
        "routing": {"scopes": ["us", "in-region"]},
        "models": [{"modelId": "amazon.nova-2-lite-v1:0"}],
    })
}

fn parsed(spec: &Value) -> Intent {
    intent(&object(spec), &operator_settings()).unwrap()
}

fn refused(change: impl FnOnce(&mut Value)) -> Finding {
    let mut spec = spec();
    change(&mut spec);
    let object = object(&spec);
    intent(&object, &operator_settings()).and_then(|_| interval(&object)).unwrap_err()
}

fn profile(id: &str, source: &str) -> Target {
    Target::Profile { source: source.parse().unwrap(), id: id.parse().unwrap() }
}

#[test]
fn every_combination_of_model_scope_and_source_region_is_a_target() {
    let nova = |source: &str| Target::OnDemand {
        source: source.parse().unwrap(),
        model: "amazon.nova-2-lite-v1:0".parse().unwrap(),
    };
    let us = |source| profile("us.amazon.nova-2-lite-v1:0", source);
    let expected = [us("us-east-1"), us("us-west-2"), nova("us-east-1"), nova("us-west-2")];
    assert_eq!(parsed(&spec()).targets, expected.into());
}

#[test]
fn a_models_own_scopes_replace_the_default() {
    let mut spec = spec();
    spec["models"][0]["scopes"] = json!(["global"]);
    let global = |source| profile("global.amazon.nova-2-lite-v1:0", source);
    assert_eq!(parsed(&spec).targets, [global("us-east-1"), global("us-west-2")].into());
}

#[test]
fn a_profile_id_means_every_source_region_and_an_arn_only_its_own() {
    let mut spec = spec();
    spec["models"] = json!([
        {"inferenceProfile": "us.amazon.nova-micro-v1:0"},
        {"inferenceProfile": "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.amazon.nova-pro-v1:0"},
    ]);
    let expected = [
        profile("us.amazon.nova-micro-v1:0", "us-east-1"),
        profile("us.amazon.nova-micro-v1:0", "us-west-2"),
        profile("us.amazon.nova-pro-v1:0", "us-west-2"),
    ];
    assert_eq!(parsed(&spec).targets, expected.into());
}

#[test]
fn what_belongs_to_the_account_is_a_target_of_its_own_region() {
    let arn = |kind: &str| format!("arn:aws:bedrock:us-west-2:111122223333:{kind}/abcdefghijkl");
    let (source, id) = ("us-west-2".parse::<Region>().unwrap(), "abcdefghijkl".parse().unwrap());
    let mut spec = spec();
    spec["models"] = json!([{"inferenceProfile": arn("application-inference-profile")}]);
    assert_eq!(parsed(&spec).targets, [Target::ApplicationProfile { source: source.clone(), id }].into());
    for kind in OwnModelKind::ALL {
        let id = "abcdefghijkl".parse().unwrap();
        spec["models"] = json!([{"modelArn": arn(kind.resource_type())}]);
        assert_eq!(parsed(&spec).targets, [Target::OwnModel { source: source.clone(), kind, id }].into());
    }
}

#[test]
fn what_lies_in_another_account_partition_or_region_is_refused() {
    for field in ["inferenceProfile", "modelArn"] {
        let kind = if field == "modelArn" { "imported-model" } else { "application-inference-profile" };
        for (partition, account) in [("aws", "999999999999"), ("aws-us-gov", "111122223333")] {
            let arn = format!("arn:{partition}:bedrock:us-east-1:{account}:{kind}/abcdefghijkl");
            let mut spec = spec();
            spec["models"].as_array_mut().unwrap().push(json!({ field: arn }));
            let intent = parsed(&spec);
            assert_eq!((intent.targets.len(), intent.refused[0].reason), (4, Reason::TargetNotAllowed));
        }
        let arn = format!("arn:aws:bedrock:eu-west-1:111122223333:{kind}/abcdefghijkl");
        let finding = refused(|spec| spec["models"] = json!([{ field: arn }]));
        assert!(
            finding.message.ends_with("eu-west-1 is not one of spec.sourceRegions"),
            "{}",
            finding.message
        );
    }
}

#[test]
fn a_role_arn_gives_the_name_and_stays_whole() {
    let mut spec = spec();
    spec["role"] = json!({"arn": "arn:aws:iam::111122223333:role/teams/a/assistant"});
    let intent = parsed(&spec);
    assert_eq!(intent.claim.role.as_str(), "assistant");
    assert_eq!(intent.claim.role_arn.unwrap().path, "/teams/a/");
}

#[test]
fn defaults_are_both_operations_and_enforce() {
    let intent = parsed(&spec());
    assert_eq!((intent.terms.operations, intent.drift_policy), (Operations::Both, DriftPolicy::Enforce));
    assert_eq!(intent.allowed_destination_regions, None);
}

#[test]
fn nothing_beside_the_calls_is_wanted_unless_it_is_asked_for() {
    assert_eq!(parsed(&spec()).terms.extras, Extras::default());
    let mut spec = spec();
    spec["discovery"] = json!(true);
    let sources = ["us-east-1", "us-west-2"].map(|source| source.parse().unwrap());
    assert_eq!(parsed(&spec).terms.extras.discovery, sources.into());
}

#[test]
fn stored_responses_are_those_of_the_default_projects_and_of_no_application_profile() {
    let mut spec = spec();
    spec["responses"] = json!(true);
    let account = operator_settings().account;
    let projects =
        ["us-east-1", "us-west-2"].map(|source| DefaultProjectArn::of(&account, &source.parse().unwrap()));
    assert_eq!(parsed(&spec).terms.extras.stored_responses, projects.into());
    let finding = refused(|spec| {
        let arn = "arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/abcdefghijkl";
        spec["models"] = json!([{"inferenceProfile": arn}]);
        spec["responses"] = json!(true);
    });
    assert!(finding.message.starts_with("spec.responses: the Responses API takes no"), "{}", finding.message);
}

#[test]
fn only_short_term_api_keys_can_be_wanted() {
    let mut spec = spec();
    spec["apiKeys"] = json!("ShortTerm");
    assert!(parsed(&spec).terms.extras.api_keys);
    let finding = refused(|spec| spec["apiKeys"] = json!("LongTerm"));
    assert!(
        finding.message.starts_with("spec.apiKeys: \"LongTerm\" is not ShortTerm"),
        "{}",
        finding.message
    );
}

#[test]
fn counting_tokens_goes_beside_the_invoke_operations_and_not_beyond_the_lock() {
    let mut spec = spec();
    spec["operations"] = json!(["InvokeModel", "CountTokens"]);
    let terms = parsed(&spec).terms;
    assert_eq!((terms.operations, terms.extras.count_tokens), (Operations::Invoke, true));
    let alone = refused(|spec| spec["operations"] = json!(["CountTokens"]));
    assert!(alone.message.starts_with("spec.operations: InvokeModel"), "{}", alone.message);
    let outside = refused(|spec| {
        spec["operations"] = json!(["InvokeModel", "CountTokens"]);
        spec["routing"]["allowedDestinationRegions"] = json!(["us-east-1"]);
    });
    let told = "spec.operations: CountTokens runs in the source Region, and routing.allowedDestinationRegions leaves us-west-2 out";
    assert!(outside.message.starts_with(told), "{}", outside.message);
}

#[test]
fn a_mistake_is_named_by_its_field() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 13] = [
        ("spec.role: ", |spec| spec["role"] = json!({})),
        ("spec.role.name: ", |spec| spec["role"] = json!({"name": "a role"})),
        ("spec.role.arn: ", |spec| spec["role"] = json!({"arn": "arn:aws:s3:::bucket"})),
        ("spec.sourceRegions[1]: ", |spec| spec["sourceRegions"] = json!(["us-east-1", "*"])),
        ("spec.models: ", |spec| spec["models"] = json!([])),
        ("spec.models[0]: ", |spec| spec["models"] = json!([{}])),
        ("spec.models[0].modelId: ", |spec| spec["models"] = json!([{"modelId": "amazon.${aws:username}"}])),
        ("spec.models[0].modelId: ", |spec| spec["routing"] = json!({})),
        ("spec.models[0].modelArn: ", |spec| {
            spec["models"] = json!([{"modelArn": "arn:aws:bedrock:us-east-1:111122223333:custom-model/a"}]);
        }),
        ("spec.models[0].scopes: ", |spec| spec["models"][0]["scopes"] = json!(["us*"])),
        ("spec.operations: ", |spec| spec["operations"] = json!(["Converse"])),
        ("spec.driftPolicy: ", |spec| spec["driftPolicy"] = json!("Ignore")),
        ("spec.interval: ", |spec| spec["interval"] = json!("59s")),
    ];
    for (place, change) in cases {
        let finding = refused(change);
        assert_eq!(finding.reason, Reason::InvalidSpec, "{finding:?}");
        assert!(finding.message.starts_with(place), "{place}: {}", finding.message);
    }
}

#[test]
fn a_family_stands_for_each_scope_and_source_region() {
    let mut spec = spec();
    spec["models"] = json!([{"modelId": "amazon.nova-*"}]);
    let intent = parsed(&spec);
    assert_eq!((intent.targets.len(), intent.families.len()), (0, 4));
    let source = "us-west-2".parse().unwrap();
    let prefix = "amazon.nova-".parse().unwrap();
    assert!(intent.families.contains(&Family::Profiles { source, scope: "us".to_owned(), prefix }));
    for mistake in ["*", "amazon.*nova-*", "amazon*", "amazon.no?a-*"] {
        let finding = refused(|spec| spec["models"] = json!([{"modelId": mistake}]));
        assert!(finding.message.starts_with("spec.models[0].modelId: "), "{mistake}: {}", finding.message);
    }
}

#[test]
fn guardrails_and_denied_scopes_are_terms() {
    let mut spec = spec();
    let arn = "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1";
    spec["guardrails"] = json!([{"arn": arn, "version": "2"}]);
    spec["routing"]["deniedScopes"] = json!(["apac", "global"]);
    let terms = parsed(&spec).terms;
    let identifiers: Vec<String> = terms.guardrails.iter().map(Guardrail::identifier).collect();
    assert_eq!(identifiers, [format!("{arn}:2")]);
    assert_eq!(terms.denied_scopes.iter().map(Scope::as_str).collect::<Vec<_>>(), ["apac", "global"]);
    for (place, change) in [
        ("spec.guardrails[0].arn: ", json!([{"arn": "gr1", "version": "2"}])),
        ("spec.guardrails[0].arn: ", json!([{"arn": arn.replace("aws", "aws-us-gov"), "version": "2"}])),
        ("spec.guardrails[0].version: ", json!([{"arn": arn, "version": "*"}])),
    ] {
        let finding = refused(|spec| spec["guardrails"] = change);
        assert!(finding.message.starts_with(place), "{}", finding.message);
    }
    let finding = refused(|spec| spec["routing"]["deniedScopes"] = json!(["us"]));
    assert!(
        finding.message.starts_with("spec.routing.deniedScopes: us is also wanted"),
        "{}",
        finding.message
    );
}

#[test]
fn a_source_region_that_is_none_is_told_unless_the_operator_is_told_of_it() {
    let mut spec = spec();
    spec["sourceRegions"] = json!(["us-east-1", "us-nowhere-9"]);
    let (known, newer): (Region, Region) = ("us-east-1".parse().unwrap(), "us-nowhere-9".parse().unwrap());
    let unknown = parsed(&spec);
    assert_eq!(unknown.unknown_sources, [newer.clone()].into());
    assert_eq!(
        unknown.refused.iter().map(|finding| finding.reason).collect::<Vec<_>>(),
        [Reason::ProfileNotFound]
    );
    let message = &unknown.refused[0].message;
    assert!(message.contains("us-nowhere-9") && message.contains("--regions"), "{message}");

    let settings = OperatorSettings { regions: [known, newer].into(), ..operator_settings() };
    let served = intent(&object(&spec), &settings).unwrap();
    assert_eq!((served.unknown_sources, served.refused), (BTreeSet::new(), Vec::new()));
}

#[test]
fn every_region_of_the_profile_data_is_known() {
    let routes = testing::real_profiles().into_values();
    for source in routes.flat_map(BTreeMap::into_keys).collect::<BTreeSet<_>>() {
        let mut spec = spec();
        spec["sourceRegions"] = json!([source]);
        assert_eq!(parsed(&spec).unknown_sources, BTreeSet::new());
    }
}

#[test]
fn a_source_region_that_the_operator_does_not_serve_is_refused() {
    let settings =
        OperatorSettings { regions: BTreeSet::from(["us-east-1".parse().unwrap()]), ..operator_settings() };
    let finding = intent(&object(&spec()), &settings).unwrap_err();
    assert_eq!(finding.reason, Reason::NotSupported);
    assert!(finding.message.contains("does not serve us-west-2; it serves us-east-1"), "{}", finding.message);
}

#[test]
fn the_role_is_readable_for_deletion_though_the_rest_is_not() {
    let mut spec = spec();
    spec["models"] = json!([{"modelId": "*"}]);
    assert!(intent(&object(&spec), &operator_settings()).is_err());
    assert_eq!(claim(&object(&spec), &operator_settings()).unwrap().role.as_str(), "assistant");
}

#[test]
fn an_accepted_shrink_is_read_once_and_nonsense_accepts_nothing() {
    let accepted = |value: &str, handled: Option<&str>| {
        let mut object = object(&spec());
        object.annotations_mut().insert(ACCEPT_SHRINK.to_owned(), value.to_owned());
        object.status = Some(BedrockAccessStatus {
            last_accepted_shrink: handled.map(ToOwned::to_owned),
            ..Default::default()
        });
        intent(&object, &operator_settings()).unwrap().accepted_shrink
    };
    let profile = "us.amazon.nova-2-lite-v1:0";
    let given = accepted(&format!("{profile}@us-east-1#2"), Some(profile)).unwrap();
    assert_eq!((given.profile.as_str(), given.source.unwrap().as_str()), (profile, "us-east-1"));
    assert_eq!(accepted(profile, None).unwrap().source, None);
    assert_eq!(accepted(profile, Some(profile)), None);
    assert_eq!(accepted("a1b2c3d4e5f6@us-east-1", None).unwrap().profile, "a1b2c3d4e5f6");
    assert_eq!(accepted("*", None), None);
    assert_eq!(accepted(&format!("{profile}@*"), None), None);
}

#[test]
fn intervals_are_durations_of_at_least_a_minute() {
    for (text, seconds) in [("1m", 60), ("10m", 600), ("1h30m", 5400), ("90s", 90)] {
        let mut spec = spec();
        spec["interval"] = json!(text);
        assert_eq!(interval(&object(&spec)).unwrap(), Some(Duration::from_secs(seconds)), "{text}");
    }
    assert_eq!(interval(&object(&spec())).unwrap(), None);
    for text in ["", "10", "-10m", "soon"] {
        assert!(
            refused(|spec| spec["interval"] = json!(text)).message.starts_with("spec.interval: "),
            "{text}"
        );
    }
}
