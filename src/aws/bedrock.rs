//! The Bedrock calls, and answers that objects share for a while.

mod attempts;
mod cache;

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_bedrock::Client;
use aws_sdk_bedrock::types::{InferenceProfileType, InferenceType};
use bedrock_iam::{Account, Answer, Class, Fault, ModelId, ProfileId, Region, Tags, Target};
use moka::future::Cache;
use tokio::sync::Semaphore;

use super::call::{Caller, Turn};
use super::operations::Operation;
use crate::metrics::Metrics;
use attempts::Attempts;
use cache::Shared;

/// More Regions than AWS has.
const CACHED_REGIONS: u64 = 100;

/// A thousand profiles each; an answer that goes on for ever is none.
const MOST_PAGES: usize = 20;

/// Calls to one Region that go on though nobody waits for them.
const LATE_ANSWERS: usize = 16;

/// How old an answer may be.
pub type MaxAge = Duration;

/// The tags of what belongs to the account; the fault is that there is no such thing.
pub type Tagged = Result<Tags, Fault>;

/// The Bedrock calls of the operator: one client for each source Region, and answers shared by all objects.
pub struct Bedrock {
    config: SdkConfig,
    requests_per_second: NonZeroU32,
    metrics: Metrics,
    account: Account,
    regions: Cache<Region, Regional>,
    answers: Shared<Target, Answer>,
    system_profiles: Shared<Region, Vec<ProfileId>>,
    on_demand_models: Shared<Region, Vec<ModelId>>,
    tags: Shared<String, Tagged>,
}

/// Bedrock in one Region, with a quota of its own.
#[derive(Clone)]
struct Regional {
    client: Client,
    caller: Caller,
    /// Places for calls that nobody waits for any more.
    late: Arc<Semaphore>,
}

/// A call about one target.
struct Question {
    operation: Operation,
    id: String,
    subject: String,
}

impl Bedrock {
    /// Clients are made when a Region is first asked, each with its own rate limit; `account` owns what is asked about by ARN.
    pub fn new(
        config: SdkConfig,
        requests_per_second: NonZeroU32,
        metrics: Metrics,
        account: Account,
    ) -> Self {
        Self {
            config,
            requests_per_second,
            metrics,
            account,
            regions: Cache::new(CACHED_REGIONS),
            answers: Shared::new(),
            system_profiles: Shared::new(),
            on_demand_models: Shared::new(),
            tags: Shared::new(),
        }
    }

    /// The answer for one target, at most `max_age` old. Objects that ask at the same time share one request.
    pub async fn answer(&self, target: &Target, max_age: MaxAge) -> Answer {
        let Some(question) = Question::about(target, &self.account) else { return Answer::Unasked };
        let region = self.region(target.source()).await;
        let about = (question.operation, question.subject.clone());
        let ask = |region: Regional, turn, _| question.ask(region.client, turn);
        let answer = region.ask(&self.answers, target.clone(), move |_| max_age, about, ask).await;
        answer.unwrap_or_else(Answer::Fault)
    }

    /// The system-defined profiles of a source Region, at most `max_age` old.
    pub async fn system_profiles(&self, source: &Region, max_age: MaxAge) -> Result<Vec<ProfileId>, Fault> {
        let region = self.region(source).await;
        let about = (Operation::ListInferenceProfiles, format!("system-defined profiles in {source}"));
        let known = &self.system_profiles;
        region.ask(known, source.clone(), move |_| max_age, about, list_inference_profiles).await
    }

    /// The models that may be called on demand in a Region, at most `max_age` old.
    pub async fn on_demand_models(&self, source: &Region, max_age: MaxAge) -> Result<Vec<ModelId>, Fault> {
        let region = self.region(source).await;
        let about = (Operation::ListFoundationModels, format!("models in {source}"));
        let known = &self.on_demand_models;
        region.ask(known, source.clone(), move |_| max_age, about, list_foundation_models).await
    }

    /// The tags of what belongs to the account, as old as `max_age` says of them; `learn` is told of those that were asked for now.
    pub async fn tags(
        &self,
        source: &Region,
        arn: &str,
        max_age: impl Fn(&Tagged) -> MaxAge + Send + Sync + 'static,
        learn: impl FnOnce(&Tagged) + Send + 'static,
    ) -> Tagged {
        let region = self.region(source).await;
        let about = (Operation::ListTagsForResource, arn.to_owned());
        let ask = |region, turn, arn| async {
            let tags = match tags(region, turn, arn).await {
                Err(fault) if fault.class != Class::NotFound => return Err(fault),
                tags => tags,
            };
            learn(&tags);
            Ok(tags)
        };
        region.ask(&self.tags, arn.to_owned(), max_age, about, ask).await?
    }

    /// Whatever owners say is asked anew.
    pub fn forget_tags(&self) {
        self.tags.forget_all();
    }

    async fn region(&self, source: &Region) -> Regional {
        let make = async {
            let region = aws_sdk_bedrock::config::Region::new(source.to_string());
            let caller = Caller::new(self.requests_per_second, self.metrics.clone());
            let config = aws_sdk_bedrock::config::Builder::from(&self.config).region(region);
            let config = config.interceptor(Attempts::of(caller.breaker())).build();
            Regional {
                client: Client::from_conf(config),
                caller,
                late: Arc::new(Semaphore::new(LATE_ANSWERS)),
            }
        };
        self.regions.get_with_by_ref(source, make).await
    }
}

