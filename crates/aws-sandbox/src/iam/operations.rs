//! The operations on roles: what they check, what they change, what they answer.

use super::answers::{details, encoded, listed, more, summary, tag};
use super::document::{self, Malformed};
use super::role::{NewRole, Role, characters};
use super::store::View;
use super::{Iam, account, parameters};
use crate::error::AwsError;
use crate::home::Home;
use crate::page::Page;
use crate::query::Parameters;
use crate::xml;

/// Characters of all inline policies of a role, not adjustable (IAM quotas).
const INLINE_QUOTA: usize = 10_240;
/// Characters of a trust policy, the default of an adjustable quota.
const TRUST_QUOTA: usize = 2_048;
const TAG_QUOTA: usize = 50;

/// The role that a request is about.
pub(crate) fn target(form: &Parameters) -> Option<&str> {
    form.get("RoleName")
}

/// The answer's result as XML, empty for an operation that answers nothing.
pub(crate) fn execute(
    iam: &mut Iam,
    home: &Home,
    operation: &str,
    form: &Parameters,
) -> Result<String, AwsError> {
    match operation {
        "CreateRole" => create_role(iam, home, form),
        "GetRole" => get_role(&iam.read(), form),
        "DeleteRole" => delete_role(iam, form),
        "ListRoles" => list_roles(&iam.read(), form),
        "TagRole" => tag_role(iam, form),
        "UntagRole" => untag_role(iam, form),
        "ListRoleTags" => list_role_tags(&iam.read(), form),
        "PutRolePolicy" => put_role_policy(iam, form),
        "GetRolePolicy" => get_role_policy(&iam.read(), form),
        "DeleteRolePolicy" => delete_role_policy(iam, form),
        "ListRolePolicies" => list_role_policies(&iam.read(), form),
        "GetAccountSummary" => Ok(account::summary(&iam.read())),
        "GetAccountAuthorizationDetails" => account::details(&iam.read(), form),
        other => {
            let message = format!("Could not find operation {other} for version 2010-05-08");
            Err(AwsError::new("InvalidAction", 400, message))
        }
    }
}

fn create_role(iam: &mut Iam, home: &Home, form: &Parameters) -> Result<String, AwsError> {
    let name = parameters::role_name(form)?;
    let trust_policy = parameters::document(form, "AssumeRolePolicyDocument", "assumeRolePolicyDocument")?;
    let new = NewRole {
        name: name.to_owned(),
        path: parameters::path(form)?.to_owned(),
        description: form.get("Description").map(str::to_owned),
        max_session_duration: parameters::max_session_duration(form)?,
        trust_policy: trust_policy.to_owned(),
        permissions_boundary: form.get("PermissionsBoundary").map(str::to_owned),
        tags: parameters::tags(form)?,
        policies: std::collections::BTreeMap::new(),
    };
    document::check_trust(trust_policy).map_err(|fault| malformed(&fault))?;
    if characters(trust_policy) > TRUST_QUOTA {
        let message = format!("Cannot exceed quota for ACLSizePerRole: {TRUST_QUOTA}");
        return Err(AwsError::new("LimitExceeded", 409, message));
    }
    if iam.roles().any(|role| role.name.eq_ignore_ascii_case(name)) {
        let message = format!("Role with name {name} already exists.");
        return Err(AwsError::new("EntityAlreadyExists", 409, message));
    }
    Ok(xml::group("Role", &details(&iam.insert(new, home))))
}

/// The sandbox's roles were never used, which IAM answers by an empty element.
fn get_role(seen: &View<'_>, form: &Parameters) -> Result<String, AwsError> {
    let role = seen_role(seen, form)?;
    Ok(xml::group("Role", &(details(role) + &xml::group("RoleLastUsed", ""))))
}

fn delete_role(iam: &mut Iam, form: &Parameters) -> Result<String, AwsError> {
    let role = modifiable(iam, parameters::role_name(form)?)?;
    if !role.policies.is_empty() {
        return Err(AwsError::new(
            "DeleteConflict",
            409,
            "Cannot delete entity, must delete policies first.",
        ));
    }
    let name = role.name.clone();
    iam.remove(&name);
    Ok(String::new())
}

fn list_roles(seen: &View<'_>, form: &Parameters) -> Result<String, AwsError> {
    let prefix = form.get("PathPrefix").unwrap_or("/");
    let (after, size) = parameters::page(form)?;
    let roles = seen.roles().filter(|role| role.path.starts_with(prefix));
    let page = Page::cut(roles, |role| role.name.as_str(), after.as_deref(), size);
    Ok(listed("Roles", page.items.iter().map(|role| summary(role)), page.next.as_deref()))
}

