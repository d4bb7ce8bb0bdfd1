//! Bedrock: what may be called, and what Bedrock answers about it.

pub mod answer;
pub mod family;
pub(crate) mod project;
pub(crate) mod target;
