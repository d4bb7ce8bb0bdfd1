//! What the real driver works with under test: everything of the operator but its two services.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use aws_config::SdkConfig;
use bedrock_access::aws::{Bedrock, Caller, Iam};
use bedrock_access::fence::Fence;
use bedrock_access::metrics::Metrics;
use bedrock_access::orphans::{Orphans, Record, SharedLook};
use bedrock_access::reconcile::{Adoption, Context, Failures, Memory, Owners};
use bedrock_access::shard::Shard;
use bedrock_access_api::parse::OperatorSettings;
use bedrock_iam::consent::ConsentPolicy;
use kube::Client;
use kube::runtime::events::Reporter;
use testing::world::account;
use tokio::time::Instant;

/// Most tests are not about the rate.
pub(crate) const UNLIMITED: NonZeroU32 = NonZeroU32::new(1_000_000).unwrap();

/// How often an object is looked at.
pub(crate) const INTERVAL: Duration = Duration::from_mins(10);

/// What one operator under test is told otherwise than another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) cluster_id: &'static str,
    /// The cluster id whose policies are moved to this one's.
    pub(crate) adopt_from: Option<&'static str>,
    /// IAM may show what was there before a write for as long as this.
    pub(crate) iam_lag: Duration,
    pub(crate) sweep_interval: Option<Duration>,
    /// The most calls in a second, to IAM and to Bedrock in each Region.
    pub(crate) rate: NonZeroU32,
    pub(crate) shard: Shards,
}

/// Which objects it serves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shards {
    All,
    /// One of so many.
    Numbered(u16, u16),
    Selected(&'static str),
}

impl Shards {
    fn shard(self) -> Shard {
        let shard = match self {
            Self::All => Shard::new(None, None, None),
            Self::Numbered(index, count) => Shard::new(Some(index), Some(count), None),
            Self::Selected(selector) => Shard::new(None, None, Some(selector.to_owned())),
        };
        shard.unwrap()
    }
}

impl Settings {
    /// The cluster of most tests; IAM shows every write at once.
    pub(crate) fn of_cluster(cluster_id: &'static str) -> Self {
        Self {
            cluster_id,
            adopt_from: None,
            iam_lag: Duration::ZERO,
            sweep_interval: None,
            rate: UNLIMITED,
            shard: Shards::All,
        }
    }
}

/// An operator that remembers nothing and leads for as long as any test takes.
pub(crate) fn context(client: Client, aws: &SdkConfig, settings: Settings) -> Context {
    let Settings { cluster_id, adopt_from, iam_lag, sweep_interval, rate, shard } = settings;
    let metrics = Metrics::default();
    let record = Record::new(client.clone(), "bedrock-access", cluster_id, adopt_from);
    Context {
        client,
        reporter: Reporter { controller: "bedrock-access".to_owned(), instance: None },
        iam: Iam::new(aws, Caller::new(rate, metrics.clone()), leading()),
        bedrock: Bedrock::new(aws.clone(), rate, metrics.clone(), account()),
        settings: OperatorSettings {
            account: account(),
            own_role: Some("bedrock-access".parse().unwrap()),
            cluster_id: cluster_id.to_owned(),
            adopt_from: adopt_from.map(str::to_owned),
            regions: BTreeSet::new(),
            consent: ConsentPolicy::Tag,
        },
        shard: shard.shard(),
        interval: INTERVAL,
        full_look_interval: Duration::from_hours(6),
        stale_after: Duration::from_hours(24),
        failures: Failures::default(),
        memory: Memory::new(iam_lag),
        owners: Owners::default(),
        adoption: Adoption::new(iam_lag),
        orphans: Orphans { record, look: SharedLook::default(), scan_every: sweep_interval, iam_lag },
        metrics,
    }
}

fn leading() -> Fence {
    let fence = Fence::default();
    fence.open_until(Instant::now() + Duration::from_hours(24 * 365));
    fence
}
