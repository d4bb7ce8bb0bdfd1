//! From the resource as Kubernetes stores it to what the core works with.
//!
//! The API server's rules reject most mistakes before; everything is checked again here, because an object may be older
//! than a rule.

mod models;
mod regions;
mod terms;

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use bedrock_iam::consent::{ConsentPolicy, Tenant};
use bedrock_iam::intent::AcceptedShrink;
use bedrock_iam::{
    Account, Claim, DriftPolicy, Finding, Intent, PolicyIdentity, Reason, Region, ResourceId, RoleArn,
    RoleName,
};
use jiff::SignedDuration;
use kube::ResourceExt;

use crate::annotations::ACCEPT_SHRINK;
use crate::v1alpha1::BedrockAccess;
use models::Wanted;

const LEAST_INTERVAL: Duration = Duration::from_mins(1);
const LONGEST_INTERVAL: Duration = Duration::from_hours(24);

/// What the operator, not the object, determines.
#[derive(Clone, Debug)]
pub struct OperatorSettings {
    /// The operator's account, in which every role lies.
    pub account: Account,
    /// The role whose credentials the operator has: it is never written to.
    pub own_role: Option<RoleName>,
    /// The cluster's id.
    pub cluster_id: String,
    /// The cluster id from which policies are moved to this one, if any.
    pub adopt_from: Option<String>,
    /// The source Regions that are served; all that this version knows if empty.
    pub regions: BTreeSet<Region>,
    /// How roles consent.
    pub consent: ConsentPolicy,
}

type Parsed<T> = Result<T, Finding>;

/// Reads the whole object.
pub fn intent(object: &BedrockAccess, settings: &OperatorSettings) -> Parsed<Intent> {
    let spec = &object.spec;
    let claim = claim(object, settings)?;
    let sources: Vec<Region> = list("spec.sourceRegions", &spec.source_regions)?;
    if sources.is_empty() {
        return invalid("spec.sourceRegions", "at least one Region is needed");
    }
    regions::served(&sources, settings)?;
    if !["Delete", "Retain"].contains(&spec.deletion_policy.as_str()) {
        let message = format!("{:?} is neither Delete nor Retain", spec.deletion_policy);
        return invalid("spec.deletionPolicy", message);
    }
    let (unknown_sources, unknown) = regions::unknown(&sources, settings);
    let Wanted { targets, families, refused } = models::wanted(object, &sources, &settings.account)?;
    let allowed_destination_regions = allowed_destination_regions(object)?;
    let terms = terms::terms(object, &sources, &settings.account)?;
    terms::within_lock(&terms, &sources, allowed_destination_regions.as_ref())?;
    Ok(Intent {
        claim,
        targets,
        families,
        unknown_sources,
        refused: [unknown, refused].concat(),
        terms,
        allowed_destination_regions,
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
pub fn claim(object: &BedrockAccess, settings: &OperatorSettings) -> Parsed<Claim> {
    let (role, role_arn) = match (&object.spec.role.name, &object.spec.role.arn) {
        (Some(name), None) => (field("spec.role.name", name)?, None),
        (None, Some(arn)) => {
            let arn: RoleArn = field("spec.role.arn", arn)?;
            (arn.name.clone(), Some(arn))
        }
        _ => return invalid("spec.role", "exactly one of name and arn must be set"),
    };
    own(&role, settings)?;
    let namespace = object.namespace().unwrap_or_default();
    let under = |cluster_id: &String, former| Claim {
        identity: PolicyIdentity::derive(cluster_id, &namespace, &object.name_any()),
        tenant: Tenant {
            cluster_id: cluster_id.clone(),
            namespace: namespace.clone(),
            policy: settings.consent,
        },
        account: settings.account.clone(),
        role: role.clone(),
        role_arn: role_arn.clone(),
        former,
    };
    let former = settings.adopt_from.as_ref().map(|former| Box::new(under(former, None)));
    Ok(under(&settings.cluster_id, former))
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

/// What the annotation [`ACCEPT_SHRINK`] accepts, unless it was handled already. One that cannot be read
/// accepts nothing: the condition goes on to show the exact value.
fn accepted_shrink(object: &BedrockAccess) -> Option<AcceptedShrink> {
    let value = object.annotations().get(ACCEPT_SHRINK)?;
    let handled = object.status.as_ref().and_then(|status| status.last_accepted_shrink.as_ref());
    if handled == Some(value) {
        return None;
    }
    acceptance(value)
}

/// Whether the value of [`ACCEPT_SHRINK`] can be read.
pub fn is_acceptance(value: &str) -> bool {
    acceptance(value).is_some()
}

fn acceptance(value: &str) -> Option<AcceptedShrink> {
    let named = value.split_once('#').map_or(value, |(named, _)| named);
    let (profile, source) = match named.split_once('@') {
        Some((profile, source)) => (profile, Some(source.parse().ok()?)),
        None => (named, None),
    };
    let profile: ResourceId = profile.parse().ok()?;
    Some(AcceptedShrink { profile: profile.to_string(), source })
}

/// A role that could extend its own rights would escape whoever granted them. IAM tells names apart without regard to case.
fn own(role: &RoleName, settings: &OperatorSettings) -> Parsed<()> {
    match &settings.own_role {
        Some(own) if own.as_str().eq_ignore_ascii_case(role.as_str()) => {
            let message =
                format!("role {role} is the operator's own, which it never changes: choose another role");
            Err(Finding::new(Reason::RoleProtected, message))
        }
        Some(_) | None => Ok(()),
    }
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
