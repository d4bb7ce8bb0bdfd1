//! What is said: findings, each with its reason, and the conditions that they come to.

pub mod conditions;
pub(crate) mod finding;
pub mod reason;
