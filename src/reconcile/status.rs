use std::fmt::Display;

use bedrock_access_api::annotations::{self, ACCEPT_SHRINK, LEAVE_POLICY, RECONCILE_AT};
use bedrock_access_api::parse;
use bedrock_access_api::v1alpha1::{
    BedrockAccess, BedrockAccessStatus, GrantStatus, NotOfferedStatus, PolicyStatus, RoleStatus,
};
use bedrock_iam::consent::Consent;
use bedrock_iam::decide::Outcome;
use bedrock_iam::grant::destination;
use bedrock_iam::policy::INLINE_QUOTA;
use bedrock_iam::resolve::offers::Offer;
use bedrock_iam::verdict::{self, Condition as Verdicts, Praise, Verdict};
use bedrock_iam::{
    Claim, Decision, Digest, Document, Finding, Grant, Held, Intent, OwnModelKind, PolicyIdentity,
    PolicyState, Profile, Reason, RoleState, Wish, Written,
};
use jiff::{Timestamp, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::ResourceExt;

use super::{Context, outage};

/// So many ignored annotations are told.
const MOST_REMARKS: usize = 3;

/// So many of a list stand in a message.
const MOST_LISTED: usize = 4;

/// The destinations of a global profile: any commercial Region.
const ANYWHERE: &str = "*";

/// A status, and when to look again.
pub(super) struct Told {
    pub(super) status: BedrockAccessStatus,
    pub(super) next: verdict::Next,
    /// Of everything that stands against the object.
    pub(super) reasons: Vec<Reason>,
}

impl Told {
    /// The acceptance of a shrink that is acted upon, as the object's annotation says it.
    pub(super) fn accepted_shrink<'a>(&self, object: &'a BedrockAccess) -> Option<&'a str> {
        let accepted = object.annotations().get(ACCEPT_SHRINK)?;
        (self.status.last_accepted_shrink.as_ref() == Some(accepted)).then_some(accepted)
    }
}

/// What the status says that we last wrote.
pub(super) fn written(object: &BedrockAccess, claim: &Claim) -> Option<Written> {
    let status = object.status.as_ref()?;
    let (role, policy) = (status.role.as_ref()?, stored_policy(status, &claim.identity)?);
    Some(Written { role: role.id.clone(), digest: Digest::stored(&policy.digest) })
}

/// The status that a decision and its outcome come to.
pub(super) fn of(
    object: &BedrockAccess,
    cx: &Context,
    wish: &Wish,
    decision: &Decision,
    outcome: &Outcome,
) -> Told {
    match wish {
        Wish::InStep(intent) => kept(object, cx, intent, decision, outcome),
        Wish::AsIs(claim, None) => suspended(object, claim, decision, outcome),
        Wish::AsIs(claim, Some(_)) | Wish::Gone(claim) | Wish::Retained(claim) => {
            refused(object, claim, decision, outcome)
        }
    }
}

/// The status of an object that is kept in step.
fn kept(
    object: &BedrockAccess,
    cx: &Context,
    intent: &Intent,
    decision: &Decision,
    outcome: &Outcome,
) -> Told {
    let plan = &decision.plan;
    let mut status = handled(object);
    let verdict = verdict::verdict(&outcome.findings, praise(intent, decision, outcome));
    let verdict = outage::outlast(object, cx.stale_after, outcome, verdict);
    set_conditions(object, &mut status, &verdict);
    status.not_offered = plan.not_offered.iter().map(not_offered).collect();
    set_role(&mut status, &intent.claim, &decision.believed.role);
    set_policy(&mut status, &intent.claim, decision, outcome);
    if plan.settles_acceptance && outcome.applied.failed.is_none() {
        status.last_accepted_shrink = object.annotations().get(ACCEPT_SHRINK).cloned();
    }
    Told { status, next: verdict.next, reasons: reasons(&outcome.findings) }
}

/// The status of an object with which nothing can be begun, for the one reason given.
pub(super) fn blocked(object: &BedrockAccess, finding: Finding) -> Told {
    against(object, &[finding])
}

/// The status of an object for which nothing could be done: whatever is on the role stays, unless consent was withdrawn.
fn refused(object: &BedrockAccess, claim: &Claim, decision: &Decision, outcome: &Outcome) -> Told {
    let mut told = against(object, &outcome.findings);
    set_role(&mut told.status, claim, &decision.believed.role);
    set_policy(&mut told.status, claim, decision, outcome);
    told
}

