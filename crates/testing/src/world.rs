//! A small world of values for the tests of the core: one account, one role, and Bedrock's real profiles.

#![allow(clippy::unwrap_used, clippy::panic, clippy::unnecessary_wraps, reason = "a fixture may fail loudly")]
#![allow(dead_code, reason = "each test binary uses its part of the world")]

use std::collections::{BTreeMap, BTreeSet};

use bedrock_iam::consent::{Applicant, Policy};
use bedrock_iam::plan::{Plan, plan};
use bedrock_iam::resolve::resolve;
use bedrock_iam::*;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const NOVA: &str = "amazon.nova-2-lite-v1:0";

pub(crate) fn account() -> Account {
    Account { id: ACCOUNT.parse().unwrap(), partition: "aws".parse().unwrap() }
}

pub(crate) fn region(name: &str) -> Region {
    name.parse().unwrap()
}

pub(crate) fn profile(id: &str, source: &str) -> Target {
    Target::Profile { source: region(source), id: id.parse().unwrap() }
}

pub(crate) fn on_demand(model: &str, source: &str) -> Target {
    Target::OnDemand { source: region(source), model: model.parse().unwrap() }
}

pub(crate) fn terms(operations: Operations) -> Terms {
    Terms { operations, ..Terms::default() }
}

/// What a manifest without a word on projects asks for in its source Region.
pub(crate) fn in_default_project(source: &str) -> Terms {
    let projects = [DefaultProjectArn::of(&account(), &region(source))].into();
    Terms { projects, ..Terms::default() }
}

pub(crate) fn claim() -> Claim {
    Claim {
        identity: PolicyIdentity::derive("cluster", "team-a", "assistant"),
        applicant: Applicant {
            cluster_id: "cluster".to_owned(),
            namespace: "team-a".to_owned(),
            policy: Policy::Tag,
        },
        role: "assistant".parse().unwrap(),
        role_arn: None,
    }
}

pub(crate) fn intent(targets: impl IntoIterator<Item = Target>) -> Intent {
    Intent {
        claim: claim(),
        targets: targets.into_iter().collect(),
        families: BTreeSet::new(),
        refused: Vec::new(),
        terms: terms(Operations::Both),
        allowed_destination_regions: None,
        drift_policy: DriftPolicy::Enforce,
        accepted_shrink: None,
    }
}

pub(crate) fn lock(regions: &[&str]) -> Option<BTreeSet<Region>> {
    Some(regions.iter().map(|name| region(name)).collect())
}

pub(crate) fn profile_arn(id: &str, source: &str) -> String {
    format!("arn:aws:bedrock:{source}:{ACCOUNT}:inference-profile/{id}")
}

pub(crate) fn model_arn(model: &str, region: &str) -> String {
    format!("arn:aws:bedrock:{region}::foundation-model/{model}")
}

/// GetInferenceProfile's answer; `["*"]` as destinations is a global profile's.
pub(crate) fn routes(id: &str, source: &str, destinations: &[&str]) -> Answer {
    let model = id.split_once('.').unwrap().1;
    let models = match destinations {
        ["*"] => vec![model_arn(model, ""), model_arn(model, source)],
        _ => destinations.iter().map(|region| model_arn(model, region)).collect(),
    };
    Answer::Profile { arn: profile_arn(id, source), models }
}

pub(crate) fn answers(answers: impl IntoIterator<Item = (Target, Answer)>) -> Answers {
    Answers { targets: answers.into_iter().collect(), ..Answers::default() }
}

pub(crate) fn unavailable() -> Answer {
    Answer::Fault(Fault { class: Class::Unavailable, message: "no answer".to_owned() })
}

pub(crate) fn role(tags: &[(&str, &str)]) -> RoleState {
    RoleState::Found(Role {
        arn: "arn:aws:iam::111122223333:role/assistant".parse().unwrap(),
        id: "AROA1".to_owned(),
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    })
}

pub(crate) fn consenting() -> RoleState {
    role(&[("bedrockaccess.io/namespaces", "team-a")])
}

pub(crate) fn observed(policy: PolicyState) -> Observed {
    Observed { role: consenting(), policy }
}

/// The whole way from answers to a plan.
pub(crate) fn planned(
    intent: &Intent,
    answers: &Answers,
    observed: &Observed,
    last_written: Option<&Digest>,
) -> Plan {
    let history = History { last_written: last_written.cloned(), ..History::default() };
    let held = Held::read(&observed.policy, &history);
    let resolution = resolve(intent, &account(), answers, &held);
    plan(intent, &account(), &resolution, observed, &history)
}

/// The policy that a plan writes, as the next reconcile will observe it, and its digest.
pub(crate) fn carried_out(plan: &Plan) -> (PolicyState, Digest) {
    let Some(Step::Put { document, .. }) = &plan.step else { panic!("the plan writes nothing: {plan:?}") };
    (PolicyState::Ours(document.clone()), Meaning::of(document).digest())
}

pub(crate) fn reasons(findings: &[Finding]) -> Vec<Reason> {
    findings.iter().map(|finding| finding.reason).collect()
}

/// Profile id → source Region → destinations, of every real profile.
pub(crate) fn real_profiles() -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    #[derive(serde::Deserialize)]
    struct Data {
        profiles: BTreeMap<String, Profile>,
    }
    #[derive(serde::Deserialize)]
    struct Profile {
        routes: BTreeMap<String, Vec<String>>,
    }
    let data: Data =
        serde_json::from_str(include_str!("../../../aws-sandbox/data/inference-profiles.json")).unwrap();
    data.profiles.into_iter().map(|(id, profile)| (id, profile.routes)).collect()
}
