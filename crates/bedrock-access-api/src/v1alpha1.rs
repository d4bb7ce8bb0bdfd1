//! The custom resource `bedrockaccess.io/v1alpha1`, kind `BedrockAccess`.
//!
//! Strings stay strings here, so that whatever the API server admits also decodes: what a value may be is said by the
//! CEL rules in the schema, in words that name the remedy, and once more by the parser.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{rules, schema};

/// What a role may call on Amazon Bedrock, and from where.
#[derive(CustomResource, JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "bedrockaccess.io",
    version = "v1alpha1",
    kind = "BedrockAccess",
    plural = "bedrockaccesses",
    shortname = "bra",
    category = "aws",
    namespaced,
    status = "BedrockAccessStatus",
    derive = "PartialEq",
    printcolumn = r#"{"name": "Role", "type": "string", "jsonPath": ".status.role.name"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Grants", "type": "integer", "jsonPath": ".status.grantCount"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Suspended", "type": "boolean", "jsonPath": ".spec.suspend", "priority": 1}"#,
    printcolumn = r#"{"name": "Source Regions", "type": "string", "jsonPath": ".spec.sourceRegions", "priority": 1}"#,
    printcolumn = r#"{"name": "Message", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message", "priority": 1}"#,
    printcolumn = r#"{"name": "Characters", "type": "integer", "jsonPath": ".status.policies[0].characters", "priority": 1}"#,
    doc = "BedrockAccess lets one IAM role call the named Bedrock models, by one inline policy that the operator keeps exact."
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::spec()))]
pub struct BedrockAccessSpec {
    /// The IAM role to grant to. Immutable; exactly one of name and arn.
    pub role: RoleRef,
    /// The Regions from which the workload calls Bedrock.
    #[schemars(schema_with = "schema::source_regions")]
    pub source_regions: Vec<String>,
    /// Where requests may be routed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Routing")]
    pub routing: Option<Routing>,
    /// What may be called. Each entry has exactly one of modelId, inferenceProfile and modelArn.
    #[schemars(schema_with = "schema::models")]
    pub models: Vec<ModelEntry>,
    /// The Bedrock operations to allow. InvokeModel also authorises Converse, InvokeModelWithResponseStream also ConverseStream. CountTokens, beside one
    /// of them, lets each granted model count tokens in the source Regions; it takes a foundation model's id, never a profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::operations")]
    pub operations: Option<Vec<String>>,
    /// The Bedrock projects that calls may be made in. AWS also asks for the right on the project of a call, on default when it names none; [] grants none.
    #[serde(default = "default_projects", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::projects")]
    pub projects: Option<Vec<String>>,
    /// True also lets the role list models and profiles in the source Regions, and ask about the models that are granted there, as gateways and
    /// setup wizards do. It opens no model.
    #[serde(default)]
    pub discovery: bool,
    /// True also lets the role read, cancel and delete what the Responses API stored in the account's default project, in the source Regions, whoever
    /// made it. A stored response of a global route stays in the Region that ran it. Not beside application inference profiles.
    #[serde(default)]
    pub responses: bool,
    /// ShortTerm also lets the role be used through Bedrock API keys that expire with its session. Whoever holds such a key may do on Bedrock what the
    /// role may, by this policy and all others. Long-term keys are never granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::api_keys")]
    pub api_keys: Option<String>,
    /// Guardrails: the grants then hold only for calls that name one of them. At most one per source Region. A guardrail of the role's account must consent by the same tag as the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::guardrails")]
    pub guardrails: Option<Vec<Guardrail>>,
    /// Enforce repairs the policy when someone changes it. Report writes it for a new object, a changed spec or a changed route, and only reports the rest.
    #[serde(default = "enforce")]
    #[schemars(schema_with = "schema::drift_policy")]
    pub drift_policy: String,
    /// Delete removes the policy when the object is deleted. Retain leaves it on the role, if the role's tag lets this namespace do so by an
    /// entry with retain: before it; without that entry the policy is removed all the same.
    #[serde(default = "delete")]
    #[schemars(schema_with = "schema::deletion_policy")]
    pub deletion_policy: String,
    /// How late a change in Bedrock or someone's edit may be found, as hours, minutes and seconds such as 10m or 1h30m; from 1m to 24h.
    /// Default: the operator's own interval. Consent is looked at once in the operator's interval all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::interval")]
    pub interval: Option<String>,
    /// True leaves AWS as it is until this is false again.
    #[serde(default)]
    pub suspend: bool,
}

/// The IAM role, by name or by ARN.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[schemars(extend("x-kubernetes-validations" = rules::role()))]
pub struct RoleRef {
    /// The name of a role in the operator's own account, without its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::role_name")]
    pub name: Option<String>,
    /// The whole ARN of the role, path included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::role_arn")]
    pub arn: Option<String>,
}

