//! Which source Regions are asked: those of the account's partition that `--regions` names, or else that this version knows.

use std::collections::BTreeSet;

use bedrock_iam::{Account, Finding, Reason, Region};

use super::{OperatorSettings, Parsed};

/// The Regions of each partition, without those that only stand for a whole one, such as `aws-global`. From the partition data of
/// aws-sdk-bedrock 1.166.0 (`src/endpoint_lib.rs`, Apache-2.0), which the SDK keeps to itself.
const REGIONS: [(&str, &[&str]); 8] = [
    (
        "aws",
        &[
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-south-2",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        ],
    ),
    ("aws-cn", &["cn-north-1", "cn-northwest-1"]),
    ("aws-eusc", &["eusc-de-east-1"]),
    ("aws-iso", &["us-iso-east-1", "us-iso-west-1"]),
    ("aws-iso-b", &["us-isob-east-1", "us-isob-west-1"]),
    ("aws-iso-e", &["eu-isoe-west-1"]),
    ("aws-iso-f", &["us-isof-east-1", "us-isof-south-1"]),
    ("aws-us-gov", &["us-gov-east-1", "us-gov-west-1"]),
];

/// How the Regions of a partition begin; all others lie in `aws` (botocore 1.44.8, `partitions.json`).
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

/// Source Regions that this version does not know, and what is said of each: the others are served all the same.
pub(super) fn unknown(sources: &[Region], settings: &OperatorSettings) -> (BTreeSet<Region>, Vec<Finding>) {
    let partition = settings.account.partition.as_str();
    let of_partition = REGIONS.iter().find(|(name, _)| *name == partition);
    // Whoever names Regions knows of newer ones; and of a partition that is newer than this table nothing is known.
    let Some((_, known)) = of_partition.filter(|_| settings.regions.is_empty()) else {
        return (BTreeSet::new(), Vec::new());
    };
    let unknown: BTreeSet<Region> =
        sources.iter().filter(|source| !known.contains(&source.as_str())).cloned().collect();
    let findings = unknown.iter().map(not_known).collect();
    (unknown, findings)
}

fn not_known(source: &Region) -> Finding {
    let message = format!(
        "spec.sourceRegions: {source} is no Region that this version of the operator knows, so that nothing is asked or granted there: \
         correct it; where it is newer, the operator serves it once its --regions lists it, beside all others that it is to serve"
    );
    Finding::new(Reason::ProfileNotFound, message)
}

/// Refuses Regions that the operator serves to nobody.
pub(super) fn served(sources: &[Region], settings: &OperatorSettings) -> Parsed<()> {
    sources.iter().try_for_each(|source| in_partition(source, &settings.account))?;
    if settings.regions.is_empty() {
        return Ok(());
    }
    let Some(region) = sources.iter().find(|region| !settings.regions.contains(region)) else {
        return Ok(());
    };
    let served: Vec<&str> = settings.regions.iter().map(Region::as_str).collect();
    let message = format!(
        "spec.sourceRegions: this operator does not serve {region}; it serves {} (--regions)",
        served.join(", ")
    );
    Err(Finding::new(Reason::NotSupported, message))
}

/// A question to another partition's endpoint would carry a signature of this one's credentials there.
fn in_partition(source: &Region, account: &Account) -> Parsed<()> {
    let of = PARTITIONS.iter().find(|(prefix, _)| source.as_str().starts_with(prefix));
    let partition = of.map_or("aws", |(_, partition)| partition);
    let own = account.partition.as_str();
    // A partition that is newer than this table has Regions of which nothing is known.
    let is_known = own == "aws" || PARTITIONS.iter().any(|(_, known)| *known == own);
    if partition == own || !is_known {
        return Ok(());
    }
    let message = format!(
        "spec.sourceRegions: {source} lies in partition {partition}, and the operator's account in {own}: name Regions of {own}"
    );
    Err(Finding::new(Reason::NotSupported, message))
}
