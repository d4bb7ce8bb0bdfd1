use std::time::Duration;

use bedrock_access_api::parse::OperatorSettings;
use kube::Client;
use kube::runtime::events::Reporter;

use super::adopt::Adoption;
use super::failures::Failures;
use super::memory::Memory;
use super::owners::Owners;
use crate::aws::{Bedrock, Iam};
use crate::metrics::Metrics;
use crate::orphans::Orphans;
use crate::shard::Shard;

/// What every reconcile works with.
pub struct Context {
    /// Kubernetes, with a time limit on every call.
    pub client: Client,
    /// In whose name Events are published.
    pub reporter: Reporter,
    /// IAM.
    pub iam: Iam,
    /// Bedrock.
    pub bedrock: Bedrock,
    /// Account, cluster id, Regions and consent.
    pub settings: OperatorSettings,
    /// Which objects are served.
    pub shard: Shard,
    /// How often an object is looked at, whatever longer interval it has of its own: an owner may have withdrawn consent.
    pub interval: Duration,
    /// How often an object at rest is looked at by its own reads.
    pub full_look_interval: Duration,
    /// How long an object whose policy was proven stays Ready while AWS cannot be asked.
    pub stale_after: Duration,
    /// How often each object has failed.
    pub failures: Failures,
    /// What was written to AWS of late.
    pub memory: Memory,
    /// By whose consent objects hold what they hold.
    pub owners: Owners,
    /// What was written to AWS ever, and how policies are found whose object is gone.
    pub orphans: Orphans,
    /// How far the move from another cluster id is with each object.
    pub adoption: Adoption,
    /// Metrics.
    pub metrics: Metrics,
}

/// Why an object's state could not be brought about or reported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Kubernetes API did not take a write.
    #[error("the Kubernetes API failed")]
    Kubernetes(#[from] kube::Error),
    /// The finalizer could not be set or removed.
    #[error("the finalizer could not be changed")]
    Finalizer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The object changed while it was worked on, or what is known of it is old.
    #[error("the object has changed meanwhile")]
    Outdated,
    /// The object is being deleted, and our policy is still there.
    #[error("{0}")]
    DeletionWaits(String),
}