/// Where requests may be routed.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::routing()))]
pub struct Routing {
    /// The default scopes of every modelId: a system profile's prefix such as us, eu or global, or in-region for no profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::scopes")]
    pub scopes: Option<Vec<String>>,
    /// Residency lock: every route that may leave these Regions is refused, and so is every global one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::allowed_destination_regions")]
    pub allowed_destination_regions: Option<Vec<String>>,
    /// Profile prefixes that are denied explicitly, above every other policy on the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::denied_scopes")]
    pub denied_scopes: Option<Vec<String>>,
}

/// One thing that may be called: a model in scopes, a profile, or a model of your own.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::model()))]
pub struct ModelEntry {
    /// A foundation model's id without a profile prefix, or a family of them: one '*', at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::model_id")]
    pub model_id: Option<String>,
    /// What the application passes as model id: a system profile's id, or the ARN of a system or application profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::inference_profile")]
    pub inference_profile: Option<String>,
    /// The ARN of a provisioned model, an imported model or a custom model deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::model_arn")]
    pub model_arn: Option<String>,
    /// The scopes of this modelId, instead of routing.scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::scopes")]
    pub scopes: Option<Vec<String>>,
}

/// A guardrail that a call must name.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardrail {
    /// The guardrail's ARN, in one of the source Regions.
    #[schemars(schema_with = "schema::guardrail_arn")]
    pub arn: String,
    /// The guardrail's version: a number, or DRAFT.
    #[schemars(schema_with = "schema::guardrail_version")]
    pub version: String,
}

/// What the operator found and did.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct BedrockAccessStatus {
    /// The generation of the spec that this status is about; -1 until the operator has seen the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    pub observed_generation: Option<i64>,
    /// Ready is the summary; RoleAccepted, ProfilesResolved and PolicyInSync say where it stands. Reconciling, Stalled and Suspended exist only while true.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "readable")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The role of the manifest, and what IAM answered of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RoleStatus")]
    pub role: Option<RoleStatus>,
    /// The policies that the operator keeps on the role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub policies: Vec<PolicyStatus>,
    /// How many grants the policies hold.
    #[serde(default)]
    pub grant_count: i64,
    /// The grants, one per target and source Region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub grants: Vec<GrantStatus>,
    /// The first 100 combinations of model, scope and source Region that do not exist. They are no errors: the scope offers the model in another source Region, and another scope offers it here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub not_offered: Vec<NotOfferedStatus>,
    /// The last value of the annotation bedrockaccess.io/reconcile-at that was acted upon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub last_handled_reconcile_at: Option<String>,
    /// The last value of the annotation bedrockaccess.io/accept-shrink that was acted upon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub last_accepted_shrink: Option<String>,
}

/// The role as IAM answered.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleStatus {
    /// The role's name.
    pub name: String,
    /// The role's ARN, once the role consents.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arn: String,
    /// The role's unique id, once the role consents: a role that is deleted and created again gets another.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
}

/// One policy on the role.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStatus {
    /// The policy's name.
    pub name: String,
    /// The kind of policy: Inline.
    pub kind: String,
    /// The size that counts against the role's quota, in characters without white space.
    pub characters: i64,
    /// A digest of the meaning that was last written.
    pub digest: String,
}

/// One thing that the role may call from one source Region.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantStatus {
    /// What is granted: InferenceProfile, FoundationModel, ProvisionedModel, ImportedModel or CustomModelDeployment, which may be called; Discovery, CountTokens, StoredResponses or ApiKeys.
    pub kind: String,
    /// The target's id or ARN; '*' for Discovery, ShortTerm for ApiKeys.
    pub id: String,
    /// The Region from which it may be called; '*' for ApiKeys.
    pub source_region: String,
    /// The Regions to which Bedrock may route the call; '*' stands for every commercial Region. None where nothing is called.
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub destination_regions: Vec<String>,
}

/// A model that one scope does not offer in one source Region.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotOfferedStatus {
    /// The model's id, or the family.
    pub model_id: String,
    /// The scope.
    pub scope: String,
    /// The Region from which it may not be called in that scope.
    pub source_region: String,
}

/// The API server admits times that are none, such as `2026-01-01T00:00:00+99:99`: a condition that cannot be read is no reason
/// to give up the object, and is written anew.
fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Condition>, D::Error> {
    let conditions = Vec::<serde_json::Value>::deserialize(deserializer)?;
    Ok(conditions.into_iter().filter_map(|condition| serde_json::from_value(condition).ok()).collect())
}

/// The project of calls that name none.
pub const DEFAULT_PROJECT: &str = "default";

/// API keys that expire with a session of the role.
pub const SHORT_TERM: &str = "ShortTerm";

#[allow(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
fn default_projects() -> Option<Vec<String>> {
    Some(vec![DEFAULT_PROJECT.to_owned()])
}

fn enforce() -> String {
    "Enforce".to_owned()
}

fn delete() -> String {
    "Delete".to_owned()
}
