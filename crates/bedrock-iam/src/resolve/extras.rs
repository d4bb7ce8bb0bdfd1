//! What may be granted beside the grants: from what is wanted and what is held to what is written.

use crate::names::identifier::Region;
use crate::policy::current::CurrentGrants;
use crate::policy::extra::Extra;
use crate::policy::grant::Grant;
use crate::want::extras::Extras;
use crate::want::intent::Intent;

/// Where nothing may be called, nothing else is granted either; what the policy holds already stays, since one typo, or a moment
/// without an answer, must not take it away.
pub(super) fn extras(intent: &Intent, held: &CurrentGrants, grants: &[Grant]) -> Extras {
    let called: Vec<Region> =
        grants.iter().filter_map(Grant::target).map(|target| target.source().clone()).collect();
    let may_be_granted =
        |source: &Region| called.contains(source) || (!called.is_empty() && intent.knows(source));
    let discovers = |region: &Region| {
        held.extras().iter().any(|extra| matches!(extra, Extra::Discovery { source, .. } if source == region))
    };
    let mut extras = intent.terms.extras.clone();
    extras.discovery.retain(|source| may_be_granted(source) || discovers(source));
    let stores = |project| held.extras().contains(&Extra::StoredResponses { project });
    extras.stored_responses.retain(|project| may_be_granted(&project.region) || stores(project.clone()));
    extras.api_keys &= !called.is_empty() || held.extras().contains(&Extra::ApiKeys);
    extras
}
