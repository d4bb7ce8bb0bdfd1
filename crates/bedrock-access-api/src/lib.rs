//! The custom resource: its types, its schema with the rules that the API server enforces, and its definition.

mod crd;
pub mod parse;
mod rules;
mod schema;
#[cfg(test)]
mod tests;
pub mod v1alpha1;

pub use crd::crd_yaml;
