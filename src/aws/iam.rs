//! The IAM calls.

pub(super) mod scan;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_iam::Client;
use bedrock_iam::{Class, Document, Fault, PolicyIdentity, PolicyState, Role, RoleName, RoleState};
use percent_encoding::percent_decode_str;
use tokio::time::Instant;

use super::call::Caller;
use super::operations::Operation;
use crate::fence::Fence;

/// The IAM calls of the operator.
#[derive(Clone)]
pub struct Iam {
    client: Client,
    caller: Caller,
    fence: Fence,
}

/// For a command that a person waits for.
const LONG_ENOUGH: Duration = Duration::from_hours(24);

const MOST_PAGES: usize = 10;

impl Iam {
    /// A client whose calls all pass `caller`, and whose writes are sent only while `fence` is open.
    pub fn new(config: &SdkConfig, caller: Caller, fence: Fence) -> Self {
        Self { client: Client::new(config), caller, fence }
    }

    /// The same without a lease: for what a person does.
    pub fn unfenced(config: &SdkConfig, caller: Caller) -> Self {
        let fence = Fence::default();
        fence.open_until(Instant::now() + LONG_ENOUGH);
        Self::new(config, caller, fence)
    }

    /// GetRole, which answers with the role's tags too.
    pub async fn role(&self, name: &RoleName) -> RoleState {
        let subject = format!("role {name}");
        let request = self.client.get_role().role_name(name.as_str()).send();
        let role = match self.caller.call(Operation::GetRole, &subject, request).await {
            Ok(answer) => answer.role,
            Err(Fault { class: Class::NotFound, .. }) => return RoleState::Missing,
            Err(fault) => return RoleState::Fault(fault),
        };
        match role.and_then(|role| {
            let arn = role.arn.parse().ok()?;
            let tags = role.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
            Some(Role { arn, id: role.role_id, tags })
        }) {
            Some(role) => RoleState::Found(role),
            None => RoleState::Fault(Fault {
                class: Class::Unavailable,
                message: format!("iam:GetRole of {subject} answered without a usable ARN"),
            }),
        }
    }

    /// GetRolePolicy for our policy's name; a missing role has no policy either.
    pub async fn policy(&self, role: &RoleName, identity: &PolicyIdentity) -> PolicyState {
        let request =
            self.client.get_role_policy().role_name(role.as_str()).policy_name(identity.policy_name()).send();
        match self.caller.call(Operation::GetRolePolicy, &subject(role, identity), request).await {
            Ok(answer) => PolicyState::of(&answer.policy_document, identity),
            Err(Fault { class: Class::NotFound, .. }) => PolicyState::Absent,
            Err(fault) => PolicyState::Fault(fault),
        }
    }

    /// The names of the role's other inline policies.
    pub async fn others(
        &self,
        role: &RoleName,
        identity: &PolicyIdentity,
    ) -> Result<BTreeSet<String>, Fault> {
        let subject = format!("role {role}");
        let mut others = BTreeSet::new();
        let mut marker = None;
        // Each policy takes of a quota of 10,240 characters, so there are few; an answer that goes on for ever is none.
        for _ in 0..MOST_PAGES {
            let request = self.client.list_role_policies().role_name(role.as_str()).set_marker(marker).send();
            let page = self.caller.call(Operation::ListRolePolicies, &subject, request).await?;
            others.extend(page.policy_names.into_iter().filter(|name| name != identity.policy_name()));
            marker = page.marker;
            if marker.is_none() {
                return Ok(others);
            }
        }
        let message = format!("iam:ListRolePolicies of {subject}: more than {MOST_PAGES} pages");
        Err(Fault { class: Class::Unavailable, message })
    }

    /// What inline policies of the role take of the quota, in characters without white space.
    pub async fn characters(&self, role: &RoleName, policies: &BTreeSet<String>) -> Result<usize, Fault> {
        let subject = format!("role {role}");
        let mut characters = 0;
        for name in policies {
            let request = self.client.get_role_policy().role_name(role.as_str()).policy_name(name).send();
            let answer = self.caller.call(Operation::GetRolePolicy, &subject, request).await?;
            let text = percent_decode_str(&answer.policy_document).decode_utf8_lossy();
            characters += text.chars().filter(|c| !c.is_whitespace()).count();
        }
        Ok(characters)
    }

    /// PutRolePolicy: replaces our policy whole, or creates it.
    pub async fn put(
        &self,
        role: &RoleName,
        identity: &PolicyIdentity,
        document: &Document,
    ) -> Result<(), Fault> {
        let request = self
            .client
            .put_role_policy()
            .role_name(role.as_str())
            .policy_name(identity.policy_name())
            .policy_document(document.to_json())
            .send();
        let subject = subject(role, identity);
        self.caller.write(&self.fence, Operation::PutRolePolicy, &subject, request).await.map(drop)
    }

    /// DeleteRolePolicy; a policy that is gone already is as good as deleted.
    pub async fn delete(&self, role: &RoleName, identity: &PolicyIdentity) -> Result<(), Fault> {
        let request = self
            .client
            .delete_role_policy()
            .role_name(role.as_str())
            .policy_name(identity.policy_name())
            .send();
        let subject = subject(role, identity);
        match self.caller.write(&self.fence, Operation::DeleteRolePolicy, &subject, request).await {
            Ok(_) | Err(Fault { class: Class::NotFound, .. }) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

fn subject(role: &RoleName, identity: &PolicyIdentity) -> String {
    format!("policy {} on role {role}", identity.policy_name())
}
