use crate::answer::Answers;
use crate::consent::{Applicant, Policy, Taggable};
use crate::fault::Fault;
use crate::finding::{Finding, Reason};
use crate::intent::Target;
use crate::observed::Account;

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
pub(super) fn leave(applicant: &Applicant, account: &Account, answers: &Answers, target: &Target) -> Leave {
    let Some(arn) = target.owned(account).filter(|_| applicant.policy == Policy::Tag) else {
        return Leave::Given;
    };
    let subject = Taggable::Target { source: target.source(), arn: &arn };
    match answers.tags_of(target) {
        Err(fault) => Leave::Unknown(fault),
        Ok(tags) => match applicant.refusal(subject, tags) {
            None => Leave::Given,
            Some(message) => Leave::Refused(Finding::new(Reason::TargetNotAllowed, message)),
        },
    }
}