/// The status of a suspended object: `Ready` stays as it was, unless consent was withdrawn.
fn suspended(object: &BedrockAccess, claim: &Claim, decision: &Decision, outcome: &Outcome) -> Told {
    let mut told = if outcome.findings.is_empty() {
        let (status, next) = (handled(object), verdict::Next::AtInterval);
        let mut told = Told { status, next, reasons: Vec::new() };
        set_role(&mut told.status, claim, &decision.believed.role);
        set_policy(&mut told.status, claim, decision, outcome);
        told
    } else {
        refused(object, claim, decision, outcome)
    };
    let held = match outcome.policy(&claim.policy()) {
        PolicyState::Fault(_) => None,
        _ => usize::try_from(told.status.grant_count).ok(),
    };
    let suspended = verdict::suspended();
    let conditions = &mut told.status.conditions;
    conditions.retain(|condition| condition.type_ != suspended.kind);
    if outcome.findings.is_empty() {
        conditions.retain(|condition| condition.type_ != verdict::RECONCILING);
    }
    match conditions.iter().find(|condition| condition.type_ == verdict::READY) {
        None => conditions.push(condition(object, &verdict::unknown_while_suspended(held))),
        Some(ready) if outcome.findings.is_empty() && is_overtaken(object, ready) => {
            conditions.push(condition(object, &verdict::not_followed_while_suspended()));
        }
        Some(_) => {}
    }
    conditions.push(condition(object, &suspended));
    told
}

/// Whether the spec changed since it was last followed. Suspending is one change of it by itself.
fn is_overtaken(object: &BedrockAccess, ready: &Condition) -> bool {
    let followed = ready.observed_generation.unwrap_or_default();
    object.metadata.generation.is_some_and(|generation| generation > followed + 1)
}

/// The old status with only what stands against the object.
fn against(object: &BedrockAccess, findings: &[Finding]) -> Told {
    let verdict = verdict::refusal(findings);
    let mut status = handled(object);
    set_conditions(object, &mut status, &verdict);
    Told { status, next: verdict.next, reasons: reasons(findings) }
}

/// The old status, marked as seen.
fn handled(object: &BedrockAccess) -> BedrockAccessStatus {
    let mut status = object.status.clone().unwrap_or_default();
    // Another writer's conditions are not ours to carry.
    status.conditions.retain(|condition| verdict::KINDS.contains(&condition.type_.as_str()));
    status.observed_generation = object.metadata.generation;
    status.last_handled_reconcile_at = object.annotations().get(RECONCILE_AT).cloned();
    status
}

fn set_conditions(object: &BedrockAccess, status: &mut BedrockAccessStatus, verdict: &Verdict) {
    status.conditions = verdict.conditions.iter().map(|verdict| condition(object, verdict)).collect();
    let remarks = remarks(object);
    if let Some(ready) = status.conditions.iter_mut().find(|condition| condition.type_ == verdict::READY)
        && !remarks.is_empty()
    {
        ready.message = format!("{}; ignored: {remarks}", ready.message);
    }
}

/// Annotations that look like ours and say nothing to the operator: a person who misspelt one would wait for ever.
fn remarks(object: &BedrockAccess) -> String {
    let remark = |(key, value): (&String, &String)| match key.as_str() {
        LEAVE_POLICY if value != "true" => {
            Some(format!("annotation {key}, which means something as \"true\" alone"))
        }
        ACCEPT_SHRINK if !parse::is_acceptance(value) => {
            Some(format!("annotation {key}, which is not shaped like PROFILE[@REGION][#N]"))
        }
        other if other.starts_with(annotations::PREFIX) && !annotations::ALL.contains(&other) => {
            Some(format!("annotation {key}, which is none of {}", annotations::ALL.join(", ")))
        }
        _ => None,
    };
    let remarks: Vec<String> = object.annotations().iter().filter_map(remark).take(MOST_REMARKS).collect();
    remarks.join("; ")
}

/// The condition as Kubernetes stores it; its time changes only when its status flips.
fn condition(object: &BedrockAccess, verdict: &Verdicts) -> Condition {
    let old = object.status.iter().flat_map(|status| &status.conditions);
    let unchanged = old
        .filter(|old| old.type_ == verdict.kind && old.status == verdict.status.as_str())
        .map(|old| old.last_transition_time.clone())
        .next();
    Condition {
        type_: verdict.kind.to_owned(),
        status: verdict.status.as_str().to_owned(),
        reason: verdict.reason.to_owned(),
        message: verdict.message.clone(),
        observed_generation: object.metadata.generation,
        last_transition_time: unchanged.unwrap_or_else(now),
    }
}

/// In whole seconds, so that it equals what is read back.
fn now() -> Time {
    let now = Timestamp::now();
    Time(now.round(Unit::Second).unwrap_or(now))
}

/// Whoever has no consent learns nothing of the role but the name that the manifest gave.
fn set_role(status: &mut BedrockAccessStatus, claim: &Claim, role: &RoleState) {
    match role {
        RoleState::Found(role) if claim.applicant.consent(&role.tags) == Consent::Given => {
            status.role = Some(RoleStatus {
                name: claim.role.to_string(),
                arn: role.arn.to_string(),
                id: role.id.clone(),
            });
        }
        RoleState::Found(_) | RoleState::Missing => {
            status.role = Some(RoleStatus { name: claim.role.to_string(), ..RoleStatus::default() });
        }
        RoleState::Fault(_) => {
            let name = claim.role.to_string();
            status.role.get_or_insert_with(|| RoleStatus { name, ..RoleStatus::default() });
        }
    }
}

