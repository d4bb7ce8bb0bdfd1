//! The driver and the controller in process: the real code, the real AWS SDK, the sandbox, and no Kubernetes but a few objects.
//!
//! The modules beside this one reconcile one object against the sandbox behind a socket; so does [`hostile`], with what nobody
//! should send. [`survival`] runs the controller under a clock that tests control, where every request can fail.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a fixture may fail loudly")]

mod adoption;
mod context;
mod counting;
mod extras;
mod faults;
mod hostile;
mod kubernetes;
mod lifecycle;
mod looks;
mod offers;
mod operations;
mod orphans;
mod owned;
mod races;
mod regions;
mod settling;
mod shards;
mod survival;
mod telling;
mod withdrawals;
mod world;
