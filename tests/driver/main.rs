//! The driver in process: the real reconcile, the real AWS SDK, the sandbox behind a socket, an API server of one object.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

mod adoption;
mod faults;
mod kubernetes;
mod lifecycle;
mod operations;
mod orphans;
mod owned;
mod races;
mod settling;
mod telling;
mod withdrawals;
mod world;
