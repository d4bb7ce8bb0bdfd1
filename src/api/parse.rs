//! From the resource as Kubernetes stores it to what the core works with.
//!
//! The API server's rules reject most mistakes before; everything is checked again here, because an object may be older
//! than a rule.

mod models;
mod terms;

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use bedrock_iam::consent::{Applicant, Policy as ConsentPolicy};
use bedrock_iam::intent::AcceptedShrink;
use bedrock_iam::{
    Account, Claim, DriftPolicy, Finding, Intent, PolicyIdentity, Reason, Region, ResourceId, RoleArn,
};
use jiff::SignedDuration;
use kube::ResourceExt;

use super::v1alpha1::BedrockAccess;
use models::Wanted;

/// Any new value asks for a reconcile that believes no cache.
pub const RECONCILE_AT: &str = "bedrockaccess.io/reconcile-at";

/// `PROFILE[@REGION]`: the profile's shorter answer is right.
pub const ACCEPT_SHRINK: &str = "bedrockaccess.io/accept-shrink";

/// `true` lets an object go whose policy cannot be removed.
pub const LEAVE_POLICY: &str = "bedrockaccess.io/leave-policy";

/// Every annotation that the operator reads.
pub const ANNOTATIONS: [&str; 3] = [RECONCILE_AT, ACCEPT_SHRINK, LEAVE_POLICY];

/// Before the name of every annotation of the operator.
pub const ANNOTATION_PREFIX: &str = "bedrockaccess.io/";

const LEAST_INTERVAL: Duration = Duration::from_mins(1);
const LONGEST_INTERVAL: Duration = Duration::from_hours(24);

/// What the operator, not the object, determines.
#[derive(Clone, Debug)]
pub struct Realm {
    /// The operator's account, in which every role lies.
    pub account: Account,
    /// The cluster's id.
    pub cluster_id: String,
    /// The source Regions that are served; all if empty.
    pub regions: BTreeSet<Region>,
    /// How roles consent.
    pub consent: ConsentPolicy,
}

type Parsed<T> = Result<T, Finding>;

/// Reads the whole object.
pub fn intent(object: &BedrockAccess, realm: &Realm) -> Parsed<Intent> {
    let spec = &object.spec;
    let claim = claim(object, realm)?;
    let sources: Vec<Region> = list("spec.sourceRegions", &spec.source_regions)?;
    if sources.is_empty() {
        return invalid("spec.sourceRegions", "at least one Region is needed");
    }
    served(&sources, realm)?;
    if !["Delete", "Retain"].contains(&spec.deletion_policy.as_str()) {
        let message = format!("{:?} is neither Delete nor Retain", spec.deletion_policy);
        return invalid("spec.deletionPolicy", message);
    }
    let Wanted { targets, families, refused } = models::wanted(object, &sources, &realm.account)?;
    Ok(Intent {
        claim,
        targets,
        families,
        refused,
        terms: terms::terms(object, &sources, &realm.account)?,
        allowed_destination_regions: allowed_destination_regions(object)?,
        drift_policy: match spec.drift_policy.as_str() {
            "Enforce" => DriftPolicy::Enforce,
            "Report" => DriftPolicy::Report,
            other => {
                return invalid("spec.driftPolicy", format!("{other:?} is neither Enforce nor Report"));
            }
        },
        accepted_shrink: accepted_shrink(object),
    })
}

/// Reads only the role, which is enough to know our policy and to take it away.
pub fn claim(object: &BedrockAccess, realm: &Realm) -> Parsed<Claim> {
    let (role, role_arn) = match (&object.spec.role.name, &object.spec.role.arn) {
        (Some(name), None) => (field("spec.role.name", name)?, None),
        (None, Some(arn)) => {
            let arn: RoleArn = field("spec.role.arn", arn)?;
            (arn.name.clone(), Some(arn))
        }
        _ => return invalid("spec.role", "exactly one of name and arn must be set"),
    };
    let namespace = object.namespace().unwrap_or_default();
    let identity = PolicyIdentity::derive(&realm.cluster_id, &namespace, &object.name_any());
    let applicant = Applicant { cluster_id: realm.cluster_id.clone(), namespace, policy: realm.consent };
    Ok(Claim { identity, applicant, role, role_arn })
}

