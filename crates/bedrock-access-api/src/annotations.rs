//! The annotations that the operator reads.

/// Before the name of each of them.
pub const PREFIX: &str = "bedrockaccess.io/";

/// Any new value asks for a reconcile that believes no cache.
pub const RECONCILE_AT: &str = "bedrockaccess.io/reconcile-at";

/// `PROFILE[@REGION][#N]`: the profile's shorter answer is right.
pub const ACCEPT_SHRINK: &str = "bedrockaccess.io/accept-shrink";

/// `true` lets an object go whose policy cannot be removed.
pub const LEAVE_POLICY: &str = "bedrockaccess.io/leave-policy";

/// Every one of them.
pub const ALL: [&str; 3] = [RECONCILE_AT, ACCEPT_SHRINK, LEAVE_POLICY];
