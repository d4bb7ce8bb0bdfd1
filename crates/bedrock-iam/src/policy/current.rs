//! Which grants a policy of ours still holds, read back from its statements.
//!
//! A profile that Bedrock suddenly does not answer for keeps the grant that it had. What it had is read from the policy on
//! the role, never from a status.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::bedrock::target::Target;
use crate::iam::document::{Document, Effect, Statement};
use crate::iam::observed::PolicyState;
use crate::iam::provenance::Provenance;
use crate::names::arn::{FoundationModelArn, GuardrailArn, InferenceProfileArn, OwnModelArn};
use crate::policy::extra::Extra;
use crate::policy::grant::Grant;
use crate::policy::write::{self, INFERENCE_PROFILE_ARN, STRING_EQUALS};

/// The grants that stand in our policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CurrentGrants {
    profiles: BTreeMap<InferenceProfileArn, BTreeSet<FoundationModelArn>>,
    on_demand: BTreeSet<FoundationModelArn>,
    own_models: BTreeSet<OwnModelArn>,
    guardrails: BTreeSet<GuardrailArn>,
    extras: BTreeSet<Extra>,
    edited: bool,
}

impl CurrentGrants {
    /// Reads our statements on the role, whoever changed them.
    pub fn in_policy(policy: &PolicyState) -> Self {
        policy.document().map(Self::of).unwrap_or_default()
    }

    /// Reads our statements on the role. A status which someone forged can keep a grant, and never take one away.
    pub(crate) fn read(policy: &PolicyState, provenance: Provenance) -> Self {
        Self { edited: provenance == Provenance::Edited, ..Self::in_policy(policy) }
    }

    /// What stood there before someone edited it, where that is remembered; an edit by itself takes no grant away.
    #[must_use]
    pub(crate) fn or_remembered(self, written: Option<&Document>) -> Self {
        written.filter(|_| self.edited).map_or(self, Self::of)
    }

    /// Reads a document by its statements: profile ARNs that may be invoked, with the models that their condition opens.
    pub fn of(document: &Document) -> Self {
        let mut held = Self { extras: Extra::in_document(document), ..Self::default() };
        let granting = || document.statement.iter().filter(|statement| statement.effect == Effect::Allow);
        for profile in granting().flat_map(arns) {
            held.profiles.entry(profile).or_default();
        }
        held.own_models.extend(granting().flat_map(arns::<OwnModelArn>));
        held.guardrails.extend(granting().flat_map(arns::<GuardrailArn>));
        for statement in granting() {
            let models = write::models(statement);
            for profile in statement
                .values(STRING_EQUALS, INFERENCE_PROFILE_ARN)
                .iter()
                .filter_map(|value| value.parse().ok())
            {
                if let Some(routes) = held.profiles.get_mut(&profile) {
                    routes.extend(models.iter().cloned());
                }
            }
            if write::is_on_demand(statement) {
                held.on_demand.extend(models);
            }
        }
        held
    }

    /// The models that the profile's grant holds; empty if there is none.
    pub fn models(&self, profile: &InferenceProfileArn) -> BTreeSet<FoundationModelArn> {
        self.profiles.get(profile).cloned().unwrap_or_default()
    }

    /// Whether the model is granted on demand.
    pub fn on_demand(&self, model: &FoundationModelArn) -> bool {
        self.on_demand.contains(model)
    }

    /// Whether the account's own model is granted.
    pub fn own_model(&self, model: &OwnModelArn) -> bool {
        self.own_models.contains(model)
    }

    /// The guardrails that may be applied.
    pub fn guardrails(&self) -> &BTreeSet<GuardrailArn> {
        &self.guardrails
    }

    /// What may be done beside calling.
    pub fn extras(&self) -> &BTreeSet<Extra> {
        &self.extras
    }

    /// Whether a response may be stored in any Region at all, as that of a global route is, and read only where it was stored.
    pub fn stores_responses_anywhere(&self) -> bool {
        let stores = self.extras.iter().any(|extra| matches!(extra, Extra::StoredResponses { .. }));
        stores && self.profiles.values().flatten().any(|model| model.region.is_none())
    }

    /// How many grants and extras there are.
    pub fn count(&self) -> usize {
        let Self { profiles, on_demand, own_models, extras, .. } = self;
        profiles.len() + on_demand.len() + own_models.len() + extras.len()
    }

    /// The grants, by source Region and id.
    pub fn grants(&self) -> Vec<Grant> {
        let profiles = self
            .profiles
            .iter()
            .map(|(arn, models)| Grant::Profile { arn: arn.clone(), models: models.clone() });
        let on_demand = self.on_demand.iter().map(|model| Grant::OnDemand { model: model.clone() });
        let own_models = self.own_models.iter().map(|arn| Grant::OwnModel { arn: arn.clone() });
        profiles.chain(on_demand).chain(own_models).collect()
    }

    /// What the grants are for.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        self.grants().into_iter().filter_map(|grant| grant.target())
    }

    /// Whether someone edited the policy since we last wrote it, so that Bedrock may never have answered what it holds.
    pub fn is_edited(&self) -> bool {
        self.edited
    }
}

fn arns<T: FromStr>(statement: &Statement) -> impl Iterator<Item = T> {
    statement.resource.iter().filter_map(|resource| resource.parse().ok())
}
