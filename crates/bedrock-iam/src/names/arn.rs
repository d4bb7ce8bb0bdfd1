//! The kinds of ARN that a grant is made of.
//!
//! Shapes: Service Authorization Reference, "Actions, resources, and condition keys for Amazon Bedrock" and "… for AWS
//! Identity and Access Management". A foundation model's ARN has no account; a global profile adds one without a Region.

use std::fmt;
use std::str::FromStr;

use crate::names::identifier::{
    AccountId, GuardrailId, InvalidIdentifier, ModelId, Partition, ProfileId, Region, ResourceId, RoleName,
};

/// Why a string is not the ARN it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidArn {
    /// The shape is wrong: too few fields, another service or resource type.
    #[error("{arn:?} is not shaped like {expected}")]
    Shape {
        /// The string as given.
        arn: String,
        /// The shape that was expected.
        expected: &'static str,
    },
    /// One field is not what belongs there.
    #[error("{arn:?}: {source}")]
    Field {
        /// The string as given.
        arn: String,
        /// The field at fault.
        source: InvalidIdentifier,
    },
}

/// `arn:PARTITION:bedrock:REGION::foundation-model/MODEL`; without a Region in what global profiles answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FoundationModelArn {
    /// The partition.
    pub partition: Partition,
    /// The destination Region; `None` is the region-less ARN of global routing.
    pub region: Option<Region>,
    /// The model.
    pub model: ModelId,
}

impl fmt::Display for FoundationModelArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = self.region.as_ref().map_or("", Region::as_str);
        write!(f, "arn:{}:bedrock:{region}::foundation-model/{}", self.partition, self.model)
    }
}

impl FromStr for FoundationModelArn {
    type Err = InvalidArn;

    fn from_str(arn: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "arn:PARTITION:bedrock:REGION::foundation-model/MODEL";
        let fields = Fields::split(arn, "bedrock", "foundation-model/", EXPECTED)?;
        if !fields.account.is_empty() {
            return Err(fields.shape(EXPECTED));
        }
        let region = if fields.region.is_empty() { None } else { Some(fields.parse(fields.region)?) };
        Ok(Self { partition: fields.parse(fields.partition)?, region, model: fields.parse(fields.resource)? })
    }
}

/// `arn:PARTITION:bedrock:REGION:ACCOUNT:inference-profile/PROFILE` or `…:application-inference-profile/ID`: an inference
/// profile in one source Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InferenceProfileArn {
    /// The partition.
    pub partition: Partition,
    /// The source Region.
    pub region: Region,
    /// The account of the caller: system-defined profiles carry it too.
    pub account: AccountId,
    /// The profile.
    pub profile: Profile,
}

/// Which inference profile of a Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// One that AWS defines for everybody.
    System(ProfileId),
    /// One that an account made (CreateInferenceProfile), of one model or of a system-defined profile.
    Application(ResourceId),
}

impl Profile {
    /// The id, without the kind.
    pub fn id(&self) -> &str {
        match self {
            Self::System(id) => id.as_str(),
            Self::Application(id) => id.as_str(),
        }
    }
}

const SYSTEM_PROFILE: &str = "inference-profile/";
const APPLICATION_PROFILE: &str = "application-inference-profile/";

impl fmt::Display for InferenceProfileArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, profile } = self;
        let kind = match profile {
            Profile::System(_) => SYSTEM_PROFILE,
            Profile::Application(_) => APPLICATION_PROFILE,
        };
        write!(f, "arn:{partition}:bedrock:{region}:{account}:{kind}{}", profile.id())
    }
}

impl FromStr for InferenceProfileArn {
    type Err = InvalidArn;

    fn from_str(arn: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "arn:PARTITION:bedrock:REGION:ACCOUNT:inference-profile/PROFILE";
        let of_type = |resource_type| Fields::split(arn, "bedrock", resource_type, EXPECTED);
        let (fields, profile) = if let Ok(fields) = of_type(APPLICATION_PROFILE) {
            (fields, Profile::Application(fields.parse(fields.resource)?))
        } else {
            let fields = of_type(SYSTEM_PROFILE)?;
            (fields, Profile::System(fields.parse(fields.resource)?))
        };
        Ok(Self {
            partition: fields.parse(fields.partition)?,
            region: fields.parse(fields.region)?,
            account: fields.parse(fields.account)?,
            profile,
        })
    }
}

