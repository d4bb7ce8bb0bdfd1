//! What the tests and the fuzzer share, so that each fixture and each property is written once.
//!
//! Values of the core, Bedrock's real profiles and properties of any text; with the feature `api` also what must hold of any
//! manifest, and the mistakes that the API server refuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a fixture may fail loudly, and a property that does not hold must"
)]

#[cfg(feature = "api")]
pub mod manifest;
mod profiles;
pub mod properties;
#[cfg(feature = "api")]
pub mod refusals;
pub mod world;

pub use profiles::{real_grants, real_profiles};
