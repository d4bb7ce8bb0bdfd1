use aws_config::SdkConfig;
use aws_sdk_iam::Client;
use bedrock_iam::{Class, Document, Fault, PolicyIdentity, PolicyState, Role, RoleName, RoleState};

use super::call::Caller;
use super::error::Operation;

/// The IAM calls of the operator.
#[derive(Clone)]
pub struct Iam {
    client: Client,
    caller: Caller,
}

const fn iam(name: &'static str) -> Operation {
    Operation { service: "iam", name }
}

impl Iam {
    /// A client whose calls all pass `caller`.
    pub fn new(config: &SdkConfig, caller: Caller) -> Self {
        Self { client: Client::new(config), caller }
    }

    /// GetRole, which answers with the role's tags too.
    pub async fn role(&self, name: &RoleName) -> RoleState {
        let subject = format!("role {name}");
        let request = self.client.get_role().role_name(name.as_str()).send();
        let role = match self.caller.call(iam("GetRole"), &subject, request).await {
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
        match self.caller.call(iam("GetRolePolicy"), &subject(role, identity), request).await {
            Ok(answer) => PolicyState::of(&answer.policy_document, identity),
            Err(Fault { class: Class::NotFound, .. }) => PolicyState::Absent,
            Err(fault) => PolicyState::Fault(fault),
        }
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
        self.caller.call(iam("PutRolePolicy"), &subject(role, identity), request).await.map(drop)
    }

    /// DeleteRolePolicy; a policy that is gone already is as good as deleted.
    pub async fn delete(&self, role: &RoleName, identity: &PolicyIdentity) -> Result<(), Fault> {
        let request = self
            .client
            .delete_role_policy()
            .role_name(role.as_str())
            .policy_name(identity.policy_name())
            .send();
        match self.caller.call(iam("DeleteRolePolicy"), &subject(role, identity), request).await {
            Ok(_) | Err(Fault { class: Class::NotFound, .. }) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

fn subject(role: &RoleName, identity: &PolicyIdentity) -> String {
    format!("policy {} on role {role}", identity.policy_name())
}
