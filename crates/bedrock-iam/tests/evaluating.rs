//! The evaluator against IAM's documented rules, one row each.

#![allow(clippy::unwrap_used, reason = "a fixture may fail loudly")]

use bedrock_iam::Document;
use bedrock_iam::evaluate::{Decision, Request, Unsupported, evaluate};

const MODEL: &str = "arn:aws:bedrock:us-east-1::foundation-model/a.b-v1:0";

fn decide(statements: &str, context: &[(&str, &str)]) -> Result<Decision, Unsupported> {
    let document =
        Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap();
    let request = Request {
        action: "bedrock:InvokeModel".to_owned(),
        resource: MODEL.to_owned(),
        context: context.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    };
    evaluate(&[&document], &request)
}

fn allows(elements: &str, context: &[(&str, &str)]) -> bool {
    decide(&format!(r#"{{"Effect":"Allow",{elements}}}"#), context).unwrap() == Decision::Allowed
}

#[test]
fn nothing_is_allowed_by_default_and_deny_wins() {
    let allow = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let deny = r#"{"Effect":"Deny","Action":"bedrock:*","Resource":"*"}"#;
    assert_eq!(decide("", &[]), Ok(Decision::ImplicitDeny));
    assert_eq!(decide(allow, &[]), Ok(Decision::Allowed));
    assert_eq!(decide(&format!("{allow},{deny}"), &[]), Ok(Decision::ExplicitDeny));
    assert_eq!(decide(&format!("{deny},{allow}"), &[]), Ok(Decision::ExplicitDeny));
}

#[test]
fn actions_ignore_case_and_take_wildcards() {
    for (action, allowed) in [
        ("bedrock:InvokeModel", true),
        ("BEDROCK:invokemodel", true),
        ("bedrock:Invoke*", true),
        ("bedrock:?nvokeModel", true),
        ("bedrock:InvokeModelWithResponseStream", false),
        ("bedrock:Invoke", false),
        ("s3:*", false),
    ] {
        assert_eq!(allows(&format!(r#""Action":"{action}","Resource":"*""#), &[]), allowed, "{action}");
        assert_eq!(
            allows(&format!(r#""NotAction":"{action}","Resource":"*""#), &[]),
            !allowed,
            "Not {action}"
        );
    }
}

#[test]
fn resources_heed_case_and_match_field_by_field() {
    for (resource, allowed) in [
        (MODEL, true),
        ("arn:aws:bedrock:*::foundation-model/a.b-v1:0", true),
        ("arn:aws:bedrock:us-east-?::foundation-model/*", true),
        ("arn:aws:bedrock:us-east-1:*:foundation-model/a.b-v1:0", true),
        ("arn:aws:bedrock:us-east-1:111122223333:foundation-model/a.b-v1:0", false),
        ("arn:aws:bedrock:us-east-2::foundation-model/a.b-v1:0", false),
        ("arn:aws:bedrock:us-east-1::foundation-model/A.B-V1:0", false),
        ("arn:aws:bedrock:us-east-1::foundation-model/a.b-v1:1", false),
        ("arn:aws:bedrock:*/a.b-v1:0", false),
        ("arn:aws-us-gov:bedrock:us-east-1::foundation-model/a.b-v1:0", false),
    ] {
        assert_eq!(allows(&format!(r#""Action":"*","Resource":"{resource}""#), &[]), allowed, "{resource}");
        assert_eq!(
            allows(&format!(r#""Action":"*","NotResource":"{resource}""#), &[]),
            !allowed,
            "Not {resource}"
        );
    }
}

#[test]
fn a_star_in_the_region_also_covers_the_region_less_arn() {
    let document = Document::parse(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:bedrock:*::foundation-model/m.n"}}"#,
    )
    .unwrap();
    let request = Request {
        action: "bedrock:InvokeModel".to_owned(),
        resource: "arn:aws:bedrock:::foundation-model/m.n".to_owned(),
        context: [].into(),
    };
    assert_eq!(evaluate(&[&document], &request), Ok(Decision::Allowed));
}

#[test]
fn condition_operators_decide_as_documented_also_for_missing_keys() {
    // (operator, value, with key "x", with key "X", with another, without the key)
    let rows = [
        ("StringEquals", "x", true, false, false, false),
        ("StringNotEquals", "x", false, true, true, true),
        ("StringEqualsIgnoreCase", "x", true, true, false, false),
        ("StringNotEqualsIgnoreCase", "x", false, false, true, true),
        ("StringLike", "?", true, true, false, false),
        ("StringNotLike", "?", false, false, true, true),
        ("StringEqualsIfExists", "x", true, false, false, true),
        ("StringNotLikeIfExists", "?", false, false, true, true),
        ("Null", "true", false, false, false, true),
        ("Null", "false", true, true, true, false),
    ];
    for (operator, value, lower, upper, other, missing) in rows {
        let elements =
            format!(r#""Action":"*","Resource":"*","Condition":{{"{operator}":{{"aws:K":"{value}"}}}}"#);
        let with = |context: &[(&str, &str)]| allows(&elements, context);
        assert_eq!(
            [with(&[("aws:k", "x")]), with(&[("aws:k", "X")]), with(&[("aws:k", "other")]), with(&[])],
            [lower, upper, other, missing],
            "{operator} {value}"
        );
    }
}

#[test]
fn arn_operators_match_field_by_field() {
    let profile = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.a.b";
    for (operator, negated) in
        [("ArnLike", false), ("ArnEquals", false), ("ArnNotLike", true), ("ArnNotEquals", true)]
    {
        for (pattern, matches) in [
            ("arn:aws:bedrock:*:*:inference-profile/us.*", true),
            ("arn:aws:bedrock:*:*:inference-profile/global.*", false),
            ("arn:aws:bedrock:*:inference-profile/us.*", false),
        ] {
            let elements = format!(
                r#""Action":"*","Resource":"*","Condition":{{"{operator}":{{"bedrock:InferenceProfileArn":"{pattern}"}}}}"#
            );
            assert_eq!(
                allows(&elements, &[("bedrock:inferenceprofilearn", profile)]),
                matches != negated,
                "{operator} {pattern}"
            );
            assert_eq!(allows(&elements, &[]), negated, "{operator} {pattern} without the key");
        }
    }
}

#[test]
fn several_values_are_alternatives_and_several_keys_must_all_hold() {
    let alternatives = r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"a:k":["x","y"]}}"#;
    assert!(allows(alternatives, &[("a:k", "y")]));
    let none_of = r#""Action":"*","Resource":"*","Condition":{"StringNotEquals":{"a:k":["x","y"]}}"#;
    assert!(!allows(none_of, &[("a:k", "y")]) && allows(none_of, &[("a:k", "z")]));
    for both in [
        r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"a:k":"x","a:l":"y"}}"#,
        r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"a:k":"x"},"StringLike":{"a:l":"y"}}"#,
    ] {
        assert!(allows(both, &[("a:k", "x"), ("a:l", "y")]) && !allows(both, &[("a:k", "x")]));
    }
}

#[test]
fn what_is_not_understood_is_an_error() {
    let condition = |operator: &str, value: &str| {
        decide(
            &format!(
                r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"{operator}":{{"a:k":"{value}"}}}}}}"#
            ),
            &[("a:k", "x")],
        )
    };
    for operator in ["ForAllValues:StringEquals", "IpAddress", "NullIfExists", "stringequals"] {
        assert_eq!(condition(operator, "x"), Err(Unsupported::Operator(operator.to_owned())));
    }
    let variable = "${aws:username}";
    assert_eq!(condition("StringEquals", variable), Err(Unsupported::Variable(variable.to_owned())));
}