/// The object's own interval, if it has one.
pub fn interval(object: &BedrockAccess) -> Parsed<Option<Duration>> {
    let Some(text) = &object.spec.interval else {
        return Ok(None);
    };
    let interval = text.parse::<SignedDuration>().ok().and_then(|interval| Duration::try_from(interval).ok());
    match interval {
        Some(interval) if interval < LEAST_INTERVAL => {
            invalid("spec.interval", format!("{text} is less than 1m"))
        }
        Some(interval) if interval > LONGEST_INTERVAL => {
            invalid("spec.interval", format!("{text} is more than 24h"))
        }
        Some(interval) => Ok(Some(interval)),
        None => invalid("spec.interval", format!("{text:?} is not a duration such as 10m or 1h30m")),
    }
}

/// What the annotation `bedrockaccess.io/accept-shrink` accepts, unless it was handled already. One that cannot be read
/// accepts nothing: the condition goes on to show the exact value.
fn accepted_shrink(object: &BedrockAccess) -> Option<AcceptedShrink> {
    let value = object.annotations().get(ACCEPT_SHRINK)?;
    let handled = object.status.as_ref().and_then(|status| status.last_accepted_shrink.as_ref());
    if handled == Some(value) {
        return None;
    }
    let named = value.split_once('#').map_or(value.as_str(), |(named, _)| named);
    let (profile, source) = match named.split_once('@') {
        Some((profile, source)) => (profile, Some(source.parse().ok()?)),
        None => (named, None),
    };
    let profile: ResourceId = profile.parse().ok()?;
    Some(AcceptedShrink { profile: profile.to_string(), source })
}

fn served(sources: &[Region], realm: &Realm) -> Parsed<()> {
    if realm.regions.is_empty() {
        return Ok(());
    }
    let Some(region) = sources.iter().find(|region| !realm.regions.contains(region)) else {
        return Ok(());
    };
    let served: Vec<&str> = realm.regions.iter().map(Region::as_str).collect();
    let message = format!(
        "spec.sourceRegions: this operator does not serve {region}; it serves {} (--regions)",
        served.join(", ")
    );
    Err(Finding::new(Reason::NotSupported, message))
}

fn allowed_destination_regions(object: &BedrockAccess) -> Parsed<Option<BTreeSet<Region>>> {
    let regions =
        object.spec.routing.as_ref().and_then(|routing| routing.allowed_destination_regions.as_ref());
    let place = "spec.routing.allowedDestinationRegions";
    if regions.is_some_and(Vec::is_empty) {
        return invalid(place, "at least one Region is needed, or none of the field");
    }
    regions
        .map(|regions| list(place, regions))
        .transpose()
        .map(|regions| regions.map(|regions| regions.into_iter().collect()))
}

fn list<T: FromStr<Err: ToString>>(place: &str, values: &[String]) -> Parsed<Vec<T>> {
    let items = values.iter().enumerate();
    items.map(|(index, value)| field(&format!("{place}[{index}]"), value)).collect()
}

fn field<T: FromStr<Err: ToString>>(place: &str, value: &str) -> Parsed<T> {
    value.parse().map_err(|error: T::Err| problem(place, &error.to_string()))
}

fn invalid<T>(place: &str, message: impl Into<String>) -> Parsed<T> {
    Err(problem(place, &message.into()))
}

fn problem(place: &str, message: &str) -> Finding {
    Finding::new(Reason::InvalidSpec, format!("{place}: {message}"))
}

#[cfg(test)]
mod tests;