impl Regional {
    /// The answer to a question, as old as `max_age` says of it, which is shared with all who ask the same. It is waited for no longer than
    /// until the Region stalls. `ask` is told what the question is about.
    async fn ask<K, T, Ask>(
        self,
        known: &Shared<K, T>,
        question: K,
        max_age: impl Fn(&T) -> MaxAge + Send + Sync + 'static,
        (operation, subject): (Operation, String),
        ask: impl FnOnce(Self, Turn, String) -> Ask + Send + 'static,
    ) -> Result<T, Fault>
    where
        K: Hash + Eq + Send + Sync + Clone + 'static,
        T: Clone + Send + Sync + 'static,
        Ask: Future<Output = Result<T, Fault>> + Send,
    {
        let (known, region, about) = (known.clone(), self.clone(), subject.clone());
        let work = async move {
            let asked = region.clone();
            let turn = region.caller.turn_unless_stalled();
            known.at_most(max_age, &question, turn, |turn| ask(asked, turn, about)).await
        };
        self.caller.unless_stalled(&self.late, operation, &subject, work).await
    }
}

impl Question {
    fn about(target: &Target, account: &Account) -> Option<Self> {
        let source = target.source();
        let (operation, id, kind) = match target {
            Target::Profile { id, .. } => {
                (Operation::GetInferenceProfile, id.to_string(), "inference profile")
            }
            // By its id alone Bedrock would look for a system-defined profile.
            Target::ApplicationProfile { .. } => {
                let arn = target.owned(account).unwrap_or_default();
                (Operation::GetInferenceProfile, arn, "application inference profile")
            }
            Target::OnDemand { model, .. } => (Operation::GetFoundationModel, model.to_string(), "model"),
            Target::OwnModel { .. } => return None,
        };
        let subject = format!("{kind} {id} in {source}");
        Some(Self { operation, id, subject })
    }

    async fn ask(self, client: Client, turn: Turn) -> Result<Answer, Fault> {
        let answer = if self.operation == Operation::GetFoundationModel {
            self.foundation_model(client, turn).await
        } else {
            self.inference_profile(client, turn).await
        };
        match answer {
            Err(fault) if fault.class == Class::NotFound => Ok(Answer::NotFound),
            answer => answer,
        }
    }

    async fn inference_profile(&self, client: Client, turn: Turn) -> Result<Answer, Fault> {
        let request = client.get_inference_profile().inference_profile_identifier(&self.id).send();
        let profile = turn.call(self.operation, &self.subject, request).await?;
        let models = profile.models.into_iter().filter_map(|model| model.model_arn).collect();
        Ok(Answer::Profile { arn: profile.inference_profile_arn, models })
    }

    async fn foundation_model(&self, client: Client, turn: Turn) -> Result<Answer, Fault> {
        let request = client.get_foundation_model().model_identifier(&self.id).send();
        let details = turn.call(self.operation, &self.subject, request).await?.model_details;
        let Some(details) = details else {
            return Ok(Answer::NotFound);
        };
        let inference_types = details.inference_types_supported.unwrap_or_default();
        Ok(Answer::Model {
            arn: details.model_arn,
            inference_types: inference_types.iter().map(|kind| kind.as_str().to_owned()).collect(),
        })
    }
}

async fn list_inference_profiles(
    region: Regional,
    first: Turn,
    subject: String,
) -> Result<Vec<ProfileId>, Fault> {
    let Regional { client, caller, .. } = region;
    let mut profiles = Vec::new();
    let (mut turn, mut token) = (first, None);
    for _ in 0..MOST_PAGES {
        let request = client
            .list_inference_profiles()
            .type_equals(InferenceProfileType::SystemDefined)
            .max_results(1000)
            .set_next_token(token)
            .send();
        let page = turn.call(Operation::ListInferenceProfiles, &subject, request).await?;
        let summaries = page.inference_profile_summaries.unwrap_or_default();
        let ids = summaries.into_iter().map(|summary| summary.inference_profile_id);
        profiles.extend(ids.filter_map(|id| id.parse::<ProfileId>().ok()));
        token = page.next_token;
        if token.is_none() {
            return Ok(profiles);
        }
        turn = caller.turn().await;
    }
    let message = format!("bedrock:ListInferenceProfiles of {subject}: more than {MOST_PAGES} pages");
    Err(Fault { class: Class::Unavailable, message })
}

async fn tags(region: Regional, turn: Turn, arn: String) -> Tagged {
    let request = region.client.list_tags_for_resource().resource_arn(&arn).send();
    let answer = turn.call(Operation::ListTagsForResource, &arn, request).await?;
    Ok(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// ListFoundationModels answers in one page.
async fn list_foundation_models(
    region: Regional,
    turn: Turn,
    subject: String,
) -> Result<Vec<ModelId>, Fault> {
    let request = region.client.list_foundation_models().by_inference_type(InferenceType::OnDemand).send();
    let answer = turn.call(Operation::ListFoundationModels, &subject, request).await?;
    let summaries = answer.model_summaries.unwrap_or_default();
    Ok(summaries.into_iter().filter_map(|summary| summary.model_id.parse().ok()).collect())
}
