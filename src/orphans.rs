//! Policies of ours whose object is gone: the finalizer was taken off, or the cluster was restored from an older copy.
//!
//! Whatever points at one, a look at the account or the record of what was written, only fresh reads decide: of the object,
//! which must be absent, and then of role and policy.

mod objects;
mod record;
mod removal;
mod sweep;
mod tell;

pub use objects::list;
pub(crate) use objects::{Guarded, keeper, told};
pub(crate) use record::ClusterIds;
pub use record::{IsConfirmed, Record};
pub use removal::{Look, look, take_away};
pub use sweep::Orphans;
pub(crate) use sweep::run as sweep;
