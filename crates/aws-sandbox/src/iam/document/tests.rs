use serde_json::json;

use super::*;

fn inline(statement: &Value) -> Result<(), Malformed> {
    check_inline(&json!({"Version": "2012-10-17", "Statement": statement}).to_string())
}

fn allow(changes: &Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"});
    for (element, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => statement.as_object_mut().unwrap().remove(element),
            value => statement.as_object_mut().unwrap().insert(element.clone(), value.clone()),
        };
    }
    statement
}

#[test]
fn the_documented_policy_of_a_global_profile_is_accepted() {
    let profile = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/global.amazon.nova-2-lite-v1:0";
    let statements = json!([
        {"Sid": "Profile", "Effect": "Allow", "Action": ["bedrock:InvokeModel"], "Resource": [profile]},
        {"Sid": "Model", "Effect": "Allow", "Action": ["bedrock:InvokeModel"],
         "Resource": ["arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0",
                      "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0"],
         "Condition": {"StringEquals": {"bedrock:InferenceProfileArn": profile, "aws:RequestedRegion": ["unspecified"]},
                       "Null": {"bedrock:PromptRouterArn": "true"},
                       "ForAllValues:StringLikeIfExists": {"aws:TagKeys": ["a"]}}}
    ]);
    assert_eq!(inline(&statements), Ok(()));
    assert_eq!(inline(&allow(&json!({}))), Ok(()), "one statement without a list");
}

#[test]
fn each_fault_of_a_statement_is_named() {
    for (changes, expected) in [
        (json!({"Effect": "Permit"}), Malformed::Syntax),
        (json!({"Effect": null}), Malformed::Syntax),
        (json!({"Actions": "x"}), Malformed::Syntax),
        (json!({"Action": null}), Malformed::NoActions),
        (json!({"Action": []}), Malformed::NoActions),
        (json!({"Action": 1}), Malformed::Syntax),
        (json!({"NotAction": "s3:*"}), Malformed::Syntax),
        (json!({"Action": "InvokeModel"}), Malformed::NoVendor),
        (json!({"Action": "bedrock:a:b"}), Malformed::TwoColons),
        (json!({"Action": "bed rock:a"}), Malformed::Vendor("bed rock".to_owned())),
        (json!({"Resource": null}), Malformed::NoResources),
        (json!({"Resource": []}), Malformed::NoResources),
        (json!({"NotResource": "*"}), Malformed::Syntax),
        (json!({"Resource": "model"}), Malformed::NotAnArn("model".to_owned())),
        (json!({"Resource": "arn:aws:bed*:::x"}), Malformed::ResourceVendor),
        (json!({"Resource": "arn:aws:bed_rock:::x"}), Malformed::Vendor("bed_rock".to_owned())),
        (json!({"Resource": "arn:aws:s3::x"}), Malformed::Legacy),
        (json!({"Sid": "a-b"}), Malformed::SidCharacters),
        (json!({"Principal": "*"}), Malformed::Principal),
        (json!({"Condition": {"StringIs": {"aws:x": "y"}}}), Malformed::Syntax),
        (json!({"Condition": {"StringEquals": {"aws:x": {}}}}), Malformed::Syntax),
        (json!({"Condition": {"StringEquals": {"x": "y"}}}), Malformed::NoVendor),
    ] {
        assert_eq!(inline(&allow(&changes)), Err(expected), "{changes}");
    }
    let foreign = inline(&allow(&json!({"Resource": "arn:azure:bedrock:::x"})));
    assert!(matches!(foreign, Err(Malformed::Partition { .. })), "{foreign:?}");
}

#[test]
fn a_sid_may_stand_once_only() {
    let twice = json!([allow(&json!({"Sid": "a"})), allow(&json!({"Sid": "a"}))]);
    assert_eq!(inline(&twice), Err(Malformed::SidTwice));
    assert_eq!(inline(&json!([allow(&json!({})), allow(&json!({}))])), Ok(()), "no Sid is not a Sid");
}

#[test]
fn what_is_no_policy_at_all_is_refused() {
    for (text, expected) in [
        ("", Malformed::Syntax),
        ("[]", Malformed::Syntax),
        ("{", Malformed::Syntax),
        (r#"{"Version":"2012-10-17"}"#, Malformed::Syntax),
        (r#"{"Version":"2012-10-17","Statement":[]}"#, Malformed::Syntax),
        (r#"{"Version":"2012-10-17","Statement":["x"]}"#, Malformed::Syntax),
        (r#"{"Version":"2020-01-01","Statement":[]}"#, Malformed::Syntax),
        (r#"{"Version":"2008-10-17","Statement":[]}"#, Malformed::Version),
        (r#"{"Statement":[]}"#, Malformed::Version),
    ] {
        assert_eq!(check_inline(text), Err(expected), "{text}");
    }
}

#[test]
fn a_trust_policy_names_principals_and_only_sts_actions() {
    let trust =
        |statement: Value| check_trust(&json!({"Version": "2012-10-17", "Statement": statement}).to_string());
    let good = json!({"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"});
    assert_eq!(trust(good.clone()), Ok(()));
    for (element, value, expected) in [
        ("Resource", json!("*"), Malformed::Resource),
        ("Action", json!("s3:GetObject"), Malformed::TrustAction),
    ] {
        let mut bad = good.clone();
        bad[element] = value;
        assert_eq!(trust(bad), Err(expected), "{element}");
    }
    assert_eq!(trust(json!({"Effect": "Allow", "Action": "sts:AssumeRole"})), Err(Malformed::NoPrincipal));
}
