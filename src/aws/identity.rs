use aws_config::SdkConfig;
use bedrock_iam::{Account, Class, Fault};

use super::call::Caller;
use super::error::Operation;

const GET_CALLER_IDENTITY: Operation = Operation { service: "sts", name: "GetCallerIdentity" };

/// The account and partition that the operator's own credentials belong to.
pub async fn account(config: &SdkConfig, caller: &Caller) -> Result<Account, Fault> {
    let request = aws_sdk_sts::Client::new(config).get_caller_identity().send();
    let identity = caller.call(GET_CALLER_IDENTITY, "the operator's credentials", request).await?;
    let id = identity.account().and_then(|id| id.parse().ok());
    let partition = identity.arn().and_then(|arn| arn.split(':').nth(1)).and_then(|name| name.parse().ok());
    match (id, partition) {
        (Some(id), Some(partition)) => Ok(Account { id, partition }),
        _ => Err(Fault {
            class: Class::Unavailable,
            message: "sts:GetCallerIdentity answered without account or ARN".to_owned(),
        }),
    }
}
