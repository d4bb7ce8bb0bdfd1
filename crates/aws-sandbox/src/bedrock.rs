//! Bedrock's control plane: inference profiles, foundation models and tags, each Region for itself.

mod answers;
mod catalogue;
mod data;
mod request;
mod tagging;

pub(crate) use answers::execute;
pub use catalogue::ApplicationProfile;
pub(crate) use catalogue::Catalogue;
pub(crate) use request::Request;
