//! The bedrock-access operator.
//!
//! Read [`reconcile`] first: it is the table of contents. What decides is in the crate `bedrock_iam`; this crate is the
//! shell around it.

pub mod aws;
pub mod cli;
pub mod cluster_id;
pub mod config;
pub mod controller;
mod fairness;
pub mod fence;
mod grace;
pub mod health;
pub mod kubernetes;
pub mod metrics;
pub mod operator;
pub mod orphans;
pub mod reconcile;
pub mod server;
pub mod shard;
pub mod telemetry;
