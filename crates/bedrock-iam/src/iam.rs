//! IAM: documents and what they mean, how requests are decided by them, and whose statements they hold.

pub mod canonical;
pub mod document;
pub mod evaluate;
pub(crate) mod foreign;
pub(crate) mod identity;
pub(crate) mod observed;
pub(crate) mod provenance;
