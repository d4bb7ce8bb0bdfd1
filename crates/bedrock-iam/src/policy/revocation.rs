//! What has to go from a policy of ours although nothing else can be decided about it: an owner who withdraws consent must
//! not depend on whether the rest of the manifest can be served.

use std::collections::BTreeSet;

use crate::iam::document::{Document, Effect, Statement, Values};
use crate::iam::identity::PolicyIdentity;
use crate::policy::current::CurrentGrants;
use crate::policy::extra::{self, Extra};
use crate::policy::write::{self, Form, INFERENCE_PROFILE_ARN, STRING_EQUALS};

/// What a policy of ours may no longer hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// ARNs of inference profiles, of models of the account's own, and of guardrails.
    pub targets: BTreeSet<String>,
    /// ARNs of foundation models on demand.
    pub on_demand: BTreeSet<String>,
    /// Every explicit Deny.
    pub denials: bool,
}

/// What is left of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remainder {
    /// It holds nothing that has to go.
    Whole,
    /// Less than before.
    Part(Document),
    /// Nothing.
    Nothing,
}

/// Takes out of a document of ours what may no longer be in it.
pub fn remainder(identity: &PolicyIdentity, document: &Document, revoked: &Revoked) -> Remainder {
    let mut statement: Vec<Statement> =
        document.statement.iter().filter_map(|statement| cut(statement, revoked)).collect();
    if statement == document.statement {
        return Remainder::Whole;
    }
    let grants = CurrentGrants::of(&Document::new(statement.clone())).grants();
    // Projects and guardrails only go with grants.
    if grants.is_empty() {
        statement.retain(|statement| statement.effect == Effect::Deny || extra::is_extra(statement));
    }
    let extras = Extra::in_document(document);
    let left: BTreeSet<Extra> = extras.iter().cloned().filter_map(|extra| extra.beside(&grants)).collect();
    if left != extras {
        statement.retain(|statement| !extra::is_extra(statement));
        statement.extend(extra::statements(&left, Form::Factored));
    }
    if statement.is_empty() {
        return Remainder::Nothing;
    }
    let mut left = Document::new(statement);
    identity.sign(&mut left);
    Remainder::Part(left)
}

/// What is left of a statement, if anything.
fn cut(statement: &Statement, revoked: &Revoked) -> Option<Statement> {
    if statement.effect == Effect::Deny {
        return (!revoked.denials).then(|| statement.clone());
    }
    let mut left = statement.clone();
    let gone = if write::is_on_demand(statement) { &revoked.on_demand } else { &revoked.targets };
    left.resource.retain(|resource| !gone.contains(resource));
    let condition =
        left.condition.get_mut(STRING_EQUALS).and_then(|keys| keys.get_mut(INFERENCE_PROFILE_ARN));
    let is_reachable = condition.is_none_or(|Values(profiles)| {
        profiles.retain(|profile| !revoked.targets.contains(profile));
        !profiles.is_empty()
    });
    (is_reachable && !left.resource.is_empty()).then_some(left)
}
