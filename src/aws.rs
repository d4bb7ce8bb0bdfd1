//! AWS as the operator sees it: a few calls, each with a time limit, a rate limit, a metric and a stable error.

mod bedrock;
mod breaker;
mod call;
mod credentials;
mod error;
mod iam;
mod identity;
mod operations;
mod pace;

pub use bedrock::{Bedrock, MaxAge, Tagged};
pub use call::Caller;
pub use credentials::{default_loader, sdk_config};
pub use iam::Iam;
pub(crate) use iam::scan::ROLES_IN_A_PAGE;
pub use identity::{Identity, identity};
pub use operations::{Condition, OPERATIONS, Operation, Right};
