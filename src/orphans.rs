//! Policies of ours whose object is gone: the finalizer was taken off, or the cluster was restored from an older copy.
//!
//! Whatever points at one, a look at the account or the record of what was written, only fresh reads decide: of the object,
//! which must be absent, and then of role and policy.

mod guarded;
mod objects;
mod record;
mod removal;
mod shared_look;
mod suspect;
mod sweep;
mod tell;

pub(crate) use guarded::{Guarded, Unreadable};
pub use objects::list;
pub(crate) use objects::{keeper, told};
pub(crate) use record::{ClusterIds, MOST_FORMER, noted_ids};
pub use record::{IsConfirmed, Record};
pub use removal::{Look, look, look_at_role, take_away};
pub use shared_look::SharedLook;
pub use sweep::Orphans;
pub(crate) use sweep::run as sweep;
