//! The form of conditions, actions and resources.

use serde_json::Value;

use super::Malformed;

const OPERATORS: [&str; 27] = [
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "BinaryEquals",
    "Bool",
    "DateEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "IpAddress",
    "NotIpAddress",
    "Null",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericNotEquals",
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
];

const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// Known operators, keys with a vendor, plain values.
pub(super) fn conditions(condition: &Value) -> Result<(), Malformed> {
    let operators = condition.as_object().ok_or(Malformed::Syntax)?;
    for (operator, keys) in operators {
        let plain = operator.strip_prefix("ForAllValues:").or_else(|| operator.strip_prefix("ForAnyValue:"));
        let plain = plain.unwrap_or(operator);
        let plain = plain.strip_suffix("IfExists").unwrap_or(plain);
        if !OPERATORS.contains(&plain) {
            return Err(Malformed::Syntax);
        }
        for (key, value) in keys.as_object().ok_or(Malformed::Syntax)? {
            let scalar = |value: &Value| value.is_string() || value.is_boolean() || value.is_number();
            if !(scalar(value) || value.as_array().is_some_and(|values| values.iter().all(scalar))) {
                return Err(Malformed::Syntax);
            }
            if !key.contains(':') {
                return Err(Malformed::NoVendor);
            }
        }
    }
    Ok(())
}

/// `*`, or one colon between a vendor and a name.
pub(super) fn action(action: &str) -> Result<(), Malformed> {
    if action == "*" {
        return Ok(());
    }
    let (vendor, name) = action.split_once(':').ok_or(Malformed::NoVendor)?;
    if name.contains(':') {
        return Err(Malformed::TwoColons);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if vendor.is_empty() || !vendor.bytes().all(allowed) {
        return Err(Malformed::Vendor(vendor.to_owned()));
    }
    Ok(())
}

/// `*`, or an ARN of a known partition with a vendor.
pub(super) fn resource(resource: &str) -> Result<(), Malformed> {
    if resource == "*" {
        return Ok(());
    }
    let not_an_arn = || Malformed::NotAnArn(resource.to_owned());
    let mut parts = resource.splitn(6, ':');
    let (Some("arn"), Some(partition)) = (parts.next(), parts.next()) else {
        return Err(not_an_arn());
    };
    if partition != "*" && !PARTITIONS.contains(&partition) {
        return Err(Malformed::Partition { partition: partition.to_owned(), arn: resource.to_owned() });
    }
    let vendor = parts.next().ok_or(Malformed::ResourceVendor)?;
    if vendor != "*" && (vendor.is_empty() || vendor.contains(['*', '?'])) {
        return Err(Malformed::ResourceVendor);
    }
    if vendor != "*" && !vendor.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(Malformed::Vendor(vendor.to_owned()));
    }
    // Fewer than six parts pass while no part between is empty: IAM reads the missing ones as "*".
    let complete = resource.matches(':').count() >= 5;
    if complete || !resource.contains("::") { Ok(()) } else { Err(Malformed::Legacy) }
}
