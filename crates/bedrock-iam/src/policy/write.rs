//! Grants as an inline policy, in one of two forms that IAM decides alike.
//!
//! The explicit form names the model by its own ARN in every destination Region. The factored form names it once, with `*` as
//! the Region and the destinations listed under `aws:RequestedRegion`: smaller, and harder to read.
//!
//! Sources: Bedrock User Guide, "Geographic cross-Region inference" and "Global cross-Region inference" (the profile, and
//! the model in every destination, must be allowed); AWS blog of 2026-08-20 on GPT-5.6 (the condition key is set only when
//! the foundation model is authorised).

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::document::{Conditions, Document, Effect, Statement, Values};
use crate::iam::identity::PolicyIdentity;
use crate::names::account::Account;
use crate::names::arn::{FoundationModelArn, InferenceProfileArn};
use crate::names::identifier::Scope;
use crate::policy::extra::{self, Extra};
use crate::policy::grant::Grant;
use crate::want::operations::Operations;
use crate::want::terms::{Guardrail, Terms};

/// The condition key that names the profile through which a foundation model is reached.
pub const INFERENCE_PROFILE_ARN: &str = "bedrock:InferenceProfileArn";

/// All inline policies of a role together: 10,240 characters without white space (IAM quotas page).
pub const INLINE_QUOTA: usize = 10_240;

/// The condition key that names the Region in which a request is authorised.
pub const REQUESTED_REGION: &str = "aws:RequestedRegion";

const UNSPECIFIED: &str = "unspecified";

const ANY_REGION: &str = "*";

/// The condition key that names the guardrail of a call.
pub const GUARDRAIL_IDENTIFIER: &str = "bedrock:GuardrailIdentifier";

pub(crate) const APPLY_GUARDRAIL: &str = "bedrock:ApplyGuardrail";

const GLOBAL: &str = "global";

/// The condition operator that compares exactly.
pub(crate) const STRING_EQUALS: &str = "StringEquals";

const GET_INFERENCE_PROFILE: &str = "bedrock:GetInferenceProfile";

/// How destination Regions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One ARN for each.
    Explicit,
    /// One ARN for all, and a condition.
    Factored,
}

/// The policy that grants exactly `grants` on exactly `terms`; `None` when there is nothing to grant or to deny.
///
/// Profiles that lead to the same models share a statement: IAM decides `(M under P) or (M under Q)` and `M under (P or Q)`
/// alike.
pub fn document(
    identity: &PolicyIdentity,
    account: &Account,
    grants: &[Grant],
    terms: &Terms,
    form: Form,
) -> Option<Document> {
    let mut document = Document::new(statements(account, grants, terms, form));
    identity.sign(&mut document);
    (!document.statement.is_empty()).then_some(document)
}

/// How many characters that policy takes; none, where there is nothing to grant or to deny. The checksum, which costs more than all the
/// rest, is always of one length.
pub(crate) fn characters(
    identity: &PolicyIdentity,
    account: &Account,
    grants: &[Grant],
    terms: &Terms,
    form: Form,
) -> usize {
    let mut document = Document::new(statements(account, grants, terms, form));
    identity.measure(&mut document);
    if document.statement.is_empty() { 0 } else { document.characters() }
}

fn statements(account: &Account, grants: &[Grant], terms: &Terms, form: Form) -> Vec<Statement> {
    let mut profiles = BTreeSet::new();
    let mut routes: BTreeMap<&BTreeSet<FoundationModelArn>, Vec<&InferenceProfileArn>> = BTreeMap::new();
    let mut on_demand = BTreeSet::new();
    let mut own_models = BTreeSet::new();
    for grant in grants {
        match grant {
            Grant::Profile { arn, models } => {
                if profiles.insert(arn) {
                    routes.entry(models).or_default().push(arn);
                }
            }
            Grant::OnDemand { model } => {
                on_demand.insert(model);
            }
            Grant::OwnModel { arn } => {
                own_models.insert(arn);
            }
        }
    }

    let mut statements = Vec::new();
    if !profiles.is_empty() {
        statements.extend(of_profiles(&profiles, terms));
    }
    for (models, profiles) in routes {
        let mut invoke = invoke(models, terms);
        let only_through = profiles.iter().map(ToString::to_string).collect();
        restrict(&mut invoke.condition, STRING_EQUALS, INFERENCE_PROFILE_ARN, only_through);
        if let Some((resource, regions)) = factored(models).filter(|_| form == Form::Factored) {
            invoke.resource = vec![resource];
            restrict(&mut invoke.condition, STRING_EQUALS, REQUESTED_REGION, regions);
        }
        statements.push(invoke);
    }
    if !on_demand.is_empty() {
        let mut invoke = invoke(&on_demand, terms);
        restrict(&mut invoke.condition, "Null", INFERENCE_PROFILE_ARN, vec!["true".to_owned()]);
        statements.push(invoke);
    }
    if !own_models.is_empty() {
        statements.push(invoke(&own_models, terms));
    }
    if !grants.is_empty() && !terms.projects.is_empty() {
        // By itself: nobody documents that a project is authorised with the guardrail's or the profile's condition key.
        statements.push(statement(Effect::Allow, terms.operations.actions(), &terms.projects));
    }
    if !grants.is_empty() && !terms.applied().is_empty() {
        statements.push(statement(Effect::Allow, &[APPLY_GUARDRAIL], terms.applied()));
    }
    statements.extend(denials(account, &terms.denied_scopes));
    // Last, so that it makes no other statement's Sid longer.
    statements.extend(extra::statements(&Extra::of(grants, terms), form));
    statements
}

