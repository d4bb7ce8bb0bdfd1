use bedrock_access_api::v1alpha1::{
    BedrockAccess, BedrockAccessStatus, GrantStatus, NotOfferedStatus, PolicyStatus, SHORT_TERM,
};
use bedrock_iam::decide::Outcome;
use bedrock_iam::grant::destination;
use bedrock_iam::resolve::offers::Offer;
use bedrock_iam::{
    Claim, CurrentGrants, Decision, Digest, Document, Extra, Grant, OwnModelKind, PolicyIdentity,
    PolicyState, Profile, Written,
};

/// The destinations of a global profile: any commercial Region. What is bound to no source Region has it in its place.
const ANYWHERE: &str = "*";

/// What the status says that we last wrote.
pub(in crate::reconcile) fn written(object: &BedrockAccess, claim: &Claim) -> Option<Written> {
    let status = object.status.as_ref()?;
    let (role, policy) = (status.role.as_ref()?, stored_policy(status, &claim.identity)?);
    Some(Written { role: role.id.clone(), digest: Digest::stored(&policy.digest) })
}

pub(super) fn set_policy(
    status: &mut BedrockAccessStatus,
    claim: &Claim,
    decision: &Decision,
    outcome: &Outcome,
) {
    let reference = claim.policy();
    let policy = outcome.policy(&reference);
    if matches!(policy, PolicyState::Fault(_)) {
        return;
    }
    // Whoever wrote them: a person wants to know what stands there.
    let whole = policy.whole();
    let held = whole.as_ref().map(CurrentGrants::of).unwrap_or_default();
    status.grants = held.grants().iter().map(grant).chain(held.extras().iter().map(extra)).collect();
    status.grant_count = i64::try_from(held.count()).unwrap_or(i64::MAX);

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

fn extra(extra: &Extra) -> GrantStatus {
    let (kind, id, source_region, destination_regions) = match extra {
        Extra::Discovery { source, .. } => ("Discovery", "*".to_owned(), source.to_string(), Vec::new()),
        Extra::StoredResponses { project } => {
            ("StoredResponses", project.to_string(), project.region.to_string(), Vec::new())
        }
        Extra::ApiKeys => ("ApiKeys", SHORT_TERM.to_owned(), ANYWHERE.to_owned(), Vec::new()),
        Extra::CountTokens { model } => {
            let region = destination(model);
            ("CountTokens", model.model.to_string(), region.clone(), vec![region])
        }
    };
    GrantStatus { kind: kind.to_owned(), id, source_region, destination_regions }
}

fn own_model(kind: OwnModelKind) -> &'static str {
    match kind {
        OwnModelKind::ProvisionedModel => "ProvisionedModel",
        OwnModelKind::ImportedModel => "ImportedModel",
        OwnModelKind::CustomModelDeployment => "CustomModelDeployment",
    }
}

pub(super) fn not_offered(offer: &Offer) -> NotOfferedStatus {
    NotOfferedStatus {
        model_id: offer.model.clone(),
        scope: offer.scope.clone(),
        source_region: offer.source.to_string(),
    }
}
