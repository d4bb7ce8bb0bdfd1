//! One model, on demand or of the account's own: what was answered about it, and what is held of it, to a grant or to what stands
//! against one.

use std::collections::BTreeSet;

use super::consent::Permission;
use super::destinations::locked_out;
use super::judge::{Judge, Judgement};
use super::remedy;
use crate::bedrock::answer::{Answer, ON_DEMAND};
use crate::bedrock::target::Target;
use crate::names::arn::{FoundationModelArn, OwnModelArn};
use crate::names::fault::Class;
use crate::names::identifier::{ModelId, Region};
use crate::policy::grant::Grant;
use crate::say::finding::Finding;
use crate::say::reason::Reason;

impl Judge<'_> {
    /// A foundation model without a profile.
    pub(super) fn on_demand(&self, source: &Region, model: &ModelId, answer: &Answer) -> Judgement {
        let arn = FoundationModelArn {
            partition: self.account.partition.clone(),
            region: Some(source.clone()),
            model: model.clone(),
        };
        let place = format!("model {model} in {source}");
        if !self.beyond_lock(&BTreeSet::from([arn.clone()])).is_empty() {
            return Judgement::Refuse(locked_out(&place, source));
        }
        let (reason, problem) = match answer {
            Answer::Model { arn: given, .. } if *given != arn.to_string() => {
                (Reason::BedrockUnavailable, format!("{place}: GetFoundationModel answered for {given:?}"))
            }
            Answer::Model { inference_types, .. } if inference_types.iter().any(|kind| kind == ON_DEMAND) => {
                return Judgement::Grant(Grant::OnDemand { model: arn });
            }
            Answer::Model { .. } => {
                (Reason::OnDemandNotSupported, self.on_demand_not_supported(model, source))
            }
            Answer::NotFound => {
                let remedy = self.closest(source, model.as_str());
                (Reason::ModelNotFound, format!("{place} does not exist; {remedy}"))
            }
            Answer::Fault(fault) => (Reason::of_bedrock_fault(fault.class), fault.message.clone()),
            Answer::Profile { .. } | Answer::Unasked => {
                (Reason::BedrockUnavailable, format!("{place} was not answered for"))
            }
        };
        let is_definite = matches!(reason, Reason::ModelNotFound | Reason::OnDemandNotSupported);
        let is_final = is_definite && self.may_shrink(model.as_str(), source);
        if self.held.on_demand(&arn) && !is_final {
            let finding = kept(reason, &problem, model.as_str(), source);
            return Judgement::Keep(Grant::OnDemand { model: arn }, finding);
        }
        Judgement::Refuse(Finding::new(reason, problem))
    }

    /// A model that belongs to the account: not looked up, but for its tags.
    pub(super) fn own_model(&self, target: &Target, arn: OwnModelArn) -> Judgement {
        let place = format!("model {arn}");
        if self.is_locked_out(&arn.region) {
            return Judgement::Refuse(locked_out(&place, &arn.region));
        }
        let fault = match self.permission(target) {
            Permission::Given => return Judgement::Grant(Grant::OwnModel { arn }),
            Permission::Refused(finding) => return Judgement::Refuse(finding),
            Permission::Unknown(fault) => fault,
        };
        let is_gone = fault.class == Class::NotFound;
        let (reason, problem) = if is_gone {
            (Reason::ModelNotFound, format!("{place} does not exist; check the ARN"))
        } else {
            (Reason::of_bedrock_fault(fault.class), format!("{place}: {}", fault.message))
        };
        let is_final = is_gone && self.may_shrink(target.id(), target.source());
        if self.held.own_model(&arn) && !is_final {
            let finding = kept(reason, &problem, target.id(), target.source());
            return Judgement::Keep(Grant::OwnModel { arn }, finding);
        }
        Judgement::Refuse(Finding::new(reason, problem))
    }
}

fn kept(reason: Reason, problem: &str, id: &str, source: &Region) -> Finding {
    let mut message = format!("{problem}; the grant that the role already has is kept");
    if matches!(reason, Reason::ModelNotFound | Reason::OnDemandNotSupported) {
        message = format!("{message}; {}", remedy::accept(id, source));
    }
    Finding::new(reason, message)
}
