//! Grants as an inline policy: the explicit form, every destination Region by its own ARN.
//!
//! Sources: Bedrock User Guide, "Geographic cross-Region inference" and "Global cross-Region inference" (the profile, and
//! the model in every destination, must be allowed); AWS blog of 2026-08-20 on GPT-5.6 (the condition key is set only when
//! the foundation model is authorised).

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::{FoundationModelArn, InferenceProfileArn};
use crate::document::{Conditions, Document, Effect, Statement, Values};
use crate::identity::PolicyIdentity;
use crate::intent::Operations;
use crate::resolve::Grant;

/// The condition key that names the profile through which a foundation model is reached.
pub const INFERENCE_PROFILE_ARN: &str = "bedrock:InferenceProfileArn";

/// All inline policies of a role together: 10,240 characters without white space (IAM quotas page).
pub const INLINE_QUOTA: usize = 10_240;

const GET_INFERENCE_PROFILE: &str = "bedrock:GetInferenceProfile";

/// The policy that grants exactly `grants`; `None` when there is nothing to grant.
///
/// Profiles that lead to the same models share a statement: IAM decides `(M under P) or (M under Q)` and `M under (P or Q)`
/// alike.
pub fn document(identity: &PolicyIdentity, grants: &[Grant], operations: Operations) -> Option<Document> {
    let mut profiles = BTreeSet::new();
    let mut routes: BTreeMap<&BTreeSet<FoundationModelArn>, Vec<&InferenceProfileArn>> = BTreeMap::new();
    let mut on_demand = BTreeSet::new();
    for grant in grants {
        match grant {
            Grant::Profile { arn, models, .. } => {
                if profiles.insert(arn) {
                    routes.entry(models).or_default().push(arn);
                }
            }
            Grant::OnDemand { model } => {
                on_demand.insert(model);
            }
        }
    }

    let mut statements = Vec::new();
    if !profiles.is_empty() {
        let actions = operations.actions().iter().chain(&[GET_INFERENCE_PROFILE]).copied();
        statements.push(allow(actions, &profiles, Conditions::new()));
    }
    for (models, profiles) in routes {
        let only_through = condition("StringEquals", profiles.iter().map(ToString::to_string).collect());
        statements.push(allow(operations.actions().iter().copied(), models, only_through));
    }
    if !on_demand.is_empty() {
        let without_profile = condition("Null", vec!["true".to_owned()]);
        statements.push(allow(operations.actions().iter().copied(), &on_demand, without_profile));
    }
    for (index, statement) in statements.iter_mut().enumerate() {
        statement.sid = Some(identity.sid(index));
    }
    (!statements.is_empty()).then(|| Document::new(statements))
}

fn allow<'a, R: ToString>(
    actions: impl Iterator<Item = &'a str>,
    resources: impl IntoIterator<Item = R>,
    condition: Conditions,
) -> Statement {
    Statement {
        sid: None,
        effect: Effect::Allow,
        action: actions.map(ToOwned::to_owned).collect(),
        not_action: Vec::new(),
        resource: resources.into_iter().map(|arn| arn.to_string()).collect(),
        not_resource: Vec::new(),
        condition,
    }
}

fn condition(operator: &str, values: Vec<String>) -> Conditions {
    let key = BTreeMap::from([(INFERENCE_PROFILE_ARN.to_owned(), Values(values))]);
    Conditions::from([(operator.to_owned(), key)])
}
