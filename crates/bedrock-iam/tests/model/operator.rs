use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use bedrock_iam::invocation;
use bedrock_iam::plan::{self, Cause};
use bedrock_iam::reason::{Area, Kstatus};
use bedrock_iam::*;
use testing::world::{self, US};

use crate::aws::{self, Author, Policy, Stored};
use crate::known::Known;
use crate::object::{MICRO_EAST_1, Pending, Spec, Told, US_EAST_1, US_EAST_2};

const SOURCE: &str = "us-east-1";
const MICRO: &str = "us.amazon.nova-micro-v1:0";

/// What Bedrock answers for the profile `US`; `MICRO` has one destination as long as Bedrock answers at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    Narrow,
    Wide,
    Unavailable,
}

impl Route {
    pub(crate) const ALL: [Self; 3] = [Self::Narrow, Self::Wide, Self::Unavailable];

    /// The permissions that Bedrock answers for.
    pub(crate) fn answered(self) -> u8 {
        match self {
            Self::Narrow => US_EAST_1 | MICRO_EAST_1,
            Self::Wide => US_EAST_1 | US_EAST_2 | MICRO_EAST_1,
            Self::Unavailable => 0,
        }
    }
}

/// Everything that one reconcile goes by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) object: usize,
    /// `None` in a deletion.
    pub(crate) spec: Option<Spec>,
    pub(crate) route: Route,
    /// As read.
    pub(crate) role: aws::Role,
    /// As read.
    pub(crate) policy: Policy,
    pub(crate) unsettled: Option<Known<Unsettled>>,
    pub(crate) told: Told,
    /// What the process knows that it wrote, or saw to be as it should.
    pub(crate) remembered: Option<Known<Digest>>,
}

/// What it comes to.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// After it was asked what to believe.
    pub(crate) unsettled: Option<Known<Unsettled>>,
    /// Whether something else was believed than what was read.
    pub(crate) is_doubted: bool,
    pub(crate) pending: Option<Pending>,
    pub(crate) desired: Option<Desired>,
    /// The status of a reconcile without a write.
    pub(crate) told: Told,
    pub(crate) reasons: Vec<Reason>,
    /// Whether what is believed to stand there is as it should be, and what that is.
    pub(crate) in_sync: (bool, Option<Known<Digest>>),
}

/// The operator's code: the product's own functions, in the order in which its driver calls them. Each is pure, so that an
/// answer once computed is looked up.
#[derive(Default)]
pub(crate) struct Operator {
    decisions: Memo<(Question, u8), Arc<Decision>>,
    writes: Memo<Written, Option<Known<Unsettled>>>,
    read_back: Memo<(usize, Known<Unsettled>, Policy), Known<Unsettled>>,
    permissions: Memo<Known<String>, u8>,
}

type Written = (Option<Known<Unsettled>>, Known<Observed>, Known<Step>);

struct Memo<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Memo<K, V> {
    fn get(&self, key: &K, compute: impl FnOnce() -> V) -> V {
        if let Some(value) = self.0.lock().unwrap().get(key) {
            return value.clone();
        }
        let value = compute();
        self.0.lock().unwrap().insert(key.clone(), value.clone());
        value
    }
}

impl Operator {
    /// From what was read to the one write.
    pub(crate) fn decide(&self, question: Question, patience: Patience) -> Arc<Decision> {
        let key = (question, patience as u8);
        self.decisions.get(&key, || {
            let question = &key.0;
            Arc::new(match question.spec {
                Some(spec) => keep(question, spec, patience),
                None => remove(question),
            })
        })
    }

    /// What is remembered of a write that AWS took.
    pub(crate) fn wrote(
        &self,
        earlier: Option<&Known<Unsettled>>,
        pending: &Pending,
    ) -> Option<Known<Unsettled>> {
        let key = (earlier.cloned(), pending.observed.clone(), pending.step.clone());
        self.writes.get(&key, || {
            let earlier = earlier.map(|earlier| (**earlier).clone());
            Unsettled::after(earlier, &pending.observed, &pending.step).map(Known::new)
        })
    }

    /// What is remembered once `policy` was read back.
    pub(crate) fn read_back(
        &self,
        object: usize,
        unsettled: &Known<Unsettled>,
        policy: &Policy,
    ) -> Known<Unsettled> {
        self.read_back.get(&(object, unsettled.clone(), policy.clone()), || {
            let mut unsettled = (**unsettled).clone();
            unsettled.believe_policy(read(object, policy));
            Known::new(unsettled)
        })
    }

