//! The Security Token Service: who is calling.

use crate::error::AwsError;
use crate::home::Home;
use crate::xml;

/// The namespace of the answers.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The ARN of everyone who calls the sandbox.
pub(crate) fn caller_arn(home: &Home) -> String {
    format!("arn:{}:iam::{}:user/sandbox", home.partition, home.account)
}

/// The answer's result as XML.
pub(crate) fn execute(home: &Home, operation: &str) -> Result<String, AwsError> {
    match operation {
        "GetCallerIdentity" => Ok(xml::text("Arn", &caller_arn(home))
            + &xml::text("UserId", "AIDASANDBOX2USER3CALL")
            + &xml::text("Account", &home.account)),
        other => Err(AwsError::new(
            "InvalidAction",
            400,
            format!("Could not find operation {other} for version 2011-06-15"),
        )),
    }
}
