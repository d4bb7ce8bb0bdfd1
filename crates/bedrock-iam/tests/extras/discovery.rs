//! The right to ask which models and profiles there are.

use bedrock_iam::*;
use testing::world::*;

use super::world::*;

const LIST: [&str; 3] = [
    "bedrock:ListFoundationModels",
    "bedrock:ListInferenceProfiles",
    "bedrock:GetFoundationModelAvailability",
];
const GET: &str = "bedrock:GetFoundationModel";

fn discovery() -> Extras {
    Extras { discovery: in_sources(), ..Extras::default() }
}

#[test]
fn models_and_profiles_may_be_listed_in_the_source_regions_and_in_no_other() {
    let document = written(discovery());
    for action in LIST {
        assert!(SOURCES.iter().all(|source| allows(&document, action, "*", source)), "{action}");
        assert!(!allows(&document, action, "*", "us-east-2"), "a destination is no source: {action}");
        assert!(!allows(&written(Extras::default()), action, "*", "us-east-1"));
    }
}

#[test]
fn more_may_be_asked_about_the_granted_models_where_they_are_called_and_about_no_other() {
    let document = written(discovery());
    for source in SOURCES {
        assert!(allows(&document, GET, &model_arn(NOVA, source), source));
        assert!(!allows(&document, GET, &model_arn("amazon.nova-pro-v1:0", source), source));
    }
    for elsewhere in ["us-east-2", "eu-central-1"] {
        assert!(!allows(&document, GET, &model_arn(NOVA, elsewhere), elsewhere));
    }
}
