//! The sandbox over a real socket, called by the AWS SDKs and by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by a panic, in its own functions too"
)]

mod admin;
mod bedrock;
mod binary;
mod clients;
mod faults;
mod iam;
mod lag;
mod resources;
