//! The look at all roles of the account.

use aws_sdk_iam::types::{EntityType, RoleDetail};
use bedrock_iam::Fault;
use bedrock_iam::orphan::ScannedRole;

use super::{Iam, Operation};

/// Roles of one answer: a role's policies take up to 40 kB in it, so that a page stays at some megabytes.
const PAGE: i32 = 50;

/// More than an account can hold; an answer that goes on for ever is none.
const MOST_PAGES: usize = 2_000;

impl Iam {
    /// GetAccountAuthorizationDetails: shows every role of the account with its tags and inline policies to `see`, a page at a
    /// time, so that memory stays bounded. What it shows may be old, and decides no write.
    pub async fn scan(&self, mut see: impl FnMut(ScannedRole) + Send) -> Result<(), Fault> {
        let subject = "the account's roles";
        let mut marker = None;
        for _ in 0..MOST_PAGES {
            let request = self.client.get_account_authorization_details().filter(EntityType::Role);
            let request = request.max_items(PAGE).set_marker(marker).send();
            let page = self.caller.call(Operation::GetAccountAuthorizationDetails, subject, request).await?;
            page.role_detail_list.unwrap_or_default().into_iter().filter_map(scanned).for_each(&mut see);
            marker = page.marker.filter(|_| page.is_truncated);
            if marker.is_none() {
                return Ok(());
            }
        }
        let message =
            format!("iam:GetAccountAuthorizationDetails of {subject}: more than {MOST_PAGES} pages");
        Err(Fault { class: bedrock_iam::Class::Unavailable, message })
    }
}

fn scanned(role: RoleDetail) -> Option<ScannedRole> {
    let policies = role.role_policy_list.unwrap_or_default().into_iter();
    Some(ScannedRole {
        name: role.role_name?.parse().ok()?,
        tags: role.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect(),
        policies: policies.filter_map(|policy| policy.policy_name.zip(policy.policy_document)).collect(),
    })
}
