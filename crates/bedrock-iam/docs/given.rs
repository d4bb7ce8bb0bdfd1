// What the examples of grants.md begin with; rustdoc shows none of it.

pub use std::time::Duration;

pub use bedrock_iam::consent::{Tenant, ConsentPolicy};
pub use bedrock_iam::decide::{Change, Pace, Remembered};
pub use bedrock_iam::document::Effect;
pub use bedrock_iam::evaluate::{Decision, Request, evaluate};
pub use bedrock_iam::authorisation::{is_allowed, requests};
pub use bedrock_iam::policy::{Form, document};
pub use bedrock_iam::resolve::resolve;
pub use bedrock_iam::*;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub fn claim() -> Result<Claim> {
    Ok(Claim {
        identity: PolicyIdentity::derive("cluster", "team-a", "assistant"),
        tenant: Tenant {
            cluster_id: "cluster".to_owned(),
            namespace: "team-a".to_owned(),
            policy: ConsentPolicy::Tag,
        },
        account: Account { id: "111122223333".parse()?, partition: "aws".parse()? },
        role: "assistant".parse()?,
        role_arn: None,
        former: None,
    })
}

/// Wants what Bedrock was asked about: streaming too, in any Region, without guardrails or denies.
pub fn wanting(answers: &Answers) -> Result<Intent> {
    Ok(Intent {
        claim: claim()?,
        targets: answers.targets.keys().cloned().collect(),
        families: [].into(),
        unknown_sources: [].into(),
        refused: Vec::new(),
        terms: Terms::default(),
        allowed_destination_regions: None,
        drift_policy: DriftPolicy::Enforce,
        accepted_shrink: None,
    })
}

/// What GetInferenceProfile answers; `*` is the model's ARN without a Region.
pub fn routes(profile: &str, source: &str, destinations: &[&str]) -> Result<(Target, Answer)> {
    let id: ProfileId = profile.parse()?;
    let model = |region: &&str| {
        let region = if *region == "*" { "" } else { region };
        format!("arn:aws:bedrock:{region}::foundation-model/{}", id.model())
    };
    let arn = format!("arn:aws:bedrock:{source}:111122223333:inference-profile/{id}");
    let models = destinations.iter().map(model).collect();
    Ok((Target::Profile { source: source.parse()?, id }, Answer::Profile { arn, models }))
}

pub fn answered(of: impl IntoIterator<Item = (Target, Answer)>) -> Answers {
    Answers { targets: of.into_iter().collect(), ..Answers::default() }
}

/// What a tag says that consents to the namespaces.
pub fn consenting(entries: &str) -> Tags {
    [("bedrockaccess.io/namespaces".to_owned(), entries.to_owned())].into()
}

/// A role that consents, to explicit denies too.
pub fn role(arn: &str) -> Result<RoleState> {
    let tags = consenting("deny:cluster/team-a");
    Ok(RoleState::Found(Role { arn: arn.parse()?, id: "AROA1".to_owned(), tags }))
}

/// The role of the intent, with the policy that it holds.
pub fn observed(intent: &Intent, policy: PolicyState) -> Result<Observed> {
    let Claim { account, role: name, .. } = &intent.claim;
    let role = role(&format!("arn:{}:iam::{}:role/{name}", account.partition, account.id))?;
    Ok(Observed::new(role, intent.claim.policy(), policy))
}

/// What is then to be done, while nothing is remembered.
pub fn planned(intent: &Intent, answers: &Answers, observed: &Observed) -> Plan {
    let wish = Wish::InStep(Box::new(intent.clone()));
    let pace = Pace::new(Duration::from_mins(1), Duration::from_mins(10));
    decide(&wish, answers, observed, &Remembered::default(), &pace).plan
}

/// The policy that is written to a role that holds none.
pub fn written(intent: &Intent, answers: &Answers) -> Result<Document> {
    put(&planned(intent, answers, &observed(intent, PolicyState::Absent)?))
}

/// The policy that a plan writes.
pub fn put(plan: &Plan) -> Result<Document> {
    match plan.steps() {
        [Step { change: Change::Put { desired, .. }, .. }] => Ok(desired.document.clone()),
        other => Err(format!("no policy is written: {other:?}").into()),
    }
}
