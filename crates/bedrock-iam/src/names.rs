//! What things are called in AWS: ARNs, ids, tags, and the fault of a call. Strings become these types once, at the edge.

pub(crate) mod account;
pub mod arn;
pub(crate) mod fault;
pub mod identifier;
pub(crate) mod policy_ref;
pub(crate) mod tags;
