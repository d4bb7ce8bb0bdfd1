//! Identity and Access Management: roles, their tags and their inline policies.

mod account;
mod answers;
mod document;
mod lag;
mod operations;
mod parameters;
mod role;
mod store;

pub use lag::Reads;
pub(crate) use operations::{execute, target};
pub use role::{Change, NewRole, Role};
pub(crate) use store::Iam;

/// The namespace of the answers.
pub(crate) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
