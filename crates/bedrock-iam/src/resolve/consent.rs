//! Whether the owner of a target or guardrail lets it be granted: from its tags to given, refused or unknown.

use crate::bedrock::answer::Answers;
use crate::bedrock::target::Target;
use crate::names::arn::GuardrailArn;
use crate::names::fault::{Class, Fault};
use crate::names::identifier::Region;
use crate::names::tags::Tags;
use crate::say::finding::Finding;
use crate::say::reason::Reason;
use crate::want::consent::{ConsentPolicy, Taggable, Tenant};
use crate::want::intent::Claim;

/// Whether a target may be granted, as far as its owner is concerned.
pub(super) enum Permission {
    /// It may.
    Given,
    /// Its tag does not say so; a grant that is there goes.
    Refused(Finding),
    /// Its tags could not be read; a grant that is there stays.
    Unknown(Fault),
}

/// A target that belongs to the account consents by the same tag as a role does.
pub(super) fn permission(claim: &Claim, answers: &Answers, target: &Target) -> Permission {
    let Some(arn) = target.owned(&claim.account) else { return Permission::Given };
    of_owner(&claim.tenant, target.source(), &arn, || answers.tags_of(target))
}

/// So does a guardrail of the account; what another account's may be used for is said there.
pub(super) fn permission_of_guardrail(
    claim: &Claim,
    answers: &Answers,
    guardrail: &GuardrailArn,
) -> Permission {
    if !guardrail.is_of(&claim.account) {
        return Permission::Given;
    }
    of_owner(&claim.tenant, &guardrail.region, &guardrail.to_string(), || {
        answers.tags_of_guardrail(guardrail)
    })
}

fn of_owner<'a>(
    tenant: &Tenant,
    source: &Region,
    arn: &str,
    tags: impl FnOnce() -> Result<&'a Tags, Fault>,
) -> Permission {
    if tenant.policy == ConsentPolicy::None {
        return Permission::Given;
    }
    let subject = Taggable::Target { source, arn };
    match tags() {
        Err(fault) => Permission::Unknown(fault),
        Ok(tags) => match tenant.refusal(subject, tags) {
            None => Permission::Given,
            Some(message) if !tenant.is_withdrawn(tags) => {
                Permission::Unknown(Fault { class: Class::Unavailable, message })
            }
            Some(message) => Permission::Refused(Finding::new(Reason::TargetNotAllowed, message)),
        },
    }
}
