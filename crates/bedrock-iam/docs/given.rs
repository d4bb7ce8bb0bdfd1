// What the examples of grants.md begin with; rustdoc shows none of it.

pub use std::collections::BTreeMap;

pub use bedrock_iam::consent::{Applicant, Policy};
pub use bedrock_iam::document::Effect;
pub use bedrock_iam::evaluate::{Decision, Request, evaluate};
pub use bedrock_iam::invocation::{is_allowed, requests};
pub use bedrock_iam::plan::plan;
pub use bedrock_iam::policy::{Form, document};
pub use bedrock_iam::resolve::resolve;
pub use bedrock_iam::*;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub fn account() -> Result<Account> {
    Ok(Account { id: "111122223333".parse()?, partition: "aws".parse()? })
}

pub fn claim() -> Result<Claim> {
    Ok(Claim {
        identity: PolicyIdentity::derive("cluster", "team-a", "assistant"),
        applicant: Applicant {
            cluster_id: "cluster".to_owned(),
            namespace: "team-a".to_owned(),
            policy: Policy::Tag,
        },
        role: "assistant".parse()?,
        role_arn: None,
    })
}

/// Wants what Bedrock was asked about: streaming too, in any Region, without guardrails or denies.
pub fn wanting(answers: &Answers) -> Result<Intent> {
    Ok(Intent {
        claim: claim()?,
        targets: answers.targets.keys().cloned().collect(),
        families: [].into(),
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

pub fn role(arn: &str) -> Result<RoleState> {
    let tags = [("bedrockaccess.io/namespaces".to_owned(), "deny:cluster/team-a".to_owned())].into();
    Ok(RoleState::Found(bedrock_iam::Role { arn: arn.parse()?, id: "AROA1".to_owned(), tags }))
}

/// The policy that is written to a role that holds none.
pub fn written(intent: &Intent, account: &Account, resolution: &Resolution) -> Result<Document> {
    let observed = Observed {
        role: role(&format!("arn:{}:iam::{}:role/assistant", account.partition, account.id))?,
        policy: PolicyState::Absent,
    };
    match plan(intent, account, resolution, &observed, &History::default()).step {
        Some(Step::Put { document, .. }) => Ok(document),
        other => Err(format!("no policy is written: {other:?}").into()),
    }
}
