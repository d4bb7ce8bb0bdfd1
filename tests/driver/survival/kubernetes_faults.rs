//! Every fault of every call to Kubernetes.

use super::outage::{Begin, Outage, Rates, Story, objects, tell};
use super::wire::{Call, Failure};

/// The most requests that the operator sends in any one minute of an outage of Kubernetes, with three objects; the
/// record is read at first, and a reconcile whose entry is not taken begins anew. Of these, 30 are watches that end at once, and some 10 for each object those by
/// which a change that no watch shows is carried out.
const MOST: Rates = Rates { at_first: 130, later: 65 };

const STORY: Story = Story { objects, in_the_middle: |_, _| {}, at_last: |_, _| {} };

const FAILURES: [Failure; 9] = [
    Failure::Status(409),
    Failure::Status(410),
    Failure::Status(429),
    Failure::Status(500),
    Failure::Hang,
    Failure::Refused,
    Failure::LostReply,
    Failure::Truncated,
    Failure::Malformed,
];

fn outages() -> Vec<Outage> {
    let mut outages = Vec::new();
    for failure in FAILURES {
        for &begin in Begin::of(failure) {
            for kind in ["list", "watch", "read", "note", "part"] {
                outages.push(Outage { begin, kind, failure, hits: |_| true, unhindered: &[] });
            }
            // Any other call belongs to one object, and is nothing to the others.
            for kind in ["get", "finalizer", "status", "event"] {
                let hits = |call: &Call| call.place != "team-b";
                outages.push(Outage { begin, kind, failure, hits, unhindered: &["team-b"] });
            }
        }
    }
    outages
}

#[test]
fn every_outage_of_kubernetes_ends_where_none_would_and_is_no_hot_loop() {
    tell(STORY, outages(), MOST, super::seed());
}
