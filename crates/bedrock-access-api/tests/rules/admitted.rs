//! What the rules admit: also what AWS has not got yet, so that nobody waits for a release of the operator.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bedrock_access_api::parse::intent;
use serde_json::{Value, json};
use testing::manifest::operator_settings;
use testing::real_profiles;
use testing::refusals::{example, with};

use super::refused;

#[test]
fn every_known_profile_and_its_model_is_admitted() {
    let profiles = real_profiles();
    let models: BTreeSet<&str> = profiles.keys().map(|id| id.split_once('.').unwrap().1).collect();
    assert!(profiles.len() > 100 && models.len() > 50);
    let entries: Vec<Value> = profiles
        .keys()
        .map(|profile| json!({ "inferenceProfile": profile }))
        .chain(models.iter().map(|model| json!({ "modelId": model, "scopes": ["in-region"] })))
        .collect();
    for entries in entries.chunks(100) {
        let mut manifest = with("/models", &json!(entries));
        manifest["spec"]["routing"] = json!({});
        assert_eq!(refused(&manifest, None), []);
    }
}

#[test]
fn a_scope_that_aws_may_add_is_admitted() {
    for scope in ["ca", "in", "us-gov", "sa", "eusc", "us-iso", "zone51"] {
        assert_eq!(refused(&with("/models/1/scopes", &json!([scope])), None), [], "{scope}");
    }
}

#[test]
fn a_region_of_any_partition_is_admitted() {
    for region in
        ["ap-southeast-7", "us-gov-east-1", "us-isob-east-1", "eusc-de-east-1", "cn-north-1", "mx-central-10"]
    {
        let regions = json!(["us-east-1", region]);
        assert_eq!(refused(&with("/sourceRegions", &regions), None), [], "{region}");
    }
}

#[test]
fn an_interval_of_hours_minutes_and_seconds_is_admitted_and_is_a_duration() {
    for interval in ["1m", "10m", "90s", "1h", "1h30m", "1h0m1s", "0h5m0s", "24h"] {
        assert_eq!(refused(&with("/interval", &json!(interval)), None), [], "{interval}");
        assert!(interval.parse::<jiff::SignedDuration>().is_ok(), "{interval}");
    }
}

#[test]
fn another_role_is_refused_after_creation_and_every_other_change_is_not() {
    let message =
        "the role is immutable: create another BedrockAccess for another role, then delete this one";
    let other = with("/role", &json!({"name": "other"}));
    assert_eq!(refused(&other, Some(&example())), [("spec.role".to_owned(), message.to_owned())]);
    let changed = with("/sourceRegions", &json!(["us-east-1", "us-west-2"]));
    assert_eq!(refused(&changed, Some(&example())), []);
}

#[test]
fn every_example_is_admitted_and_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let examples: Vec<String> =
        fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(examples.len() > 2);
    for example in examples {
        let manifest: Value = serde_saphyr::from_str(&example).unwrap();
        assert_eq!(refused(&manifest, None), [], "{example}");
        let object = serde_json::from_value(manifest).unwrap();
        assert!(intent(&object, &operator_settings()).unwrap().refused.is_empty(), "{example}");
    }
}
