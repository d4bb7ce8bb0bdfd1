//! Every fault of every call to AWS, over time.

use serde_json::{Value, json};

use super::outage::{Begin, Outage, Rates, Story, objects, tell};
use super::wire::{Call, Failure};
use super::world::{SOURCE, World};

/// The most requests that the operator sends in any one minute of an outage of AWS, with three objects and the SDK's three
/// attempts; the record is read at first, and later Bedrock is asked anew at each interval.
const MOST: Rates = Rates { at_first: 140, later: 100 };

const STORY: Story = Story { objects: teams, in_the_middle: is_told, at_last: deletion_waits };

const IAM: [&str; 4] = ["GetRole", "GetRolePolicy", "PutRolePolicy", "DeleteRolePolicy"];
const BEDROCK: [&str; 4] =
    ["GetInferenceProfile", "ListInferenceProfiles", "GetFoundationModel", "ListFoundationModels"];

const FAILURES: [Failure; 9] = [
    Failure::Throttled,
    Failure::Denied,
    Failure::Status(500),
    Failure::Status(503),
    Failure::Refused,
    Failure::Hang,
    Failure::Truncated,
    Failure::Malformed,
    Failure::LostReply,
];

/// team-a asks Bedrock in every way that there is, team-b in another Region.
fn teams() -> [Value; 3] {
    let [mut a, mut b, c] = objects();
    a["spec"]["models"] = json!([
        {"modelId": "amazon.nova-2-lite-v1:0"},
        {"modelId": "amazon.nova-l*", "scopes": ["us"]},
        {"modelId": "amazon.nova-pro-v1:0", "scopes": ["in-region"]},
        {"modelId": "amazon.nova-m*", "scopes": ["in-region"]},
    ]);
    b["spec"]["sourceRegions"] = json!(["us-west-2"]);
    [a, b, c]
}

fn outages() -> Vec<Outage> {
    let mut outages = Vec::new();
    for failure in FAILURES {
        for &begin in Begin::of(failure) {
            for kind in IAM {
                outages.push(Outage { begin, kind, failure, hits: |_| true, unhindered: &[] });
            }
            // One Region's outage is nothing to the objects of another.
            for kind in BEDROCK {
                // At rest its answers are cached, and only a new profile is asked for.
                if begin == Begin::AtRest && kind != "GetInferenceProfile" {
                    continue;
                }
                let hits = |call: &Call| call.place == SOURCE;
                outages.push(Outage { begin, kind, failure, hits, unhindered: &["team-b"] });
            }
        }
    }
    outages
}

/// The condition that stands for the call, and the summary, tell of the fault; the object is not Stalled, and Ready only if it was
/// proven before.
fn is_told(world: &World, outage: &Outage) {
    let condition = match outage.kind {
        "GetRole" => "RoleAccepted",
        "GetRolePolicy" => "PolicyInSync",
        "PutRolePolicy" if !is_done(outage.failure) => "PolicyInSync",
        kind if BEDROCK.contains(&kind) => "ProfilesResolved",
        _ => return,
    };
    // At rest no policy is written, and an answer of Bedrock may be as old as the interval.
    if outage.begin == Begin::AtRest && !outage.kind.starts_with("GetRole") {
        return;
    }
    let told = Some(("Unknown".to_owned(), reason(outage)));
    assert_eq!(world.condition("team-a", condition), told, "{outage}: {condition}");
    let was_proven = outage.begin == Begin::AtRest;
    if was_proven {
        assert!(world.is_ready("team-a"), "{outage}: what was proven is not doubted for an outage");
    } else {
        assert_eq!(world.condition("team-a", "Ready"), told, "{outage}: Ready");
    }
    assert_eq!(world.condition("team-a", "Reconciling").is_none(), was_proven, "{outage}");
    assert_eq!(world.condition("team-a", "Stalled"), None, "{outage}");
}

/// An object stays until its policy is known to be gone, and says why.
fn deletion_waits(world: &World, outage: &Outage) {
    if outage.kind == "DeleteRolePolicy" && !is_done(outage.failure) {
        let told = world.condition("team-c", "Ready");
        assert_eq!(told, Some(("Unknown".to_owned(), reason(outage))), "{outage}");
    }
}

fn reason(outage: &Outage) -> String {
    let service = if IAM.contains(&outage.kind) { "Iam" } else { "Bedrock" };
    let problem = if outage.failure == Failure::Denied { "Denied" } else { "Unavailable" };
    format!("{service}{problem}")
}

/// Whether AWS does what is asked, so that a write is found done by the next look at the role.
fn is_done(failure: Failure) -> bool {
    matches!(failure, Failure::LostReply | Failure::Truncated | Failure::Malformed)
}

#[test]
fn every_outage_of_aws_is_told_ends_where_none_would_and_is_no_hot_loop() {
    tell(STORY, outages(), MOST, super::seed());
}
