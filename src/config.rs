//! The settings of `run`: what was typed, and what it means.

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use bedrock_iam::Region;
use bedrock_iam::consent::ConsentPolicy;
use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use tracing_subscriber::EnvFilter;

use crate::kubernetes::{Timings, TimingsError};
use crate::shard::{Shard, ShardError};
use crate::telemetry::LogFormat;

/// Settings of the operator; every one has a default that works.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// Identifier that makes this cluster's policy names unique, and by which roles consent to this cluster alone; changing it is refused while objects
    /// have policies under the old one [default: the UID of the namespace kube-system]
    #[arg(long, env = "BEDROCK_ACCESS_CLUSTER_ID", value_name = "ID")]
    pub cluster_id: Option<String>,

    /// The cluster id before: its policies are moved to this one's, each once the new one is proven
    #[arg(long, env = "BEDROCK_ACCESS_ADOPT_FROM", value_name = "ID")]
    pub adopt_from: Option<String>,

    /// The source Regions to serve, separated by commas; default: all that this version knows, so that a newer one has to be named
    #[arg(long, env = "BEDROCK_ACCESS_REGIONS", value_delimiter = ',', value_name = "REGIONS")]
    pub regions: Vec<Region>,

    /// Whether a role must list the namespace in its tag bedrockaccess.io/namespaces
    #[arg(long, env = "BEDROCK_ACCESS_CONSENT", default_value = "tag")]
    pub consent: ConsentArg,

    /// Let --consent=tag take away what roles without the tag were granted under --consent=none; until then it stays, and is told
    #[arg(long, env = "BEDROCK_ACCESS_CONFIRM_CONSENT")]
    pub confirm_consent: bool,

    /// How often an object without an interval of its own is checked; at least 1m
    #[arg(long, env = "BEDROCK_ACCESS_INTERVAL", default_value = "10m", value_parser = interval, value_name = "DURATION")]
    pub interval: Duration,

    /// How often an object at rest is checked by reads of its own, where one look at all roles of the account shows many at rest
    #[arg(long, env = "BEDROCK_ACCESS_FULL_LOOK_INTERVAL", default_value = "6h", value_parser = interval, value_name = "DURATION")]
    pub full_look_interval: Duration,

    /// For how long an object whose policy was proven stays Ready while AWS cannot be asked
    #[arg(long, env = "BEDROCK_ACCESS_STALE_AFTER", default_value = "24h", value_parser = duration, value_name = "DURATION")]
    pub stale_after: Duration,

    /// How many objects of one namespace are worked on at once; a quarter more is for those of other namespaces
    #[arg(long, env = "BEDROCK_ACCESS_CONCURRENCY", default_value = "8", value_name = "N")]
    pub concurrency: NonZeroU16,

    /// For how long after a write an old read of IAM counts as delay, and not as drift
    #[arg(long, env = "BEDROCK_ACCESS_IAM_LAG", default_value = "1m", value_parser = duration, value_name = "DURATION")]
    pub iam_lag: Duration,

    /// How often all roles of the account are looked at for policies whose object is gone; 0s for never
    #[arg(long, env = "BEDROCK_ACCESS_SWEEP_INTERVAL", default_value = "24h", value_parser = duration, value_name = "DURATION")]
    pub sweep_interval: Duration,

    /// The most calls to IAM in a second; IAM's own limit is shared by the whole account
    #[arg(long, env = "BEDROCK_ACCESS_IAM_RATE", default_value = "20", value_name = "N")]
    pub iam_rate: NonZeroU32,

    /// The most calls to Bedrock in a second, in each Region
    #[arg(long, env = "BEDROCK_ACCESS_BEDROCK_RATE", default_value = "20", value_name = "N")]
    pub bedrock_rate: NonZeroU32,

    #[command(flatten)]
    pub shard: ShardArgs,

    #[command(flatten)]
    pub lease: LeaseArgs,

    /// Where /livez, /readyz and /metrics are served
    #[arg(long, env = "BEDROCK_ACCESS_HTTP_ADDRESS", default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    pub http_address: SocketAddr,

    /// How log lines are written
    #[arg(long, env = "BEDROCK_ACCESS_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// A level (error, warn, info, debug, trace), or a filter such as info,bedrock_access=debug
    #[arg(long, env = "BEDROCK_ACCESS_LOG_LEVEL", default_value = "info", value_name = "FILTER")]
    pub log_level: EnvFilter,
}

