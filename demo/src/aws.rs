//! The AWS commands of the story. They are sent by the AWS SDK, so that nobody needs the AWS CLI to watch.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::narration::{answered, typed};
use crate::stage::Stage;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub(crate) async fn list_role_policies(stage: &Stage, role: &str) -> Result<Vec<String>> {
    typed(&format!("aws iam list-role-policies --role-name {role}"));
    let names = stage.sandbox.iam().list_role_policies().role_name(role).send().await?.policy_names;
    answered(&serde_json::to_string_pretty(&names)?);
    Ok(names)
}

pub(crate) async fn get_role_policy(stage: &Stage, role: &str, policy: &str) -> Result<()> {
    typed(&format!("aws iam get-role-policy --role-name {role} --policy-name {policy}"));
    let answer = stage.sandbox.iam().get_role_policy().role_name(role).policy_name(policy).send().await?;
    let text = percent_decode_str(&answer.policy_document).decode_utf8()?;
    let document: Value = serde_json::from_str(&text)?;
    answered(&serde_json::to_string_pretty(&document)?);
    Ok(())
}

pub(crate) async fn delete_role_policy(stage: &Stage, role: &str, policy: &str) -> Result<()> {
    typed(&format!("aws iam delete-role-policy --role-name {role} --policy-name {policy}"));
    stage.sandbox.iam().delete_role_policy().role_name(role).policy_name(policy).send().await?;
    Ok(())
}
