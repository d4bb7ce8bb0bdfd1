//! What the Responses API stored, and where.

use bedrock_iam::*;
use testing::world::*;

use super::world::*;

fn stored() -> Extras {
    Extras { stored_responses: default_projects(), ..Extras::default() }
}

#[test]
fn reading_what_is_stored_opens_no_call_in_the_project() {
    let document = written(stored());
    for project in default_projects() {
        let (arn, source) = (project.to_string(), project.region.as_str());
        assert!(allows(&document, "bedrock:GetInvoke", &arn, source));
        assert!(!allows(&document, "bedrock:InvokeModel", &arn, source));
    }
}

#[test]
fn only_beside_a_global_route_may_a_response_be_stored_anywhere() {
    let is_anywhere = |id: &str, destinations: &[&str], extras: Extras| {
        let target = profile(id, "us-east-1");
        let answers = answers([(target.clone(), routes(id, "us-east-1", destinations))]);
        let wanted = Intent { targets: [target].into(), ..wanting(extras) };
        CurrentGrants::of(&put(&plan(&wanted, &answers, None)).document).stores_responses_anywhere()
    };
    let global = "global.amazon.nova-2-lite-v1:0";
    assert!(is_anywhere(global, &["*"], stored()));
    assert!(!is_anywhere(global, &["*"], Extras::default()));
    assert!(!is_anywhere(US, &["us-east-1", "us-east-2"], stored()));
}
