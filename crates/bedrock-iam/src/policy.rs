//! Grants as an inline policy, in one of two forms that IAM decides alike.
//!
//! The explicit form names the model by its own ARN in every destination Region. The factored form names it once, with `*` as
//! the Region and the destinations listed under `aws:RequestedRegion`: smaller, and harder to read.
//!
//! Sources: Bedrock User Guide, "Geographic cross-Region inference" and "Global cross-Region inference" (the profile, and
//! the model in every destination, must be allowed); AWS blog of 2026-08-20 on GPT-5.6 (the condition key is set only when
//! the foundation model is authorised).

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::{FoundationModelArn, InferenceProfileArn};
use crate::document::{Conditions, Document, Effect, Statement, Values};
use crate::grant::Grant;
use crate::identity::PolicyIdentity;
use crate::intent::Operations;

/// The condition key that names the profile through which a foundation model is reached.
pub const INFERENCE_PROFILE_ARN: &str = "bedrock:InferenceProfileArn";

/// All inline policies of a role together: 10,240 characters without white space (IAM quotas page).
pub const INLINE_QUOTA: usize = 10_240;

/// The condition key that names the Region in which a request is authorised.
pub const REQUESTED_REGION: &str = "aws:RequestedRegion";

const UNSPECIFIED: &str = "unspecified";

const ANY_REGION: &str = "*";

const GET_INFERENCE_PROFILE: &str = "bedrock:GetInferenceProfile";

/// How destination Regions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One ARN for each.
    Explicit,
    /// One ARN for all, and a condition.
    Factored,
}

/// The policy that grants exactly `grants`; `None` when there is nothing to grant.
///
/// Profiles that lead to the same models share a statement: IAM decides `(M under P) or (M under Q)` and `M under (P or Q)`
/// alike.
pub fn document(
    identity: &PolicyIdentity,
    grants: &[Grant],
    operations: Operations,
    form: Form,
) -> Option<Document> {
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
        let mut condition = condition("StringEquals", profiles.iter().map(ToString::to_string).collect());
        let factored = (form == Form::Factored).then(|| factored(models)).flatten();
        let resources = match factored {
            None => models.iter().map(ToString::to_string).collect(),
            Some((resource, regions)) => {
                let equals = condition.entry("StringEquals".to_owned()).or_default();
                equals.insert(REQUESTED_REGION.to_owned(), Values(regions));
                vec![resource]
            }
        };
        statements.push(allow(operations.actions().iter().copied(), resources, condition));
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

/// One model's destinations as an ARN with `*` for the Region and the values of `aws:RequestedRegion`; nothing for a single
/// destination, whose ARN is shorter, or for several models.
fn factored(models: &BTreeSet<FoundationModelArn>) -> Option<(String, Vec<String>)> {
    let first = models.first().filter(|_| models.len() > 1)?;
    let is_same =
        |other: &FoundationModelArn| other.partition == first.partition && other.model == first.model;
    models.iter().all(is_same).then(|| {
        let resource =
            format!("arn:{}:bedrock:{ANY_REGION}::foundation-model/{}", first.partition, first.model);
        (resource, models.iter().map(requested_region).collect())
    })
}

/// The models that a statement of either form names.
pub(crate) fn models(statement: &Statement) -> BTreeSet<FoundationModelArn> {
    let regions = statement.condition.get("StringEquals").and_then(|keys| keys.get(REQUESTED_REGION));
    let regions: Vec<&str> = regions.into_iter().flat_map(|values| &values.0).map(String::as_str).collect();
    let of_resource = |resource: &String| -> Vec<FoundationModelArn> {
        let in_region = |region: &&str| {
            let region = if *region == UNSPECIFIED { "" } else { region };
            resource.replacen(&format!(":{ANY_REGION}:"), &format!(":{region}:"), 1).parse().ok()
        };
        match resource.parse() {
            Ok(model) => vec![model],
            Err(_) => regions.iter().filter_map(in_region).collect(),
        }
    };
    statement.resource.iter().flat_map(of_resource).collect()
}

/// What `aws:RequestedRegion` holds when a model is authorised in its Region, or in none ("Global cross-Region inference").
pub(crate) fn requested_region(model: &FoundationModelArn) -> String {
    model.region.as_ref().map_or_else(|| UNSPECIFIED.to_owned(), ToString::to_string)
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
