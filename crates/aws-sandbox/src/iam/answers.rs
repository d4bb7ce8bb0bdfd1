//! What answers of IAM are made of.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::role::Role;
use crate::xml;

/// RFC 3986: all but the unreserved characters are encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A role as it is listed: without boundary and tags.
pub(super) fn summary(role: &Role) -> String {
    identity(role)
        + &role.description.as_ref().map(|text| xml::text("Description", text)).unwrap_or_default()
        + &xml::text("MaxSessionDuration", &role.max_session_duration.to_string())
}

/// A role as GetRole and CreateRole show it.
pub(super) fn details(role: &Role) -> String {
    let tags =
        if role.tags.is_empty() { String::new() } else { xml::members("Tags", role.tags.iter().map(tag)) };
    summary(role) + &boundary(role) + &tags
}

/// What every answer says of a role.
pub(super) fn identity(role: &Role) -> String {
    xml::text("Path", &role.path)
        + &xml::text("RoleName", &role.name)
        + &xml::text("RoleId", &role.id)
        + &xml::text("Arn", &role.arn)
        + &xml::text("CreateDate", &role.created)
        + &xml::text("AssumeRolePolicyDocument", &encoded(&role.trust_policy))
}

pub(super) fn boundary(role: &Role) -> String {
    let Some(arn) = &role.permissions_boundary else { return String::new() };
    let inner = xml::text("PermissionsBoundaryType", "Policy") + &xml::text("PermissionsBoundaryArn", arn);
    xml::group("PermissionsBoundary", &inner)
}

pub(super) fn tag((key, value): (&String, &String)) -> String {
    xml::text("Key", key) + &xml::text("Value", value)
}

pub(super) fn listed(name: &str, items: impl Iterator<Item = String>, next: Option<&str>) -> String {
    xml::members(name, items) + &more(next)
}

/// Whether there is another page, and by which marker.
pub(super) fn more(next: Option<&str>) -> String {
    let marker = next.map(|token| xml::text("Marker", token)).unwrap_or_default();
    xml::text("IsTruncated", &next.is_some().to_string()) + &marker
}

/// A document as IAM answers with it.
pub(super) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, ENCODED).to_string()
}
