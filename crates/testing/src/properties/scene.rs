//! A manifest, Bedrock's answers and a role as lines of fields between tabs, so that the fuzzer's seeds can be read.

use bedrock_iam::answer::Answer;
use bedrock_iam::consent::TAG;
use bedrock_iam::document::Effect;
use bedrock_iam::intent::AcceptedShrink;
use bedrock_iam::{
    Answers, CanonicalPolicy, Class, CurrentGrants, DefaultProjectArn, Digest, Extra, Family, Fault,
    Guardrail, Intent, Observed, Operations, OwnModelKind, PolicyState, Target, Terms,
};

use crate::world::{claim, intent, on, role};

/// Everything that `resolve` and `plan` work with.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) intent: Intent,
    pub(crate) answers: Answers,
    pub(crate) observed: Observed,
    pub(crate) last_written: Option<Digest>,
}

impl Scene {
    /// Lines that say nothing known, or name something malformed where only well-formed names can come, are passed over.
    pub(crate) fn read(text: &str) -> Self {
        let mut scene = Self::empty();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let _ = scene.take(&fields);
        }
        scene
    }

    /// Whether the policy on the role denies this resource already.
    pub(crate) fn denied_before(&self, resource: &String) -> bool {
        let held = self
            .observed
            .policy(&self.intent.claim.policy())
            .document()
            .into_iter()
            .flat_map(|held| &held.statement);
        held.filter(|statement| statement.effect == Effect::Deny)
            .any(|statement| statement.resource.contains(resource))
    }

    /// Whether the policy on the role lets it ask in this Region already what there is.
    pub(crate) fn held_before(&self, region: &str) -> bool {
        let is_there =
            |extra: &Extra| matches!(extra, Extra::Discovery { source, .. } if source.as_str() == region);
        self.held().extras().iter().any(is_there)
    }

    /// Whether it lets any model count tokens already.
    pub(crate) fn counted_before(&self) -> bool {
        self.held().extras().iter().any(|extra| matches!(extra, Extra::CountTokens { .. }))
    }

    /// Whether it lets the role read what this project stored already.
    pub(crate) fn stored_before(&self, arn: &str) -> bool {
        let is_there =
            |extra: &Extra| matches!(extra, Extra::StoredResponses { project } if project.to_string() == arn);
        self.held().extras().iter().any(is_there)
    }

    /// Whether it lets the role be used through API keys already.
    pub(crate) fn had_api_keys(&self) -> bool {
        self.held().extras().contains(&Extra::ApiKeys)
    }

    fn held(&self) -> CurrentGrants {
        CurrentGrants::in_policy(self.observed.policy(&self.intent.claim.policy()))
    }

    fn empty() -> Self {
        let (role, policy) = (role(&[(TAG, "deny:team-a")]), PolicyState::Absent);
        Self {
            intent: Intent { terms: Terms::default(), ..intent([]) },
            answers: Answers::default(),
            observed: on(role, policy),
            last_written: None,
        }
    }

    fn take(&mut self, fields: &[&str]) -> Option<()> {
        match fields {
            ["partition", partition] => self.intent.claim.account.partition = partition.parse().ok()?,
            ["wanted", kind, source, id, answer @ ..] => {
                let target = target(kind, source, id)?;
                self.intent.targets.insert(target.clone());
                self.answers.targets.insert(target, read_answer(answer)?);
            }
            ["answered", kind, source, id, answer @ ..] => {
                self.answers.targets.insert(target(kind, source, id)?, read_answer(answer)?);
            }
            ["tags", kind, source, id, namespaces] => {
                let tags = [(TAG.to_owned(), (*namespaces).to_owned())].into();
                self.answers.tags.insert(target(kind, source, id)?, Ok(tags));
            }
            ["family", "in-region", source, prefix] => {
                let (source, prefix) = (source.parse().ok()?, prefix.parse().ok()?);
                self.intent.families.insert(Family::OnDemand { source, prefix });
            }
            ["family", scope, source, prefix] => {
                let (source, prefix) = (source.parse().ok()?, prefix.parse().ok()?);
                let scope = (*scope).to_owned();
                self.intent.families.insert(Family::Profiles { source, scope, prefix });
            }
            ["profiles", source, ids @ ..] => {
                let ids = ids.iter().filter_map(|id| id.parse().ok()).collect();
                self.answers.profiles.insert(source.parse().ok()?, Ok(ids));
            }
            ["models", source, ids @ ..] => {
                let ids = ids.iter().filter_map(|id| id.parse().ok()).collect();
                self.answers.on_demand.insert(source.parse().ok()?, Ok(ids));
            }
            ["lock", regions @ ..] => {
                let regions = regions.iter().filter_map(|region| region.parse().ok()).collect();
                self.intent.allowed_destination_regions = Some(regions);
            }
            ["deny", scope] => {
                self.intent.terms.denied_scopes.insert(scope.parse().ok()?);
            }
            ["guardrail", arn, version] => {
                let guardrail = Guardrail { arn: arn.parse().ok()?, version: version.parse().ok() };
                self.intent.terms.guardrails.insert(guardrail);
            }
            ["project", source] => {
                let project = DefaultProjectArn::of(&self.intent.claim.account, &source.parse().ok()?);
                self.intent.terms.projects.insert(project);
            }
            ["discovery", source] => {
                self.intent.terms.extras.discovery.insert(source.parse().ok()?);
            }
            ["responses", source] => {
                let project = DefaultProjectArn::of(&self.intent.claim.account, &source.parse().ok()?);
                self.intent.terms.extras.stored_responses.insert(project);
            }
            ["api-keys"] => self.intent.terms.extras.api_keys = true,
            ["count-tokens"] => self.intent.terms.extras.count_tokens = true,
            ["guardrail-tags", arn, namespaces] => {
                let tags = [(TAG.to_owned(), (*namespaces).to_owned())].into();
                self.answers.guardrails.insert(arn.parse().ok()?, Ok(tags));
            }
            ["operations", "invoke"] => self.intent.terms.operations = Operations::Invoke,
            ["operations", "stream"] => self.intent.terms.operations = Operations::Stream,
            ["shrink", profile, source] => {
                let (profile, source) = ((*profile).to_owned(), source.parse().ok());
                self.intent.accepted_shrink = Some(AcceptedShrink { profile, source });
            }
            ["held", document] => {
                let policy = PolicyState::of(document, &claim().identity);
                self.observed.policies.insert(self.intent.claim.policy(), policy);
            }
            ["written"] => {
                let PolicyState::Ours(document) = self.observed.policy(&self.intent.claim.policy()) else {
                    return None;
                };
                self.last_written = Some(CanonicalPolicy::of(document).digest());
            }
            _ => return None,
        }
        Some(())
    }
}

fn target(kind: &str, source: &str, id: &str) -> Option<Target> {
    let source = source.parse().ok()?;
    match kind {
        "profile" => Some(Target::Profile { source, id: id.parse().ok()? }),
        "model" => Some(Target::OnDemand { source, model: id.parse().ok()? }),
        "application" => Some(Target::ApplicationProfile { source, id: id.parse().ok()? }),
        _ => {
            let kind = OwnModelKind::ALL.into_iter().find(|own| own.resource_type() == kind)?;
            Some(Target::OwnModel { source, kind, id: id.parse().ok()? })
        }
    }
}

fn read_answer(fields: &[&str]) -> Option<Answer> {
    let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    match fields {
        ["profile", arn, models @ ..] => {
            Some(Answer::Profile { arn: (*arn).to_owned(), models: owned(models) })
        }
        ["model", arn, types @ ..] => {
            Some(Answer::Model { arn: (*arn).to_owned(), inference_types: owned(types) })
        }
        ["missing"] => Some(Answer::NotFound),
        ["fault", message] => {
            Some(Answer::Fault(Fault { class: Class::Unavailable, message: (*message).to_owned() }))
        }
        _ => None,
    }
}