/// `arn:PARTITION:bedrock:REGION:ACCOUNT:KIND/ID`: a model that belongs to an account and is invoked by its own ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnModelArn {
    /// The partition.
    pub partition: Partition,
    /// The Region, which is also the only destination.
    pub region: Region,
    /// The account that owns the model.
    pub account: AccountId,
    /// What kind of model.
    pub kind: OwnModelKind,
    /// The model.
    pub id: ResourceId,
}

/// The kinds of model that an account owns and invokes by ARN (Service Authorization Reference, resource types of
/// `bedrock:InvokeModel`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnModelKind {
    /// Provisioned Throughput.
    ProvisionedModel,
    /// Custom Model Import.
    ImportedModel,
    /// A custom model, deployed for on-demand inference.
    CustomModelDeployment,
}

impl OwnModelKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::ProvisionedModel, Self::ImportedModel, Self::CustomModelDeployment];

    /// The resource type, as ARNs write it.
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::ProvisionedModel => "provisioned-model",
            Self::ImportedModel => "imported-model",
            Self::CustomModelDeployment => "custom-model-deployment",
        }
    }
}

impl fmt::Display for OwnModelArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, kind, id } = self;
        write!(f, "arn:{partition}:bedrock:{region}:{account}:{}/{id}", kind.resource_type())
    }
}

impl FromStr for OwnModelArn {
    type Err = InvalidArn;

    fn from_str(arn: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "arn:PARTITION:bedrock:REGION:ACCOUNT:(provisioned-model|imported-model|custom-model-deployment)/ID";
        let of_kind = |kind: OwnModelKind| {
            let prefix = format!("{}/", kind.resource_type());
            Fields::split(arn, "bedrock", &prefix, EXPECTED).ok().map(|fields| (kind, fields))
        };
        let (kind, fields) = OwnModelKind::ALL
            .into_iter()
            .find_map(of_kind)
            .ok_or_else(|| InvalidArn::Shape { arn: arn.to_owned(), expected: EXPECTED })?;
        Ok(Self {
            partition: fields.parse(fields.partition)?,
            region: fields.parse(fields.region)?,
            account: fields.parse(fields.account)?,
            kind,
            id: fields.parse(fields.resource)?,
        })
    }
}

/// `arn:PARTITION:bedrock:REGION:ACCOUNT:guardrail/ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuardrailArn {
    /// The partition.
    pub partition: Partition,
    /// The Region.
    pub region: Region,
    /// The account that owns the guardrail.
    pub account: AccountId,
    /// The guardrail.
    pub id: GuardrailId,
}

impl fmt::Display for GuardrailArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, id } = self;
        write!(f, "arn:{partition}:bedrock:{region}:{account}:guardrail/{id}")
    }
}

impl FromStr for GuardrailArn {
    type Err = InvalidArn;

    fn from_str(arn: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "arn:PARTITION:bedrock:REGION:ACCOUNT:guardrail/ID";
        let fields = Fields::split(arn, "bedrock", "guardrail/", EXPECTED)?;
        Ok(Self {
            partition: fields.parse(fields.partition)?,
            region: fields.parse(fields.region)?,
            account: fields.parse(fields.account)?,
            id: fields.parse(fields.resource)?,
        })
    }
}

/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleArn {
    /// The partition.
    pub partition: Partition,
    /// The account that owns the role.
    pub account: AccountId,
    /// The path, beginning and ending with a slash; `/` alone for none.
    pub path: String,
    /// The friendly name, which alone identifies the role within its account.
    pub name: RoleName,
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:iam::{}:role{}{}", self.partition, self.account, self.path, self.name)
    }
}

impl FromStr for RoleArn {
    type Err = InvalidArn;

