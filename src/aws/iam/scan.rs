//! The look at all roles of the account.

use aws_sdk_iam::types::{EntityType, RoleDetail};
use bedrock_iam::scan::ScannedRole;
use bedrock_iam::{Class, Fault, Role};
use futures::{Stream, TryStreamExt, stream};

use super::{Iam, Operation};

/// Roles of one answer. A role's policies take up to 40 kB in it, but most roles take some 2 kB; see docs/benchmarks.md for what
/// other sizes cost.
pub(crate) const ROLES_IN_A_PAGE: usize = 200;

/// More than an account can hold; an answer that goes on for ever is none.
const MOST_PAGES: usize = 1_000;

const SUBJECT: &str = "the account's roles";

/// How far a look has come.
struct Next {
    page: usize,
    marker: Option<String>,
}

impl Iam {
    /// GetAccountAuthorizationDetails: every role of the account with its tags and inline policies, a page at a time, so that memory
    /// stays bounded. What it shows may be old, and decides no write.
    pub fn roles(&self) -> impl Stream<Item = Result<ScannedRole, Fault>> + '_ {
        let begin = Some(Next { page: 0, marker: None });
        let pages = stream::try_unfold(begin, async |next| match next {
            Some(next) => self.page(next).await.map(Some),
            None => Ok(None),
        });
        pages.map_ok(|roles| stream::iter(roles.into_iter().filter_map(scanned).map(Ok))).try_flatten()
    }

    async fn page(&self, next: Next) -> Result<(Vec<RoleDetail>, Option<Next>), Fault> {
        if next.page >= MOST_PAGES {
            let message =
                format!("iam:GetAccountAuthorizationDetails of {SUBJECT}: more than {MOST_PAGES} pages");
            return Err(Fault { class: Class::Unavailable, message });
        }
        let request = self.client.get_account_authorization_details().filter(EntityType::Role);
        let request = request
            .max_items(i32::try_from(ROLES_IN_A_PAGE).unwrap_or(i32::MAX))
            .set_marker(next.marker)
            .send();
        let page = self.caller.call(Operation::GetAccountAuthorizationDetails, SUBJECT, request).await?;
        let marker = page.marker.filter(|_| page.is_truncated);
        let next = marker.map(|marker| Next { page: next.page + 1, marker: Some(marker) });
        Ok((page.role_detail_list.unwrap_or_default(), next))
    }

    /// GetAccountSummary: how many roles the account has.
    pub async fn count_roles(&self) -> Result<usize, Fault> {
        let request = self.client.get_account_summary().send();
        let answer = self.caller.call(Operation::GetAccountSummary, SUBJECT, request).await?;
        let summary = answer.summary_map.unwrap_or_default();
        let roles = summary.into_iter().find(|(key, _)| key.as_str() == "Roles");
        roles.and_then(|(_, count)| usize::try_from(count).ok()).ok_or_else(|| Fault {
            class: Class::Unavailable,
            message: format!("iam:GetAccountSummary of {SUBJECT} answered without their number"),
        })
    }
}

fn scanned(role: RoleDetail) -> Option<ScannedRole> {
    let policies = role.role_policy_list.unwrap_or_default().into_iter();
    Some(ScannedRole {
        role: Role {
            arn: role.arn?.parse().ok()?,
            id: role.role_id?,
            tags: role.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect(),
        },
        policies: policies.filter_map(|policy| policy.policy_name.zip(policy.policy_document)).collect(),
    })
}
