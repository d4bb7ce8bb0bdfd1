//! Whether a role may be written to at all: from the claim and what is believed of the role to a plan that says why not.

use super::plan::Plan;
use super::teardown::teardown;
use crate::iam::observed::{Observed, PolicyState, RoleState};
use crate::names::arn::RoleArn;
use crate::policy::current::CurrentGrants;
use crate::say::finding::Finding;
use crate::say::reason::Reason;
use crate::want::consent::{Consent, TAG, Taggable};
use crate::want::intent::{Claim, Intent};

/// The plan for a role that may not be written to: it says why, and takes our policy away where consent is gone.
pub(super) fn of_role(claim: &Claim, observed: &Observed) -> Option<Plan> {
    let account = &claim.account;
    let refuse = |reason, message: String| Some(Plan::against(reason, message));
    if let Some(arn) = claim.role_arn.as_ref().filter(|_| claim.is_elsewhere()) {
        let message =
            format!("role {arn} is not in account {} of partition {}", account.id, account.partition);
        return refuse(Reason::AccountNotServed, message);
    }
    let role = match &observed.role {
        RoleState::Found(role) => role,
        RoleState::Missing => {
            let message = format!("role {} does not exist in account {}", claim.role, account.id);
            return refuse(Reason::RoleNotFound, message);
        }
        RoleState::Fault(fault) => return Some(Plan::unknown(Reason::of_role_fault(fault.class), fault)),
    };
    if role.is_protected() {
        let message = format!("role {} can only be modified by AWS: choose a role of your own", claim.role);
        return refuse(Reason::RoleProtected, message);
    }
    // An answer about something else decides nothing. IAM tells names apart without regard to case.
    let RoleArn { partition, account: owner, name, .. } = &role.arn;
    let is_the_one = name.as_str().eq_ignore_ascii_case(claim.role.as_str());
    if !is_the_one || *owner != account.id || *partition != account.partition {
        let message = format!("iam:GetRole of role {} answered about another role", claim.role);
        return refuse(Reason::RoleIamUnavailable, message);
    }
    if let Some(wanted) = claim.role_arn.as_ref().filter(|wanted| **wanted != role.arn) {
        let consents = claim.tenant.consent(&role.tags) == Consent::Given;
        // The path of a role is nothing that a stranger may learn.
        let found = if consents { format!("is {}, not", role.arn) } else { "exists, but is not".to_owned() };
        let message = format!(
            "role {} {found} {wanted}: the role of an object cannot be changed, so create another object",
            claim.role
        );
        return refuse(Reason::RoleArnDiffers, message);
    }
    let mut message = claim.tenant.refusal(Taggable::Role(&claim.role), &role.tags)?;
    message.extend(still_granting(claim, observed.policy(&claim.policy())));
    let former = claim.former.as_ref().filter(|former| !former.tenant.is_withdrawn(&role.tags));
    message.extend(former.and_then(|former| still_granting_before(observed.policy(&former.policy()))));
    let findings = vec![Finding::new(Reason::ConsentMissing, message)];
    if !claim.tenant.is_withdrawn(&role.tags) {
        return Some(Plan { findings, ..Plan::default() });
    }
    Some(Plan { findings, is_withdrawal: true, ..teardown(claim, observed.policy(&claim.policy())) })
}

/// A policy of our name that we may not take for ours, since its mark is gone, stays without consent too.
fn still_granting(claim: &Claim, policy: &PolicyState) -> Option<String> {
    let PolicyState::Foreign(Some(document)) = policy else { return None };
    let grants = CurrentGrants::of(document).count();
    (grants > 0).then(|| {
        format!(
            "; policy {} is still on the role without this operator's mark and grants {grants}: remove it with {}",
            claim.identity.policy_name(),
            claim.removal_command()
        )
    })
}

/// Nor does the owner's word for one cluster id let a policy be moved from it to another.
fn still_granting_before(former: &PolicyState) -> Option<String> {
    let grants = CurrentGrants::of(former.document()?).count();
    (grants > 0).then(|| {
        format!("; the policy under the cluster id that policies are moved from is still on the role and grants {grants}")
    })
}

/// An explicit Deny reaches beyond what the operator grants, so the role's owner has to allow it by itself.
pub(super) fn without_permission_to_deny(intent: &Intent, observed: &Observed) -> Option<Plan> {
    let RoleState::Found(role) = &observed.role else { return None };
    let Claim { role: name, tenant, .. } = &intent.claim;
    if intent.terms.denied_scopes.is_empty() || tenant.may_deny(&role.tags) {
        return None;
    }
    let message = format!(
        "the tag {TAG} on role {name} does not let namespace {} use deniedScopes; allow it with: {}",
        tenant.namespace,
        tenant.remedy_to_deny(name)
    );
    Some(Plan::against(Reason::ConsentMissing, message))
}
