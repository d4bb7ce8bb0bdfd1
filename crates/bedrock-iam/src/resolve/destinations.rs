//! Which destinations the manifest itself forbids: the lock (`routing.allowedDestinationRegions`) and the denied scopes.

use std::collections::BTreeSet;

use super::judge::Judge;
use super::profile::place;
use crate::names::arn::{FoundationModelArn, InferenceProfileArn};
use crate::names::identifier::Region;
use crate::policy::grant::destination;
use crate::policy::write;
use crate::say::finding::Finding;
use crate::say::reason::Reason;

impl Judge<'_> {
    /// Whether neither the lock nor a denied scope stands against the route.
    pub(super) fn is_permitted(&self, models: &BTreeSet<FoundationModelArn>) -> bool {
        self.beyond_lock(models).is_empty() && !self.is_denied(models)
    }

    /// The destinations outside the lock; the region-less ARN may run anywhere and so lies outside every lock.
    pub(super) fn beyond_lock(&self, models: &BTreeSet<FoundationModelArn>) -> Vec<String> {
        let within = |model: &FoundationModelArn| match &model.region {
            Some(region) => !self.is_locked_out(region),
            None => self.intent.allowed_destination_regions.is_none(),
        };
        models.iter().filter(|model| !within(model)).map(destination).collect()
    }

    pub(super) fn is_locked_out(&self, region: &Region) -> bool {
        self.intent.allowed_destination_regions.as_ref().is_some_and(|allowed| !allowed.contains(region))
    }

    /// Why a route is not permitted, by the lock or by a denied scope.
    pub(super) fn not_permitted(
        &self,
        arn: &InferenceProfileArn,
        answered: &BTreeSet<FoundationModelArn>,
    ) -> Option<String> {
        let place = place(arn);
        let beyond = self.beyond_lock(answered);
        if !beyond.is_empty() && answered.iter().any(|model| model.region.is_none()) {
            return Some(format!(
                "{place} may route to any commercial Region, so no routing.allowedDestinationRegions allows it; remove the \
                 profile or the lock"
            ));
        }
        if !beyond.is_empty() {
            return Some(format!(
                "{place} may route to {}, which routing.allowedDestinationRegions does not list; \
                 allow the destination or remove the profile",
                beyond.join(", ")
            ));
        }
        self.is_denied(answered).then(|| {
            format!("{place} routes globally, which routing.deniedScopes denies; take one of the two out")
        })
    }

    /// Whether the policy's own Deny would stop the route; a global one is denied by its Region, whatever the profile.
    pub(super) fn is_denied(&self, models: &BTreeSet<FoundationModelArn>) -> bool {
        write::denies_global(&self.intent.terms) && models.iter().any(|model| model.region.is_none())
    }
}

/// Why a model of one Region is not permitted.
pub(super) fn locked_out(place: &str, region: &Region) -> Finding {
    let message = format!(
        "{place} runs in {region}, which routing.allowedDestinationRegions does not list; allow it or remove the model"
    );
    Finding::new(Reason::DestinationNotAllowed, message)
}
