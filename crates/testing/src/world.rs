//! A small world of values for the tests of the core: one account, one role, and Bedrock's real profiles.

use std::collections::BTreeSet;
use std::time::Duration;

use bedrock_iam::answer::Answer;
use bedrock_iam::consent::{ConsentPolicy, TAG, Tenant};
use bedrock_iam::decide::{Change, Desired, DesiredPolicy, Pace, Remembered};
use bedrock_iam::{
    Account, Answers, CanonicalPolicy, Claim, Class, DefaultProjectArn, Digest, DriftPolicy, Fault, Finding,
    Intent, Observed, Operations, Plan, PolicyIdentity, PolicyState, Reason, Region, Role, RoleState, Target,
    Terms, Wish, Written, decide,
};

/// The id of the only account.
pub const ACCOUNT: &str = "111122223333";
/// The unique id of the role.
pub const ROLE_ID: &str = "AROA1";
/// A model that most tests are about.
pub const NOVA: &str = "amazon.nova-2-lite-v1:0";

/// The profile of that model that most tests want.
pub const US: &str = "us.amazon.nova-2-lite-v1:0";

/// The account of the role and of the operator.
pub fn account() -> Account {
    Account { id: ACCOUNT.parse().unwrap(), partition: "aws".parse().unwrap() }
}

/// A Region by its code.
pub fn region(name: &str) -> Region {
    name.parse().unwrap()
}

/// A system profile, called from a Region.
pub fn profile(id: &str, source: &str) -> Target {
    Target::Profile { source: region(source), id: id.parse().unwrap() }
}

/// A model that is called without a profile.
pub fn on_demand(model: &str, source: &str) -> Target {
    Target::OnDemand { source: region(source), model: model.parse().unwrap() }
}

/// These operations, on no other terms.
pub fn terms(operations: Operations) -> Terms {
    Terms { operations, ..Terms::default() }
}

/// What a manifest without a word on projects asks for in its source Region.
pub fn in_default_project(source: &str) -> Terms {
    let projects = [DefaultProjectArn::of(&account(), &region(source))].into();
    Terms { projects, ..Terms::default() }
}

/// What the manifest `assistant` of the namespace `team-a` says of its role.
pub fn claim() -> Claim {
    Claim {
        identity: PolicyIdentity::derive("cluster", "team-a", "assistant"),
        tenant: Tenant {
            cluster_id: "cluster".to_owned(),
            namespace: "team-a".to_owned(),
            policy: ConsentPolicy::Tag,
        },
        account: account(),
        role: "assistant".parse().unwrap(),
        role_arn: None,
        former: None,
    }
}

/// A manifest that wants the targets, on no terms.
pub fn intent(targets: impl IntoIterator<Item = Target>) -> Intent {
    Intent {
        claim: claim(),
        targets: targets.into_iter().collect(),
        families: BTreeSet::new(),
        unknown_sources: BTreeSet::new(),
        refused: Vec::new(),
        terms: terms(Operations::Both),
        allowed_destination_regions: None,
        drift_policy: DriftPolicy::Enforce,
        accepted_shrink: None,
    }
}

/// A residency lock.
pub fn lock(regions: &[&str]) -> Option<BTreeSet<Region>> {
    Some(regions.iter().map(|name| region(name)).collect())
}

/// The ARN of a system profile.
pub fn profile_arn(id: &str, source: &str) -> String {
    format!("arn:aws:bedrock:{source}:{ACCOUNT}:inference-profile/{id}")
}

/// The ARN of a foundation model; without a Region, that of a global route.
pub fn model_arn(model: &str, region: &str) -> String {
    format!("arn:aws:bedrock:{region}::foundation-model/{model}")
}

/// GetInferenceProfile's answer; `["*"]` as destinations is a global profile's.
pub fn routes(id: &str, source: &str, destinations: &[&str]) -> Answer {
    let model = id.split_once('.').unwrap().1;
    let models = match destinations {
        ["*"] => vec![model_arn(model, ""), model_arn(model, source)],
        _ => destinations.iter().map(|region| model_arn(model, region)).collect(),
    };
    Answer::Profile { arn: profile_arn(id, source), models }
}