    /// What IAM lets through by this policy.
    pub(crate) fn permissions(&self, policy: &Policy) -> u8 {
        let Some(Stored { text, .. }) = policy else { return 0 };
        self.permissions.get(text, || {
            let document = Document::parse(text).unwrap();
            let terms = world::terms(Operations::Both);
            let grants = [
                (US_EAST_1, grant(US, "us-east-1")),
                (US_EAST_2, grant(US, "us-east-2")),
                (MICRO_EAST_1, grant(MICRO, "us-east-1")),
            ];
            let allowed = grants.iter().filter(|(_, grant)| invocation::covers(&[&document], grant, &terms));
            allowed.map(|(permission, _)| permission).sum()
        })
    }
}

/// As the driver keeps an object in step.
fn keep(question: &Question, spec: Spec, patience: Patience) -> Decision {
    let intent = intent(question.object, spec);
    let claim = &intent.claim;
    let (unsettled, seen, observed) = believe(question, claim);
    let last_written = last_written(&question.told, &observed.role);
    let history = History {
        last_written,
        remembered: question.remembered.as_ref().map(|digest| (**digest).clone()),
        pause: std::time::Duration::ZERO,
        patience,
    };
    let held = CurrentGrants::read(&observed.policy, &history);
    let resolution = resolve::resolve(&intent, &world::account(), &answers(question.route), &held);
    let plan = plan::plan(&intent, &world::account(), &resolution, &observed, &history);
    let plan = match &unsettled {
        Some(unsettled) => unsettled.restrain(plan, claim),
        None => plan,
    };

    let not_shown = unsettled.as_ref().and_then(|unsettled| unsettled.finding(claim));
    let findings: Vec<&Finding> = plan.findings.iter().chain(&not_shown).collect();
    let is_complete = findings.iter().all(|finding| finding.reason.kstatus() != Kstatus::Unknown);
    let digest = match &plan.desired {
        Some(Desired::Policy(_)) if is_complete => observed.policy.document().map(digest),
        Some(Desired::Nothing) if is_complete => None,
        _ => question.told.digest.clone(),
    };
    Decision {
        unsettled: unsettled.map(Known::new),
        is_doubted: observed != seen,
        told: Told { role: role_id(&observed.role), digest },
        reasons: findings.iter().map(|finding| finding.reason).collect(),
        in_sync: (
            plan.desired.is_some()
                && findings.iter().all(|finding| finding.reason.area() != Area::PolicyInSync),
            observed.policy.document().map(|document| Known::new(CanonicalPolicy::of(document).digest())),
        ),
        pending: pending(question, &plan, observed),
        desired: plan.desired,
    }
}

/// As the driver removes an object's policy before the object goes.
fn remove(question: &Question) -> Decision {
    let claim = claim(question.object);
    let (unsettled, seen, observed) = believe(question, &claim);
    let last_written = last_written(&question.told, &observed.role);
    let plan = plan::release(&claim, &world::account(), &observed, last_written.as_ref());
    Decision {
        unsettled: unsettled.map(Known::new),
        is_doubted: observed != seen,
        told: question.told.clone(),
        reasons: plan.findings.iter().map(|finding| finding.reason).collect(),
        in_sync: (false, None),
        pending: pending(question, &plan, observed),
        desired: plan.desired,
    }
}

/// What was read, and what of it is believed.
fn believe(question: &Question, claim: &Claim) -> (Option<Unsettled>, Observed, Observed) {
    let seen = Observed { role: role(question.role), policy: read(question.object, &question.policy) };
    let mut unsettled = question.unsettled.as_ref().map(|unsettled| (**unsettled).clone());
    let observed = match &mut unsettled {
        Some(unsettled) => unsettled.believe(seen.clone(), claim),
        None => seen.clone(),
    };
    (unsettled, seen, observed)
}

