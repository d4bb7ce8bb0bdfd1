use std::fmt::Display;

use bedrock_iam::conditions::SuccessMessages;
use bedrock_iam::decide::Outcome;
use bedrock_iam::policy::INLINE_QUOTA;
use bedrock_iam::{CurrentGrants, Decision, Intent, RoleState};

/// So many of a list stand in a message.
const MOST_LISTED: usize = 4;

/// What is said of an object with nothing against it.
pub(super) fn success(intent: &Intent, decision: &Decision, outcome: &Outcome) -> SuccessMessages {
    let claim = &intent.claim;
    let arn = match &decision.believed.role {
        RoleState::Found(role) => role.arn.to_string(),
        RoleState::Missing | RoleState::Fault(_) => claim.role.to_string(),
    };
    let policy = match outcome.policy(&claim.policy()).document() {
        Some(document) => format!(
            "policy {} on role {} holds exactly {} ({} of {INLINE_QUOTA} characters)",
            claim.identity.policy_name(),
            claim.role,
            counted(CurrentGrants::of(document).count(), "grant"),
            document.characters()
        ),
        None => format!("nothing to grant: the operator keeps no policy on role {}", claim.role),
    };
    SuccessMessages {
        role: format!("role {arn} lets namespace {} use it", claim.tenant.namespace),
        profiles: format!(
            "Bedrock answered for every model in every source Region{}{}",
            listed("; not offered, and not needed", decision.plan.not_offered.iter()),
            listed(
                "; the owner of each of these guardrails has to let the role apply it",
                intent.terms.others_guardrails(&claim.account).into_iter()
            )
        ),
        policy,
    }
}

/// The first few of something, if there is any.
fn listed<T: Display>(what: &str, items: impl ExactSizeIterator<Item = T>) -> String {
    if items.len() == 0 {
        return String::new();
    }
    let more = items.len().saturating_sub(MOST_LISTED);
    let shown: Vec<String> = items.take(MOST_LISTED).map(|item| item.to_string()).collect();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{what}: {}{more}", shown.join(", "))
}

pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