/// What Bedrock answered of the targets alone.
pub fn answers(answers: impl IntoIterator<Item = (Target, Answer)>) -> Answers {
    Answers { targets: answers.into_iter().collect(), ..Answers::default() }
}

/// Bedrock did not answer.
pub fn unavailable() -> Answer {
    Answer::Fault(Fault { class: Class::Unavailable, message: "no answer".to_owned() })
}

/// The role, with these tags.
pub fn role(tags: &[(&str, &str)]) -> RoleState {
    RoleState::Found(Role {
        arn: "arn:aws:iam::111122223333:role/assistant".parse().unwrap(),
        id: ROLE_ID.to_owned(),
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    })
}

/// The role that consents to the manifest.
pub fn consenting() -> RoleState {
    role(&[(TAG, "team-a")])
}

/// What the role that consents holds.
pub fn observed(policy: PolicyState) -> Observed {
    on(consenting(), policy)
}

/// What a role holds.
pub fn on(role: RoleState, policy: PolicyState) -> Observed {
    Observed::new(role, claim().policy(), policy)
}

/// IAM lags for a minute at most, and the object is looked at every ten.
pub fn pace() -> Pace {
    Pace::new(Duration::from_mins(1), Duration::from_mins(10))
}

/// Nothing is remembered but what the status says.
pub fn reported(digest: Option<&Digest>) -> Remembered {
    let written = digest.map(|digest| Written { role: ROLE_ID.to_owned(), digest: digest.clone() });
    Remembered::default().reporting(&claim().policy(), written)
}

/// The whole way from answers to a plan, for an object that is kept in step.
pub fn planned(intent: &Intent, answers: &Answers, observed: &Observed, reports: Option<&Digest>) -> Plan {
    let wish = Wish::InStep(Box::new(intent.clone()));
    decide(&wish, answers, observed, &reported(reports), &pace()).plan
}

/// The plan for any other wish of the manifest `assistant`.
pub fn planned_for(wish: &Wish, owners: &Answers, observed: &Observed) -> Plan {
    decide(wish, owners, observed, &Remembered::default(), &pace()).plan
}

/// The plan for a suspended object.
pub fn suspended(observed: &Observed) -> Plan {
    planned_for(&Wish::AsIs(claim(), None), &Answers::default(), observed)
}

/// What the only step of a plan does, if there is one.
pub fn change(plan: &Plan) -> Option<Change> {
    plan.steps().first().map(|step| step.change.clone())
}

/// What the manifest's policy is to be, by a plan that decides it.
pub fn desired(plan: &Plan) -> Desired {
    plan.desired(&claim().policy()).unwrap()
}

/// The policy that the only step of a plan writes.
pub fn put(plan: &Plan) -> &DesiredPolicy {
    let Some(Change::Put { desired, .. }) = plan.steps().first().map(|step| &step.change) else {
        panic!("the plan writes nothing: {plan:?}")
    };
    desired
}

/// The policy that a plan writes, as the next reconcile will observe it, and its digest.
pub fn carried_out(plan: &Plan) -> (PolicyState, Digest) {
    let document = &put(plan).document;
    (PolicyState::Ours(document.clone()), CanonicalPolicy::of(document).digest())
}

/// [`US`], called from us-east-1.
pub fn us() -> Target {
    profile(US, "us-east-1")
}

/// Bedrock routes [`us`] to three Regions.
pub fn us_answers() -> Answers {
    answers([(us(), routes(US, "us-east-1", &["us-east-1", "us-east-2", "us-west-2"]))])
}

/// The plan for a manifest that wants [`us`] alone.
pub fn plan_on(observed: &Observed) -> Plan {
    planned(&intent([us()]), &us_answers(), observed, None)
}

/// The same on a role that holds nothing yet.
pub fn first_plan() -> Plan {
    plan_on(&observed(PolicyState::Absent))
}

/// Only the reasons.
pub fn reasons(findings: &[Finding]) -> Vec<Reason> {
    findings.iter().map(|finding| finding.reason).collect()
}