/// Which objects are served, where several operators divide them.
#[derive(Args, Clone, Debug)]
pub struct ShardArgs {
    /// Serve only the namespaces that fall to this one of the shards, counted from 0; needs --shard-count
    #[arg(long, env = "BEDROCK_ACCESS_SHARD_INDEX", value_name = "I")]
    pub shard_index: Option<u16>,

    /// How many shards there are, each with an operator of its own: all of them must run, or some objects are not served; at most 64
    #[arg(long, env = "BEDROCK_ACCESS_SHARD_COUNT", value_name = "N")]
    pub shard_count: Option<u16>,

    /// Serve only objects whose labels match, such as '!sharding.bedrockaccess.io/key' or sharding.bedrockaccess.io/key=one; default: all
    #[arg(long, env = "BEDROCK_ACCESS_SHARD_SELECTOR", value_name = "SELECTOR")]
    pub shard_selector: Option<String>,
}

impl ShardArgs {
    /// The shard, if there is such a one.
    pub fn shard(self) -> Result<Shard, ShardError> {
        Shard::new(self.shard_index, self.shard_count, self.shard_selector)
    }
}

/// How the operators of a cluster take turns.
#[derive(Args, Clone, Debug)]
pub struct LeaseArgs {
    /// Where the Lease bedrock-access is; default: the pod's namespace; outside of the cluster where the one such Lease is, else the namespace of the kubeconfig's context
    #[arg(long, env = "BEDROCK_ACCESS_LEASE_NAMESPACE", value_name = "NAMESPACE")]
    pub lease_namespace: Option<String>,

    /// How long the others wait for a leader that has fallen silent; the same for all of them
    #[arg(long, env = "BEDROCK_ACCESS_LEASE_DURATION", default_value = "15s", value_parser = duration, value_name = "DURATION")]
    pub lease_duration: Duration,

    /// After how long without a renewal a leader stops writing; shorter than the lease's duration
    #[arg(long, env = "BEDROCK_ACCESS_LEASE_RENEW_DEADLINE", default_value = "10s", value_parser = duration, value_name = "DURATION")]
    pub lease_renew_deadline: Duration,

    /// How often the lease is renewed, and looked at by the others
    #[arg(long, env = "BEDROCK_ACCESS_LEASE_RETRY_PERIOD", default_value = "2s", value_parser = duration, value_name = "DURATION")]
    pub lease_retry_period: Duration,
}

impl LeaseArgs {
    /// The three durations, if they fit together.
    pub fn timings(&self) -> Result<Timings, TimingsError> {
        Timings::new(self.lease_duration, self.lease_renew_deadline, self.lease_retry_period)
    }
}

/// How roles consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConsentArg {
    /// Only roles whose tag lists the namespace
    Tag,
    /// Every role: for a cluster with one tenant
    None,
}

impl From<ConsentArg> for ConsentPolicy {
    fn from(consent: ConsentArg) -> Self {
        match consent {
            ConsentArg::Tag => Self::Tag,
            ConsentArg::None => Self::None,
        }
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        interval if interval >= Duration::from_mins(1) => Ok(interval),
        _ => Err("less than 1m".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration =
        text.parse().map_err(|_| "not a duration such as 15s, 10m or 1h30m".to_owned())?;
    Duration::try_from(duration).map_err(|_| "less than 0s".to_owned())
}
