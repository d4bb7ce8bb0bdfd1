//! An AWS account, with the partition that it lies in.

use super::identifier::{AccountId, Partition};

/// The account that the operator works in (STS GetCallerIdentity).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account's id.
    pub id: AccountId,
    /// The partition, from the caller's ARN.
    pub partition: Partition,
}
