//! GetAccountSummary, and GetAccountAuthorizationDetails: everything that the account's IAM holds, a page at a time. The sandbox holds roles only.

use super::answers::{boundary, encoded, identity, more, tag};
use super::parameters;
use super::role::Role;
use super::store::View;
use crate::error::AwsError;
use crate::page::Page;
use crate::query::Parameters;
use crate::xml;

/// What a request may ask to see; without a filter it is shown everything.
const FILTERS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];

pub(super) fn details(seen: &View<'_>, form: &Parameters) -> Result<String, AwsError> {
    let filter = form.list("Filter");
    if let Some(unknown) = filter.iter().find(|kind| !FILTERS.contains(kind)) {
        let message = format!(
            "1 validation error detected: Value '[{unknown}]' at 'filter' failed to satisfy constraint: Member must satisfy \
             constraint: [Member must satisfy enum value set: [{}]]",
            FILTERS.join(", ")
        );
        return Err(AwsError::new("ValidationError", 400, message));
    }
    let (after, size) = parameters::page(form)?;
    let is_asked_for = filter.is_empty() || filter.contains(&"Role");
    let roles = seen.roles().filter(|_| is_asked_for);
    let page = Page::cut(roles, |role| role.name.as_str(), after.as_deref(), size);
    let roles = xml::members("RoleDetailList", page.items.iter().map(|role| detail(role)));
    let others = ["UserDetailList", "GroupDetailList", "Policies"].map(|list| xml::group(list, ""));
    Ok(others.concat() + &roles + &more(page.next.as_deref()))
}

/// What the account holds and may hold (IAM API reference, GetAccountSummary): the sandbox's roles, and the default quotas.
pub(super) fn summary(seen: &View<'_>) -> String {
    let roles = seen.roles().count();
    let entries = [
        ("Roles", roles),
        ("RolesQuota", 1_000),
        ("RolePolicySizeQuota", 10_240),
        ("Users", 0),
        ("Groups", 0),
    ];
    let entry = |(key, value): (&str, usize)| {
        xml::group("entry", &(xml::text("key", key) + &xml::text("value", &value.to_string())))
    };
    xml::group("SummaryMap", &entries.map(entry).concat())
}

/// A role as it is shown here: with its inline policies, and without description and longest session.
fn detail(role: &Role) -> String {
    let policy = |(name, document): (&String, &String)| {
        xml::text("PolicyName", name) + &xml::text("PolicyDocument", &encoded(document))
    };
    identity(role)
        + &xml::group("InstanceProfileList", "")
        + &xml::members("RolePolicyList", role.policies.iter().map(policy))
        + &xml::group("AttachedManagedPolicies", "")
        + &boundary(role)
        + &xml::members("Tags", role.tags.iter().map(tag))
        + &xml::group("RoleLastUsed", "")
}
