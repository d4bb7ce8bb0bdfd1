//! How the time between the signal to end and the end of the process is divided.

use std::time::Duration;

/// When the process has ended at the latest.
const IN_ALL: Duration = Duration::from_secs(2);

/// Grace period for running reconciles on shutdown; what is left is dropped, since every step is safe to repeat.
pub(crate) const FOR_RECONCILES: Duration = Duration::from_millis(1200);

/// Grace period for the release of the lease, which comes after that.
pub(crate) const FOR_THE_LEASE: Duration = Duration::from_millis(600);

/// After this a leader waits for neither.
pub(crate) const FOR_BOTH: Duration = FOR_RECONCILES.saturating_add(FOR_THE_LEASE);

// The process itself needs some time to end, too.
const _: () = assert!(FOR_BOTH.as_millis() + 200 <= IN_ALL.as_millis());