fn set_policy(status: &mut BedrockAccessStatus, claim: &Claim, decision: &Decision, outcome: &Outcome) {
    let reference = claim.policy();
    let policy = outcome.policy(&reference);
    if matches!(policy, PolicyState::Fault(_)) {
        return;
    }
    // Whoever wrote them: a person wants to know what stands there.
    let whole = policy.whole();
    let grants = whole.as_ref().map(|whole| Held::of(whole).grants()).unwrap_or_default();
    status.grants = grants.iter().map(grant).collect();
    status.grant_count = i64::try_from(grants.len()).unwrap_or(i64::MAX);

    let reported = stored_policy(status, &claim.identity).map(|policy| policy.digest.as_str());
    let digest = outcome.digest(&reference, &decision.plan, &decision.believed.role, reported);
    let characters = whole.as_ref().map_or(0, Document::characters);
    status.policies = digest
        .into_iter()
        .map(|digest| PolicyStatus {
            name: reference.name.clone(),
            kind: reference.kind.as_str().to_owned(),
            characters: i64::try_from(characters).unwrap_or(i64::MAX),
            digest,
        })
        .collect();
}

fn reasons(findings: &[Finding]) -> Vec<Reason> {
    findings.iter().map(|finding| finding.reason).collect()
}

fn stored_policy<'a>(status: &'a BedrockAccessStatus, identity: &PolicyIdentity) -> Option<&'a PolicyStatus> {
    status.policies.iter().find(|policy| policy.name == identity.policy_name())
}

fn grant(grant: &Grant) -> GrantStatus {
    match grant {
        Grant::Profile { arn, models } => {
            let anywhere = models.iter().any(|model| model.region.is_none());
            let destinations: Vec<String> = models.iter().map(destination).collect();
            let id = match &arn.profile {
                Profile::System(id) => id.to_string(),
                Profile::Application(_) => arn.to_string(),
            };
            GrantStatus {
                kind: "InferenceProfile".to_owned(),
                id,
                source_region: arn.region.to_string(),
                destination_regions: if anywhere { vec![ANYWHERE.to_owned()] } else { destinations },
            }
        }
        Grant::OnDemand { model } => GrantStatus {
            kind: "FoundationModel".to_owned(),
            id: model.model.to_string(),
            source_region: destination(model),
            destination_regions: vec![destination(model)],
        },
        Grant::OwnModel { arn } => GrantStatus {
            kind: own_model(arn.kind).to_owned(),
            id: arn.to_string(),
            source_region: arn.region.to_string(),
            destination_regions: vec![arn.region.to_string()],
        },
    }
}

fn own_model(kind: OwnModelKind) -> &'static str {
    match kind {
        OwnModelKind::ProvisionedModel => "ProvisionedModel",
        OwnModelKind::ImportedModel => "ImportedModel",
        OwnModelKind::CustomModelDeployment => "CustomModelDeployment",
    }
}

/// The first few of something, if there is any.
fn listed<T: Display>(what: &str, items: impl ExactSizeIterator<Item = T>) -> String {
    if items.len() == 0 {
        return String::new();
    }
    let more = items.len().saturating_sub(MOST_LISTED);
    let shown: Vec<String> = items.take(MOST_LISTED).map(|item| item.to_string()).collect();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{what}: {}{more}", shown.join(", "))
}

fn not_offered(offer: &Offer) -> NotOfferedStatus {
    NotOfferedStatus {
        model_id: offer.model.clone(),
        scope: offer.scope.clone(),
        source_region: offer.source.to_string(),
    }
}

pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

fn praise(intent: &Intent, decision: &Decision, outcome: &Outcome) -> Praise {
    let claim = &intent.claim;
    let arn = match &decision.believed.role {
        RoleState::Found(role) => role.arn.to_string(),
        RoleState::Missing | RoleState::Fault(_) => claim.role.to_string(),
    };
    let policy = match outcome.policy(&claim.policy()).document() {
        Some(document) => format!(
            "policy {} on role {} holds exactly {} ({} of {INLINE_QUOTA} characters)",
            claim.identity.policy_name(),
            claim.role,
            counted(Held::of(document).grants().len(), "grant"),
            document.characters()
        ),
        None => format!("nothing to grant: the operator keeps no policy on role {}", claim.role),
    };
    Praise {
        role: format!("role {arn} lets namespace {} use it", claim.applicant.namespace),
        profiles: format!(
            "Bedrock answered for every model in every source Region{}{}",
            listed("; not offered, and not needed", decision.plan.not_offered.iter()),
            listed(
                "; the owner of each of these guardrails has to let the role apply it",
                intent.terms.others_guardrails(&claim.account).into_iter()
            )
        ),
        policy,
    }
}
