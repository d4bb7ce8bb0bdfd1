//! Whether somebody else's lease is held and renewed.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::time::Instant;

use super::{LONGEST_DURATION, Timings};

/// What was seen of leases, and when.
pub(super) struct Liveness {
    timings: Timings,
    renewals: BTreeMap<String, Renewal>,
}

/// The last change of a lease that was seen. Its own times are of another machine's clock.
struct Renewal {
    holder: String,
    written: Option<MicroTime>,
    seen: Instant,
}

impl Liveness {
    pub(super) fn new(timings: Timings) -> Self {
        Self { timings, renewals: BTreeMap::new() }
    }

    /// Whether the lease is held, and was renewed within its own duration: counted, as its own candidates do, from when a
    /// change was seen here. One that is seen for the first time may have been renewed just now.
    pub(super) fn is_live(&mut self, key: &str, lease: &Lease) -> bool {
        let Some(holder) = holder_of(lease) else { return false };
        let spec = lease.spec.clone().unwrap_or_default();
        let now = Instant::now();
        let known = self.renewals.get(key);
        if let Some(known) = known.filter(|known| known.holder == holder && known.written == spec.renew_time)
        {
            return known.seen + self.duration_of(&spec) > now;
        }
        let seen = Renewal { holder: holder.to_owned(), written: spec.renew_time, seen: now };
        self.renewals.insert(key.to_owned(), seen);
        true
    }

    /// Forgets the others.
    pub(super) fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.renewals.retain(|known, _| is_there(known));
    }

    fn duration_of(&self, spec: &LeaseSpec) -> Duration {
        let stated = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        stated.map_or(self.timings.duration, Duration::from_secs).min(LONGEST_DURATION)
    }
}

/// Who holds a lease, if anyone does.
pub(super) fn holder_of(lease: &Lease) -> Option<&str> {
    let holder = lease.spec.as_ref()?.holder_identity.as_deref()?;
    (!holder.is_empty()).then_some(holder)
}
