//! Whose credentials the operator has.

use aws_config::SdkConfig;
use bedrock_iam::{Account, Class, Fault, RoleName};

use super::call::Caller;
use super::operations::Operation;

/// Whose credentials the operator has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account and partition that they belong to.
    pub account: Account,
    /// The role that they were issued for, if it is one.
    pub role: Option<RoleName>,
}

/// Asks STS whose credentials the operator has.
pub async fn identity(config: &SdkConfig, caller: &Caller) -> Result<Identity, Fault> {
    let request = aws_sdk_sts::Client::new(config).get_caller_identity().send();
    let identity = caller.call(Operation::GetCallerIdentity, "the operator's credentials", request).await?;
    let id = identity.account().and_then(|id| id.parse().ok());
    let partition = identity.arn().and_then(|arn| arn.split(':').nth(1)).and_then(|name| name.parse().ok());
    match (id, partition) {
        (Some(id), Some(partition)) => {
            let role = identity.arn().and_then(assumed_role);
            Ok(Identity { account: Account { id, partition }, role })
        }
        _ => Err(Fault {
            class: Class::Unavailable,
            message: "sts:GetCallerIdentity answered without account or ARN".to_owned(),
        }),
    }
}

/// `arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION` (IAM User Guide, "IAM identifiers").
fn assumed_role(arn: &str) -> Option<RoleName> {
    let (_, assumed) = arn.split_once(":assumed-role/")?;
    assumed.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_of_assumed_credentials_is_known_whatever_its_path_and_session() {
        let role = |arn| assumed_role(arn).map(|role| role.to_string());
        let assumed = "arn:aws:sts::111122223333:assumed-role/bedrock-access/eks-pod-1";
        assert_eq!(role(assumed).as_deref(), Some("bedrock-access"));
        assert_eq!(role("arn:aws:iam::111122223333:user/someone"), None);
        assert_eq!(role("arn:aws:iam::111122223333:root"), None);
    }
}
