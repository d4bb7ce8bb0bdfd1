//! What nobody should send, sent: absurd manifests, near misses of consent, policies of others, answers that lie and forged
//! statuses, through the real driver; and any manifest with any answer through the core.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

mod absurd;
mod answers;
mod bedrock;
mod consent;
mod foreign;
mod forged;
mod manifest;
mod manifests;
mod stage;
mod status;
mod values;

#[allow(dead_code, reason = "shared with the tests of the driver")]
#[path = "../driver/kubernetes.rs"]
mod kubernetes;
#[allow(dead_code, reason = "shared with the tests of the driver")]
#[path = "../driver/world.rs"]
mod world;

// Where the fuzzer finds it too, which builds the API without the rest of the operator.
use bedrock_access::api;
