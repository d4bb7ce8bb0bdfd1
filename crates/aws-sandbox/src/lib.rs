//! An in-memory AWS for tests and demonstrations: IAM and STS in the query protocol, Bedrock's control plane in REST-JSON.
//!
//! One listener serves every service and every Region, as both stand in the credential scope of each signed request.
//! [`Sandbox`] is the way in for a test in the same process; the binary `aws-sandbox` serves the same over HTTP, with
//! the admin routes of `README.md` under `/_sandbox/`.

mod admin;
mod bedrock;
mod call;
mod config;
mod connection;
mod error;
mod fault;
mod home;
mod http;
mod iam;
mod page;
mod query;
mod sandbox;
mod scope;
mod server;
mod spoil;
mod sts;
mod world;
mod xml;

pub use bedrock::ApplicationProfile;
pub use call::{Call, Outcome, Service};
pub use config::{Config, Seed, SeedError};
pub use connection::HangUp;
pub use fault::{Fault, FaultKind};
pub use http::router;
pub use iam::{Change, NewRole, Reads, Role};
pub use sandbox::{NoSuchResource, NoSuchRole, Sandbox};
pub use server::{Server, serve};
