use super::Judge;
use crate::consent::{Policy, Taggable};
use crate::fault::Fault;
use crate::finding::{Finding, Reason};
use crate::intent::Target;

/// Whether a target may be granted, as far as its owner is concerned.
pub(super) enum Leave {
    /// It may.
    Given,
    /// Its tag does not say so; a grant that is there goes.
    Refused(Finding),
    /// Its tags could not be read; a grant that is there stays.
    Unknown(Fault),
}

impl Judge<'_> {
    /// A target that belongs to the account consents by the same tag as a role does.
    pub(super) fn leave(&self, target: &Target) -> Leave {
        let applicant = &self.intent.claim.applicant;
        let Some(arn) = target.owned(self.account).filter(|_| applicant.policy == Policy::Tag) else {
            return Leave::Given;
        };
        let subject = Taggable::Target { source: target.source(), arn: &arn };
        match self.answers.tags_of(target) {
            Err(fault) => Leave::Unknown(fault),
            Ok(tags) => match applicant.refusal(subject, tags) {
                None => Leave::Given,
                Some(message) => Leave::Refused(Finding::new(Reason::TargetNotAllowed, message)),
            },
        }
    }
}
