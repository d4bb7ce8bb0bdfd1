//! Names that AWS gives to things. Each type holds only a well-formed name, so that no wildcard, quote or policy
//! variable can reach a policy through it.

use std::fmt;
use std::str::FromStr;

/// A string that is not the name it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {expected}")]
pub struct InvalidIdentifier {
    expected: &'static str,
    value: String,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name as AWS writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidIdentifier;

            fn from_str(value: &str) -> Result<Self, Self::Err> {
                let valid: fn(&str) -> bool = $valid;
                if valid(value) {
                    Ok(Self(value.to_owned()))
                } else {
                    Err(InvalidIdentifier { expected: $expected, value: value.to_owned() })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// An AWS partition: `aws`, `aws-us-gov`, `aws-eusc` and so on.
    Partition,
    "an AWS partition such as aws or aws-us-gov",
    |value| value == "aws" || value.strip_prefix("aws-").is_some_and(|rest| words(rest, '-'))
);

identifier!(
    /// A twelve-digit AWS account id.
    AccountId,
    "an AWS account id of twelve digits",
    |value| value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit())
);

identifier!(
    /// An AWS Region such as `us-east-1`.
    Region,
    "an AWS Region such as us-east-1",
    is_region
);

identifier!(
    /// A foundation model's id such as `amazon.nova-2-lite-v1:0`.
    ModelId,
    "a foundation model id such as amazon.nova-2-lite-v1:0",
    is_bedrock_id
);

identifier!(
    /// The prefix of a system-defined profile's id such as `us`, `us-gov` or `global`.
    Scope,
    "a profile's prefix such as us or us-gov",
    |value| value.split('-').all(is_scope_word) && value.starts_with(|first: char| first.is_ascii_lowercase())
);

identifier!(
    /// A guardrail's id.
    GuardrailId,
    "a guardrail id",
    |value| !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
);

identifier!(
    /// What the ids of a family of foundation models begin with, provider included, such as `amazon.nova-`.
    ModelPrefix,
    "the beginning of a foundation model id, provider included, such as amazon.nova-",
    is_bedrock_id
);

identifier!(
    /// A system-defined inference profile's id such as `us.amazon.nova-2-lite-v1:0`.
    ProfileId,
    "an inference profile id such as us.amazon.nova-2-lite-v1:0",
    is_bedrock_id
);

identifier!(
    /// The id of something in Bedrock that belongs to an account: an application inference profile, a provisioned model, an
    /// imported model or a custom model deployment; such as `a1b2c3d4e5f6`.
    ResourceId,
    "the id of a resource of your own in Bedrock, such as a1b2c3d4e5f6",
    is_resource_id
);

identifier!(
    /// An IAM role's friendly name, without its path (CreateRole, `RoleName`).
    RoleName,
    "an IAM role name",
    |value| (1..=64).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
);

impl RoleName {
    /// Whether IAM takes the two for one: names of roles "are not distinguished by case" (CreateRole, `RoleName`).
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl ProfileId {
    /// The profile of `model` in `scope`: Bedrock composes the id as `scope.model`.
    ///
    /// # Errors
    ///
    /// The scope is none, so that the two make no id.
    pub fn of(scope: &str, model: &ModelId) -> Result<Self, InvalidIdentifier> {
        format!("{scope}.{model}").parse()
    }

    /// The scope (the prefix before the first dot), such as `us` or `global`.
    pub fn scope(&self) -> &str {
        self.0.split_once('.').map_or("", |(scope, _)| scope)
    }

    /// The id without its scope: the id of the model that the profile leads to.
    pub fn model(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, model)| model)
    }
}

fn is_region(value: &str) -> bool {
    let mut parts = value.split('-');
    let area = parts.next().unwrap_or_default();
    let mut rest: Vec<&str> = parts.collect();
    let number = rest.pop().unwrap_or_default();
    (2..=6).contains(&area.len())
        && is_lowercase(area)
        && !rest.is_empty()
        && rest.iter().all(|word| is_lowercase(word))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

fn is_bedrock_id(value: &str) -> bool {
    is_resource_id(value) && value.contains('.')
}

fn is_resource_id(value: &str) -> bool {
    (1..=256).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b".:_-".contains(&b))
}

fn words(value: &str, separator: char) -> bool {
    value.split(separator).all(is_lowercase)
}

fn is_scope_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn is_lowercase(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_regions_are_regions_and_patterns_are_not() {
        for region in ["us-east-1", "ap-southeast-7", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"] {
            assert!(region.parse::<Region>().is_ok(), "{region}");
        }
        for region in
            ["", "*", "us-east", "us-*-1", "US-EAST-1", "us-east-1 ", "us--1", "global", "us-east-123"]
        {
            assert!(region.parse::<Region>().is_err(), "{region}");
        }
    }

    #[test]
    fn wildcards_quotes_and_policy_variables_are_no_ids() {
        for id in ["amazon.*", "amazon.nova?", "amazon.${aws:username}", "a.b\"", "a.b c", "a/b", ""] {
            assert!(id.parse::<ModelId>().is_err(), "{id}");
            assert!(id.parse::<ProfileId>().is_err(), "{id}");
            assert!(id.parse::<ResourceId>().is_err(), "{id}");
        }
        assert!("nodot".parse::<ModelId>().is_err() && "nodot".parse::<ProfileId>().is_err());
    }

    #[test]
    fn a_profile_id_splits_into_scope_and_model() {
        let id: ProfileId = "us-gov.anthropic.claude-3-haiku-20240307-v1:0".parse().unwrap();
        assert_eq!((id.scope(), id.model()), ("us-gov", "anthropic.claude-3-haiku-20240307-v1:0"));
    }

    #[test]
    fn a_partition_is_aws_or_begins_with_it() {
        for partition in ["aws", "aws-us-gov", "aws-eusc", "aws-iso-b"] {
            assert!(partition.parse::<Partition>().is_ok(), "{partition}");
        }
        for partition in ["", "*", "aws-", "azure", "aws:iam"] {
            assert!(partition.parse::<Partition>().is_err(), "{partition}");
        }
    }
}