/// Invoking the profiles and asking about them; apart where only the one is bound to a guardrail.
fn of_profiles(profiles: &BTreeSet<&InferenceProfileArn>, terms: &Terms) -> Vec<Statement> {
    let mut invoke = invoke(profiles, terms);
    if terms.guardrails.is_empty() {
        invoke.action.push(GET_INFERENCE_PROFILE.to_owned());
        return vec![invoke];
    }
    vec![invoke, statement(Effect::Allow, &[GET_INFERENCE_PROFILE], profiles)]
}

fn invoke<R: ToString>(resources: impl IntoIterator<Item = R>, terms: &Terms) -> Statement {
    let mut invoke = statement(Effect::Allow, terms.operations.actions(), resources);
    if !terms.guardrails.is_empty() {
        let one_of = terms.guardrails.iter().map(Guardrail::identifier).collect();
        restrict(&mut invoke.condition, STRING_EQUALS, GUARDRAIL_IDENTIFIER, one_of);
    }
    invoke
}

/// Whether the terms deny global routes, through whatever profile.
pub(crate) fn denies_global(terms: &Terms) -> bool {
    terms.denied_scopes.iter().any(|scope| scope.as_str() == GLOBAL)
}

/// Both invoke actions, denied for the profiles of some scopes. A global route is known by its Region, so that it is denied
/// through application inference profiles too ("Global cross-Region inference").
fn denials(account: &Account, scopes: &BTreeSet<Scope>) -> Vec<Statement> {
    let (global, geographic): (Vec<&Scope>, Vec<&Scope>) =
        scopes.iter().partition(|scope| scope.as_str() == GLOBAL);
    let Account { id, partition } = account;
    let pattern =
        |scope: &Scope| format!("arn:{partition}:bedrock:{ANY_REGION}:{id}:inference-profile/{scope}.*");
    let actions = Operations::Both.actions();
    let mut denials = Vec::new();
    if !geographic.is_empty() {
        denials.push(statement(Effect::Deny, actions, geographic.into_iter().map(pattern)));
    }
    if !global.is_empty() {
        let mut deny = statement(Effect::Deny, actions, ["*"]);
        restrict(&mut deny.condition, STRING_EQUALS, REQUESTED_REGION, vec![UNSPECIFIED.to_owned()]);
        denials.push(deny);
    }
    denials
}

/// One model's destinations as an ARN with `*` for the Region and the values of `aws:RequestedRegion`; nothing for a single
/// destination, whose ARN is shorter, or for several models.
fn factored(models: &BTreeSet<FoundationModelArn>) -> Option<(String, Vec<String>)> {
    let first = models.first().filter(|_| models.len() > 1)?;
    let is_same =
        |other: &FoundationModelArn| other.partition == first.partition && other.model == first.model;
    models.iter().all(is_same).then(|| (in_any_region(first), models.iter().map(requested_region).collect()))
}

/// A model's ARN with `*` for the Region, beside which stand the values of `aws:RequestedRegion`.
pub(crate) fn in_any_region(model: &FoundationModelArn) -> String {
    format!("arn:{}:bedrock:{ANY_REGION}::foundation-model/{}", model.partition, model.model)
}

/// Whether a statement grants models on demand.
pub(crate) fn is_on_demand(statement: &Statement) -> bool {
    statement.values("Null", INFERENCE_PROFILE_ARN).iter().any(|value| value == "true")
}

/// The models that a statement of either form names.
pub(crate) fn models(statement: &Statement) -> BTreeSet<FoundationModelArn> {
    statement.resource.iter().flat_map(|resource| models_of(resource, statement)).collect()
}

fn models_of(resource: &str, statement: &Statement) -> Vec<FoundationModelArn> {
    let in_region = |region: &str| {
        let region = if region == UNSPECIFIED { "" } else { region };
        resource.replacen(&format!(":{ANY_REGION}:"), &format!(":{region}:"), 1).parse().ok()
    };
    if let Ok(model) = resource.parse() {
        return vec![model];
    }
    let regions = statement.values(STRING_EQUALS, REQUESTED_REGION).iter();
    regions.filter_map(|region| in_region(region)).collect()
}

/// What `aws:RequestedRegion` holds when a model is authorised in its Region, or in none ("Global cross-Region inference").
pub(crate) fn requested_region(model: &FoundationModelArn) -> String {
    model.region.as_ref().map_or_else(|| UNSPECIFIED.to_owned(), ToString::to_string)
}

pub(crate) fn statement<R: ToString>(
    effect: Effect,
    actions: &[&str],
    resources: impl IntoIterator<Item = R>,
) -> Statement {
    Statement {
        sid: None,
        effect,
        action: actions.iter().map(ToString::to_string).collect(),
        not_action: Vec::new(),
        resource: resources.into_iter().map(|arn| arn.to_string()).collect(),
        not_resource: Vec::new(),
        condition: Conditions::new(),
    }
}

pub(crate) fn restrict(conditions: &mut Conditions, operator: &str, key: &str, values: Vec<String>) {
    conditions.entry(operator.to_owned()).or_default().insert(key.to_owned(), Values(values));
}
