//! Whether the owner of a target or guardrail lets it be granted: from its tags to given, refused or unknown.

use crate::bedrock::answer::Answers;
use crate::bedrock::target::Target;
use crate::names::arn::GuardrailArn;
use crate::names::fault::{Class, Fault};
use crate::names::identifier::Region;
use crate::names::tags::Tags;
use crate::say::finding::{Finding, Reason};
use crate::want::consent::{Applicant, Policy, Taggable};
use crate::want::intent::Claim;

/// Whether a target may be granted, as far as its owner is concerned.
pub(super) enum Leave {
    /// It may.
    Given,
    /// Its tag does not say so; a grant that is there goes.
    Refused(Finding),
    /// Its tags could not be read; a grant that is there stays.
    Unknown(Fault),
}

/// A target that belongs to the account consents by the same tag as a role does.
pub(super) fn leave(claim: &Claim, answers: &Answers, target: &Target) -> Leave {
    let Some(arn) = target.owned(&claim.account) else { return Leave::Given };
    of_owner(&claim.applicant, target.source(), &arn, || answers.tags_of(target))
}

/// So does a guardrail of the account; what another account's may be used for is said there.
pub(super) fn leave_of_guardrail(claim: &Claim, answers: &Answers, guardrail: &GuardrailArn) -> Leave {
    if !guardrail.is_of(&claim.account) {
        return Leave::Given;
    }
    of_owner(&claim.applicant, &guardrail.region, &guardrail.to_string(), || {
        answers.tags_of_guardrail(guardrail)
    })
}

fn of_owner<'a>(
    applicant: &Applicant,
    source: &Region,
    arn: &str,
    tags: impl FnOnce() -> Result<&'a Tags, Fault>,
) -> Leave {
    if applicant.policy == Policy::None {
        return Leave::Given;
    }
    let subject = Taggable::Target { source, arn };
    match tags() {
        Err(fault) => Leave::Unknown(fault),
        Ok(tags) => match applicant.refusal(subject, tags) {
            None => Leave::Given,
            Some(message) if !applicant.is_withdrawn(tags) => {
                Leave::Unknown(Fault { class: Class::Unavailable, message })
            }
            Some(message) => Leave::Refused(Finding::new(Reason::TargetNotAllowed, message)),
        },
    }
}