fn tag_role(iam: &mut Iam, form: &Parameters) -> Result<String, AwsError> {
    let tags = parameters::tags(form)?;
    let name = parameters::role_name(form)?;
    let mut all = found(iam, name)?.tags.clone();
    all.retain(|key, _| !tags.keys().any(|new| new.eq_ignore_ascii_case(key)));
    all.extend(tags);
    if all.len() > TAG_QUOTA {
        let message = "The number of tags has reached the maximum limit.";
        return Err(AwsError::new("LimitExceeded", 409, message));
    }
    iam.set_tags(name, all);
    Ok(String::new())
}

fn untag_role(iam: &mut Iam, form: &Parameters) -> Result<String, AwsError> {
    let keys = parameters::tag_keys(form)?;
    let name = parameters::role_name(form)?;
    let mut tags = found(iam, name)?.tags.clone();
    tags.retain(|key, _| !keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
    iam.set_tags(name, tags);
    Ok(String::new())
}

fn list_role_tags(seen: &View<'_>, form: &Parameters) -> Result<String, AwsError> {
    let role = seen_role(seen, form)?;
    let (after, size) = parameters::page(form)?;
    let page = Page::cut(role.tags.iter(), |(key, _)| key, after.as_deref(), size);
    Ok(listed("Tags", page.items.into_iter().map(tag), page.next.as_deref()))
}

fn put_role_policy(iam: &mut Iam, form: &Parameters) -> Result<String, AwsError> {
    let (name, policy) = (parameters::role_name(form)?, parameters::policy_name(form)?);
    let text = parameters::document(form, "PolicyDocument", "policyDocument")?;
    let role = modifiable(iam, name)?;
    document::check_inline(text).map_err(|fault| malformed(&fault))?;
    let replaced = role.policies.get(policy).map_or(0, |document| characters(document));
    if role.policy_characters() - replaced + characters(text) > INLINE_QUOTA {
        let message = format!("Maximum policy size of {INLINE_QUOTA} bytes exceeded for role {name}");
        return Err(AwsError::new("LimitExceeded", 409, message));
    }
    iam.put_policy(name, policy, text);
    Ok(String::new())
}

fn get_role_policy(seen: &View<'_>, form: &Parameters) -> Result<String, AwsError> {
    let (name, policy) = (parameters::role_name(form)?, parameters::policy_name(form)?);
    let document = seen_role(seen, form)?.policies.get(policy).ok_or_else(|| no_such_policy(policy))?;
    Ok(xml::text("RoleName", name)
        + &xml::text("PolicyName", policy)
        + &xml::text("PolicyDocument", &encoded(document)))
}

fn delete_role_policy(iam: &mut Iam, form: &Parameters) -> Result<String, AwsError> {
    let (name, policy) = (parameters::role_name(form)?, parameters::policy_name(form)?);
    modifiable(iam, name)?;
    iam.delete_policy(name, policy).ok_or_else(|| no_such_policy(policy))?;
    Ok(String::new())
}

fn list_role_policies(seen: &View<'_>, form: &Parameters) -> Result<String, AwsError> {
    let role = seen_role(seen, form)?;
    let (after, size) = parameters::page(form)?;
    let page = Page::cut(role.policies.keys(), |name| name, after.as_deref(), size);
    let names = page.items.iter().map(|name| xml::text("member", name)).collect::<String>();
    Ok(xml::group("PolicyNames", &names) + &more(page.next.as_deref()))
}

fn found<'a>(iam: &'a Iam, name: &str) -> Result<&'a Role, AwsError> {
    iam.role(name).ok_or_else(|| no_such_role(name))
}

fn seen_role<'a>(seen: &View<'a>, form: &Parameters) -> Result<&'a Role, AwsError> {
    let name = parameters::role_name(form)?;
    seen.role(name).ok_or_else(|| no_such_role(name))
}

fn modifiable<'a>(iam: &'a Iam, name: &str) -> Result<&'a Role, AwsError> {
    let role = found(iam, name)?;
    if role.is_protected() {
        let message = format!(
            "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
        );
        return Err(AwsError::new("UnmodifiableEntity", 400, message));
    }
    Ok(role)
}

fn malformed(malformed: &Malformed) -> AwsError {
    AwsError::new("MalformedPolicyDocument", 400, malformed.to_string())
}

fn no_such_role(name: &str) -> AwsError {
    AwsError::new("NoSuchEntity", 404, format!("The role with name {name} cannot be found."))
}

fn no_such_policy(policy: &str) -> AwsError {
    AwsError::new("NoSuchEntity", 404, format!("The role policy with name {policy} cannot be found."))
}
