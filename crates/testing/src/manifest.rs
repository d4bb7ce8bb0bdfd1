//! What must hold of any manifest with any answers; shared by the seeded test and by the fuzzer.

use std::collections::BTreeSet;

use bedrock_access_api::parse::{self, OperatorSettings};
use bedrock_access_api::v1alpha1::BedrockAccess;
use bedrock_iam::answer::{Answer, unanswered};
use bedrock_iam::consent::{ConsentPolicy, TAG};
use bedrock_iam::policy::{self, Form};
use bedrock_iam::resolve::resolve;
use bedrock_iam::{
    Account, Answers, Class, CurrentGrants, Document, Fault, Intent, PolicyState, Questions, Target,
    next_questions,
};

use crate::properties::exactness;
use crate::properties::scene::Scene;
use crate::world::{account, observed};

/// How far a manifest came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Came {
    /// It was refused.
    Refused,
    /// Nothing could be granted.
    ToNothing,
    /// To a policy in both forms, of at least one grant.
    ToGrants,
}

/// A manifest as Kubernetes stores it, a line `---`, and what Bedrock says, a line for each answer.
pub fn text_grants_exactly_or_nothing(text: &str) -> Option<Came> {
    let (manifest, said) = text.split_once("\n---\n").unwrap_or((text, ""));
    let object: BedrockAccess = serde_saphyr::from_str(manifest).ok()?;
    Some(grants_exactly_or_nothing(&object, said))
}

/// Parsing, resolving and writing never panic. A policy in either form holds no wildcard but the two that are promised, and
/// nothing that was not both wanted and answered; nor does the next one, after other answers, which keeps what it held.
pub fn grants_exactly_or_nothing(object: &BedrockAccess, said: &str) -> Came {
    let (settings, lines) = (operator_settings(), said.lines().collect::<Vec<_>>());
    let _ = (parse::claim(object, &settings), parse::interval(object));
    let Ok(intent) = parse::intent(object, &settings) else { return Came::Refused };
    let mut held = CurrentGrants::default();
    let mut came = Came::ToNothing;
    for turn in 0..2 {
        let Some(answers) = answers(&intent, &lines, turn) else { return came };
        let scene = Scene {
            intent: intent.clone(),
            answers,
            observed: observed(PolicyState::Absent),
            last_written: None,
        };
        let grants = resolve(&scene.intent, &scene.answers, &held).grants;
        let write =
            |form| policy::document(&intent.claim.identity, &settings.account, &grants, &intent.terms, form);
        let (Some(explicit), Some(factored)) = (write(Form::Explicit), write(Form::Factored)) else {
            continue;
        };
        for document in [&explicit, &factored] {
            exactness::assert_exact(document, &scene);
            exactness::assert_founded(document, &scene, &held);
            assert_wanted(document, &scene);
        }
        assert_eq!(CurrentGrants::of(&explicit), CurrentGrants::of(&factored), "the forms differ");
        came = if grants.is_empty() { came } else { Came::ToGrants };
        held = CurrentGrants::of(&explicit);
    }
    came
}

/// What the operator of [`account`] determines, which serves every Region and asks roles for a tag.
pub fn operator_settings() -> OperatorSettings {
    OperatorSettings {
        account: account(),
        own_role: None,
        cluster_id: "cluster".to_owned(),
        adopt_from: None,
        regions: BTreeSet::new(),
        consent: ConsentPolicy::Tag,
    }
}

/// No policy grants what the manifest does not name.
fn assert_wanted(document: &Document, scene: &Scene) {
    for grant in CurrentGrants::of(document).grants() {
        let target = grant.target().unwrap();
        let is_wanted = scene.intent.targets.contains(&target)
            || scene.intent.families.iter().any(|family| family.contains(&target));
        assert!(is_wanted, "{grant:?} was never wanted");
    }
}

/// What is said to every question that the operator asks, until it asks no more; `None` where so many targets cannot fit.
fn answers(intent: &Intent, lines: &[&str], turn: usize) -> Option<Answers> {
    let account = &intent.claim.account;
    let spoken: Vec<Vec<&str>> = lines.iter().map(|line| line.split('\t').collect()).collect();
    let said: Vec<&[&str]> = spoken.iter().map(Vec::as_slice).filter(|fields| fields[0] != "tags").collect();
    let tags: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("tags\t")).collect();
    let tags = |index: usize| match tags.len() {
        0 => Err(unanswered()),
        count => Ok([(TAG.to_owned(), tags[(index + turn) % count].to_owned())].into()),
    };
    let mut answers = Answers::default();
    loop {
        let Questions { profiles, on_demand, targets, tags: of, guardrails } =
            match next_questions(intent, &answers) {
                Ok(questions) if questions.is_empty() => return Some(answers),
                Ok(questions) => questions,
                Err(_) => return None,
            };
        answers
            .profiles
            .extend(profiles.into_iter().map(|source| (source, Ok(listed(lines, "profiles").collect()))));
        answers
            .on_demand
            .extend(on_demand.into_iter().map(|source| (source, Ok(listed(lines, "models").collect()))));
        answers.tags.extend(of.into_iter().enumerate().map(|(index, target)| (target, tags(index))));
        answers.guardrails.extend(guardrails.into_iter().enumerate().map(|(index, arn)| (arn, tags(index))));
        for (index, target) in targets.into_iter().enumerate() {
            let answer = match said.len() {
                0 => Answer::Fault(unanswered()),
                count => answer(&target, account, said[(index + turn) % count]),
            };
            answers.targets.insert(target, answer);
        }
    }
}

fn listed<'a, T: std::str::FromStr>(lines: &'a [&str], kind: &'a str) -> impl Iterator<Item = T> + 'a {
    let fields = lines
        .iter()
        .map(|line| line.split('\t'))
        .filter_map(move |mut fields| (fields.next() == Some(kind)).then_some(fields));
    fields.flatten().filter_map(|id| id.parse().ok())
}

/// One line about a target. `routes` tells the truth about the profile with the Regions given; the rest is taken as it is.
fn answer(target: &Target, account: &Account, fields: &[&str]) -> Answer {
    let model = match target {
        Target::Profile { id, .. } => id.model(),
        Target::OnDemand { model, .. } => model.as_str(),
        Target::ApplicationProfile { .. } | Target::OwnModel { .. } => "amazon.nova-2-lite-v1:0",
    };
    let source = target.source();
    let in_region =
        |region: &str| format!("arn:{}:bedrock:{region}::foundation-model/{model}", account.partition);
    let profile = || {
        let system = format!(
            "arn:{}:bedrock:{source}:{}:inference-profile/{}",
            account.partition,
            account.id,
            target.id()
        );
        target.owned(account).unwrap_or(system)
    };
    let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    match fields {
        ["routes", regions @ ..] if !matches!(target, Target::OnDemand { .. }) => Answer::Profile {
            arn: profile(),
            models: regions.iter().map(|region| in_region(region)).collect(),
        },
        ["routes", ..] => {
            Answer::Model { arn: in_region(source.as_str()), inference_types: vec!["ON_DEMAND".to_owned()] }
        }
        ["leads", models @ ..] => Answer::Profile { arn: profile(), models: owned(models) },
        ["profile", arn, models @ ..] => Answer::Profile { arn: (*arn).to_owned(), models: owned(models) },
        ["model", arn, types @ ..] => Answer::Model { arn: (*arn).to_owned(), inference_types: owned(types) },
        ["fault", message] => {
            Answer::Fault(Fault { class: Class::Unavailable, message: (*message).to_owned() })
        }
        _ => Answer::NotFound,
    }
}
