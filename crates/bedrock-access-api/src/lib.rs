//! The custom resource: its types, its schema with the rules that the API server enforces, its definition, and the way from
//! an object to what the core works with.
//!
//! No client and no SDK: whoever only reads manifests needs neither a cluster nor AWS.

pub mod annotations;
mod crd;
pub mod parse;
mod rules;
mod schema;
pub mod v1alpha1;

pub use crd::crd_yaml;