fn pending(question: &Question, plan: &Plan, observed: Observed) -> Option<Pending> {
    let step = plan.step.clone()?;
    let left = step.leaves();
    let author = if left.is_foreign() { Author::Foreign } else { Author::Operator };
    Some(Pending {
        write: step.text().map(|document| Stored::new(author, document.to_json())),
        told: Told { role: role_id(&observed.role), digest: left.document().map(digest) },
        is_repair: matches!(step, Step::Put { cause: Cause::Drift, .. }),
        observed: Known::new(observed),
        spec: question.spec,
        is_trespass: false,
        is_beside: false,
        step: Known::new(step),
    })
}

/// What the policy is to be at rest, by grants that are written down here and not resolved.
pub(crate) fn expected(object: usize, spec: Spec, route: Route) -> Option<CanonicalPolicy> {
    let us: &[&str] = if route == Route::Narrow { &["us-east-1"] } else { &["us-east-1", "us-east-2"] };
    let ids: &[(&str, &[&str])] = match spec {
        Spec::Nothing => &[],
        Spec::Us => &[(US, us)],
        Spec::UsAndMicro => &[(US, us), (MICRO, &["us-east-1"])],
    };
    let grants: Vec<Grant> = ids
        .iter()
        .map(|(id, regions)| Grant::Profile {
            arn: world::profile_arn(id, SOURCE).parse().unwrap(),
            models: regions.iter().map(|region| model(id, region)).collect(),
        })
        .collect();
    let terms = world::terms(Operations::Both);
    let form = policy::Form::Explicit;
    let document = policy::document(&aws::identity(object), &world::account(), &grants, &terms, form);
    document.as_ref().map(CanonicalPolicy::of)
}

/// Whether the read-back proves that what was wanted is there.
pub(crate) fn is_proven(object: usize, desired: &Desired, policy: &Policy) -> bool {
    plan::verify(&claim(object), desired, &read(object, policy)).is_none()
}

fn claim(object: usize) -> Claim {
    Claim { identity: aws::identity(object), ..world::claim() }
}

fn intent(object: usize, spec: Spec) -> Intent {
    let ids: &[&str] = match spec {
        Spec::Nothing => &[],
        Spec::Us => &[US],
        Spec::UsAndMicro => &[US, MICRO],
    };
    let targets = ids.iter().map(|id| world::profile(id, SOURCE));
    Intent { claim: claim(object), ..world::intent(targets) }
}

fn answers(route: Route) -> Answers {
    let us = |destinations: &[&str]| world::routes(US, SOURCE, destinations);
    let (us, micro) = match route {
        Route::Narrow => (us(&["us-east-1"]), world::routes(MICRO, SOURCE, &["us-east-1"])),
        Route::Wide => (us(&["us-east-1", "us-east-2"]), world::routes(MICRO, SOURCE, &["us-east-1"])),
        Route::Unavailable => (world::unavailable(), world::unavailable()),
    };
    world::answers([(world::profile(US, SOURCE), us), (world::profile(MICRO, SOURCE), micro)])
}

fn grant(id: &str, destination: &str) -> Grant {
    let arn = world::profile_arn(id, SOURCE).parse().unwrap();
    Grant::Profile { arn, models: [model(id, destination)].into() }
}

fn model(id: &str, region: &str) -> FoundationModelArn {
    world::model_arn(id.split_once('.').unwrap().1, region).parse().unwrap()
}

fn role(role: aws::Role) -> RoleState {
    let namespaces = if role.consents { "team-a" } else { "@none" };
    let RoleState::Found(found) = world::role(&[("bedrockaccess.io/namespaces", namespaces)]) else {
        panic!("the fixture has no role")
    };
    RoleState::Found(Role { id: role_id_of(role), ..found })
}

pub(crate) fn role_id_of(role: aws::Role) -> String {
    format!("AROA{}", role.id)
}

fn role_id(role: &RoleState) -> Option<String> {
    match role {
        RoleState::Found(role) => Some(role.id.clone()),
        RoleState::Missing | RoleState::Fault(_) => None,
    }
}

pub(crate) fn read(object: usize, policy: &Policy) -> PolicyState {
    policy
        .as_ref()
        .map_or(PolicyState::Absent, |stored| PolicyState::of(&stored.text, &aws::identity(object)))
}

fn last_written(told: &Told, role: &RoleState) -> Option<Digest> {
    let digest = told.digest.as_ref().filter(|_| told.role == role_id(role))?;
    Some((**digest).clone())
}

fn digest(document: &Document) -> Known<Digest> {
    Known::new(CanonicalPolicy::of(document).digest())
}
