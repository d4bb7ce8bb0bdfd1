//! The default project of an account in one Region, in which every call is made that names no other.
//!
//! Source: Amazon Bedrock API Reference of 2026-11-20, InvokeModel and Converse with their streaming forms (botocore 1.44.8): a
//! call needs its action "on both the inference target and the project", the default project when none is named.

use std::fmt;
use std::str::FromStr;

use crate::names::account::Account;
use crate::names::arn::{Fields, InvalidArn};
use crate::names::identifier::{AccountId, Partition, Region};

/// `arn:PARTITION:bedrock:REGION:ACCOUNT:project/default`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefaultProjectArn {
    /// The partition.
    pub partition: Partition,
    /// The source Region.
    pub region: Region,
    /// The account in whose name calls are made.
    pub account: AccountId,
}

impl DefaultProjectArn {
    /// The default project of an account in a source Region.
    pub fn of(account: &Account, region: &Region) -> Self {
        let Account { id, partition } = account.clone();
        Self { partition, region: region.clone(), account: id }
    }
}

impl FromStr for DefaultProjectArn {
    type Err = InvalidArn;

    fn from_str(arn: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "arn:PARTITION:bedrock:REGION:ACCOUNT:project/default";
        let fields = Fields::split(arn, "bedrock", "project/default", EXPECTED)?;
        if !fields.resource.is_empty() {
            return Err(fields.shape(EXPECTED));
        }
        Ok(Self {
            partition: fields.parse(fields.partition)?,
            region: fields.parse(fields.region)?,
            account: fields.parse(fields.account)?,
        })
    }
}

impl fmt::Display for DefaultProjectArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:bedrock:{}:{}:project/default", self.partition, self.region, self.account)
    }
}
