//! End to end: the real binary against a real control plane, under the rights that the chart grants.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test")]

mod interruptions;
mod orphans;
mod policy;
mod stories;
mod team;
mod tenants;
mod world;
