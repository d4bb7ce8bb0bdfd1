//! Grants as a policy: written, read back, cut back, compared and measured.

pub mod authorisation;
pub(crate) mod current;
pub mod diff;
pub(crate) mod extra;
pub mod grant;
pub mod revocation;
pub mod size;
pub(crate) mod write;

pub use write::{
    Form, GUARDRAIL_IDENTIFIER, INFERENCE_PROFILE_ARN, INLINE_QUOTA, REQUESTED_REGION, document,
};