    fn from_str(arn: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "arn:PARTITION:iam::ACCOUNT:role/PATH/NAME";
        let fields = Fields::split(arn, "iam", "role/", EXPECTED)?;
        if !fields.region.is_empty() {
            return Err(fields.shape(EXPECTED));
        }
        let (path, name) = match fields.resource.rsplit_once('/') {
            Some((path, name)) => (format!("/{path}/"), name),
            None => ("/".to_owned(), fields.resource),
        };
        Ok(Self {
            partition: fields.parse(fields.partition)?,
            account: fields.parse(fields.account)?,
            path,
            name: fields.parse(name)?,
        })
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    arn: &'a str,
    pub(crate) partition: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> Fields<'a> {
    pub(crate) fn split(
        arn: &'a str,
        service: &str,
        resource_type: &str,
        expected: &'static str,
    ) -> Result<Self, InvalidArn> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        if let ["arn", partition, given, region, account, resource] = parts[..]
            && given == service
            && let Some(resource) = resource.strip_prefix(resource_type)
        {
            return Ok(Self { arn, partition, region, account, resource });
        }
        Err(InvalidArn::Shape { arn: arn.to_owned(), expected })
    }

    pub(crate) fn shape(&self, expected: &'static str) -> InvalidArn {
        InvalidArn::Shape { arn: self.arn.to_owned(), expected }
    }

    pub(crate) fn parse<T: FromStr<Err = InvalidIdentifier>>(&self, field: &str) -> Result<T, InvalidArn> {
        field.parse().map_err(|source| InvalidArn::Field { arn: self.arn.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_written_as_it_was_read() {
        for arn in [
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0",
            "arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0",
            "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        ] {
            assert_eq!(arn.parse::<FoundationModelArn>().unwrap().to_string(), arn);
        }
        for profile in [
            "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-2-lite-v1:0",
            "arn:aws-us-gov:bedrock:us-gov-west-1:111122223333:application-inference-profile/a1b2c3d4e5f6",
        ] {
            assert_eq!(profile.parse::<InferenceProfileArn>().unwrap().to_string(), profile);
        }
        for kind in OwnModelKind::ALL {
            let model =
                format!("arn:aws:bedrock:us-east-1:111122223333:{}/abcdefghijkl", kind.resource_type());
            assert_eq!(model.parse::<OwnModelArn>().unwrap().to_string(), model);
        }
        for role in ["arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:role/a/b/app"] {
            assert_eq!(role.parse::<RoleArn>().unwrap().to_string(), role);
        }
    }

    #[test]
    fn a_profile_arn_without_account_is_refused() {
        let arn = "arn:aws:bedrock:us-east-1::inference-profile/us.amazon.nova-2-lite-v1:0";
        let error = arn.parse::<InferenceProfileArn>().unwrap_err();
        assert!(error.to_string().ends_with("\"\" is not an AWS account id of twelve digits"), "{error}");
    }

    #[test]
    fn wildcards_and_foreign_shapes_are_refused() {
        for arn in [
            "*",
            "arn:aws:bedrock:*::foundation-model/amazon.nova-2-lite-v1:0",
            "arn:aws:bedrock:us-east-1::foundation-model/*",
            "arn:aws:bedrock:us-east-1:111122223333:foundation-model/amazon.nova-2-lite-v1:0",
            "arn:aws:s3:us-east-1::foundation-model/amazon.nova-2-lite-v1:0",
            "arn:aws:bedrock:us-east-1::custom-model/amazon.nova-2-lite-v1:0",
        ] {
            assert!(arn.parse::<FoundationModelArn>().is_err(), "{arn}");
            assert!(arn.parse::<InferenceProfileArn>().is_err(), "{arn}");
            assert!(arn.parse::<OwnModelArn>().is_err(), "{arn}");
        }
        for arn in [
            "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/*",
            "arn:aws:bedrock:us-east-1:111122223333:custom-model/abcdefghijkl",
            "arn:aws:bedrock:us-east-1::provisioned-model/abcdefghijkl",
            "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/a/b",
        ] {
            assert!(arn.parse::<OwnModelArn>().is_err(), "{arn}");
        }
    }
}
