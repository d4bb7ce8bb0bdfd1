//! The operator's code: the product's own functions, as its driver calls them. Each is pure, so that an answer once computed is
//! looked up.

use std::ops::{BitOr, ControlFlow};
use std::sync::Arc;
use std::time::Duration;

use bedrock_iam::answer::Answers;
use bedrock_iam::consent::{self, Tenant};
use bedrock_iam::decide::{Failed, Outcome, Pace, Remembered, step_failed, verify};
use bedrock_iam::{
    Claim, Class, Decision, Digest, Document, Fault, Finding, Intent, Observed, Plan, PolicyState, Reason,
    Role, RoleState, Step, Wish, Written, decide, next_questions, questions_to_owners,
};
use testing::world;

use crate::aws::{self, Author, FORMER, FORMER_ID, Policy, Route, Stored, Tag};
use crate::catalog::{self, Spec};
use crate::known::Known;
use crate::memo::Memo;
use crate::promise::{self, Promise};

/// The unit of time.
const TICK: Duration = Duration::from_mins(1);

/// What is wanted of an object's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Want {
    InStep(Spec),
    Suspended,
    /// The manifest cannot be followed.
    Invalid,
    Gone,
    Retained,
}

/// What a read comes to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Read<T> {
    Shown(T),
    Unanswered,
}

/// The object that is reconciled, as the operator knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    pub(crate) object: usize,
    /// It has changed since, so that only what owners withdrew is carried out.
    pub(crate) is_outdated: bool,
    pub(crate) asks: consent::ConsentPolicy,
    /// Its policy is moved from another cluster id.
    pub(crate) is_moving: bool,
    pub(crate) told: Told,
}

/// Everything that one reconcile goes by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) subject: Subject,
    pub(crate) want: Want,
    pub(crate) route: Route,
    pub(crate) application: Tag,
    pub(crate) role: Read<aws::Role>,
    pub(crate) policy: Read<Policy>,
    /// The policy under the former cluster id, where there is one.
    pub(crate) former: Option<Read<Policy>>,
    pub(crate) remembered: Known<Remembered>,
}

/// Of the status, what a later reconcile goes by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Told {
    /// The unique id of the role.
    role: Arc<str>,
    /// Of what we last wrote.
    pub(crate) digest: Option<Arc<str>>,
}

/// What a question comes to.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub(crate) decision: Known<Decision>,
    /// Whether something else was believed than what was read.
    pub(crate) is_doubted: bool,
    /// What our policies let through as they are believed to stand there, and once the plan is carried out; `None` where there is none.
    pub(crate) held: Option<u8>,
    pub(crate) left: Option<u8>,
    /// What is remembered from then on.
    pub(crate) remembered: Known<Remembered>,
    pub(crate) course: Course,
    pub(crate) broken: Option<Promise>,
}

/// What is done next.
#[derive(Clone, Debug)]
pub(crate) enum Course {
    /// Under these names this is to stand in IAM, one after the other; `None` after a deletion.
    Writes(Vec<(usize, Policy)>),
    Ends(End),
}

/// How a reconcile ends.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) remembered: Known<Remembered>,
    pub(crate) told: Told,
    pub(crate) reasons: Vec<Reason>,
    /// Whether it does not end yet, since the next step is taken.
    pub(crate) goes_on: bool,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sent {
    /// There was nothing to send.
    Nothing,
    /// AWS took it for an object of this generation, and it was read back so.
    Taken(u8, Read<Policy>),
    /// AWS refused it.
    Refused,
    /// AWS did not answer.
    Unanswered,
}

type Ending = (Subject, Known<Decision>, usize, Known<Remembered>, Sent);

pub(crate) struct Operator {
    /// For how many ticks a read may still show what was there before a change.
    pub(crate) lag: u8,
    pace: Pace,
    decisions: Memo<Question, Arc<Decided>>,
    ends: Memo<Ending, Arc<End>>,
    following: Memo<(Known<Remembered>, u8), Known<Remembered>>,
    later: Memo<Known<Remembered>, Known<Remembered>>,
    reads: Memo<(usize, Known<String>), PolicyState>,
    permissions: Memo<Known<String>, u8>,
}

impl Operator {
    /// One repair is taken for chance, and a quarrel forgotten as soon as may be: more would only make
    /// the model deeper.
    pub(crate) fn new(lag: u8) -> Self {
        let pace = Pace { iam_lag: TICK * lag.into(), interval: Duration::ZERO, repairs_by_chance: 1 };
        Self {
            lag,
            pace,
            decisions: Memo::default(),
            ends: Memo::default(),
            following: Memo::default(),
            later: Memo::default(),
            reads: Memo::default(),
            permissions: Memo::default(),
        }
    }

    /// From what was read to what is to be written.
    pub(crate) fn decide(&self, question: &Question) -> Arc<Decided> {
        self.decisions.get(question, || Arc::new(self.decided(question)))
    }

    /// How a reconcile goes on whose next step was sent after so many others, by what is remembered at that time.
    pub(crate) fn end(
        &self,
        subject: Subject,
        (decision, taken): (&Known<Decision>, usize),
        remembered: &Known<Remembered>,
        sent: Sent,
    ) -> Arc<End> {
        let key = (subject, decision.clone(), taken, remembered.clone(), sent);
        let (subject, .., sent) = &key;
        let remembered = || (**remembered).clone();
        self.ends.get(&key, || Arc::new(self.ended(subject, (decision, taken), remembered(), sent)))
    }

    /// What is remembered of an object of this generation.
    pub(crate) fn following(&self, remembered: &Known<Remembered>, generation: u8) -> Known<Remembered> {
        self.following.get(&(remembered.clone(), generation), || {
            Known::new((**remembered).clone().following(Some(generation.into())))
        })
    }

    /// What is remembered one tick later.
    pub(crate) fn later(&self, remembered: &Known<Remembered>) -> Known<Remembered> {
        self.later.get(remembered, || Known::new((**remembered).clone().after(TICK, &self.pace)))
    }

    /// What IAM lets through by this policy.
    pub(crate) fn permissions(&self, policy: &Policy) -> u8 {
        let Some(Stored { text, .. }) = policy else { return 0 };
        self.permissions_of(text)
    }

    fn decided(&self, question: &Question) -> Decided {
        let Question { subject, .. } = question;
        let (claim, observed) = (claim(subject), self.observe(question));
        let (wish, answers) = ask(question, &observed);
        let wish = if subject.is_outdated { Wish::AsIs(claim.clone(), None) } else { wish };
        let remembered = (*question.remembered).clone().reporting(&claim.policy(), subject.told.written());
        let decision = decide(&wish, &answers, &observed, &remembered, &self.pace);
        let steps = decision.plan.steps();
        let believed = |claim: &Claim| decision.believed.policy(&claim.policy()).clone();
        let held = claim.with_former().filter_map(|claim| self.lets_through(&believed(claim)));
        let left =
            claim.with_former().filter_map(|claim| self.lets_through(&decision.leaves(&claim.policy())));
        let (held, left) = (held.reduce(BitOr::bitor), left.reduce(BitOr::bitor));
        let course = if steps.is_empty() {
            let remembered = decision.remembered.clone();
            Course::Ends(self.ended(subject, (&decision, 0), remembered, &Sent::Nothing))
        } else {
            Course::Writes(steps.iter().map(|step| (name_of(&claim, subject, step), written(step))).collect())
        };
        Decided {
            is_doubted: decision.believed != observed,
            held,
            left,
            broken: promise::broken_by(question, &answers, &decision, held, left),
            remembered: Known::new(decision.remembered.clone().kept()),
            course,
            decision: Known::new(decision),
        }
    }

    /// As the driver goes on after a step, and ends a reconcile: it remembers each write, reads it back, and tells.
    fn ended(
        &self,
        subject: &Subject,
        (decision, taken): (&Decision, usize),
        mut remembered: Remembered,
        sent: &Sent,
    ) -> End {
        let claim = claim(subject);
        let Decision { believed, plan, .. } = decision;
        let mut outcome = Outcome::before(decision);
        for step in &plan.steps()[..taken] {
            let _ = outcome.took(step.clone(), step.leaves(), None);
        }
        let flow = match (sent, plan.steps().get(taken)) {
            (Sent::Taken(generation, shown), Some(step)) => {
                remembered.wrote(believed, step, Some((*generation).into()));
                let shown = self.read(name_of(&claim, subject, step), shown);
                let finding = verify(claim.in_whose_name(&step.policy), &step.desired(), &shown);
                outcome.took(step.clone(), remembered.read_back(&step.policy, shown), finding)
            }
            (Sent::Refused, Some(step)) => outcome.failed(failed(&claim, plan, step, Class::Unavailable)),
            (Sent::Unanswered, Some(step)) => outcome.failed(failed(&claim, plan, step, Class::Unanswered)),
            (_, None) | (Sent::Nothing, _) => ControlFlow::Break(()),
        };
        let goes_on = flow.is_continue() && taken + 1 < plan.steps().len();
        let reasons = outcome.findings.iter().map(|finding| finding.reason).collect();
        let told = told(subject, &claim, decision, &outcome);
        // Who finds the object changed tells nothing.
        if !subject.is_outdated && !goes_on {
            remembered.told(plan, &outcome, &believed.role, None);
        }
        End { remembered: Known::new(remembered.kept()), told, reasons, goes_on }
    }

    /// As IAM answers.
    fn observe(&self, question: &Question) -> Observed {
        let role = match question.role {
            Read::Shown(role) => RoleState::Found(Role {
                arn: "arn:aws:iam::111122223333:role/assistant".parse().unwrap(),
                id: role.unique_id(),
                tags: role.tag.tags(),
            }),
            Read::Unanswered => RoleState::Fault(unanswered()),
        };
        let claim = claim(&question.subject);
        let own = (claim.policy(), self.read(question.subject.object, &question.policy));
        let former = claim.former.iter().zip(&question.former);
        let former = former.map(|(claim, policy)| (claim.policy(), self.read(FORMER, policy)));
        Observed { role, policies: [own].into_iter().chain(former).collect() }
    }

    pub(crate) fn read(&self, object: usize, policy: &Read<Policy>) -> PolicyState {
        match policy {
            Read::Shown(Some(stored)) => self.reads.get(&(object, stored.text.clone()), || {
                PolicyState::of(&stored.text, &aws::identity(object))
            }),
            Read::Shown(None) => PolicyState::Absent,
            Read::Unanswered => PolicyState::Fault(unanswered()),
        }
    }

    /// What our policy lets through, where there is one.
    fn lets_through(&self, policy: &PolicyState) -> Option<u8> {
        let document = policy.document()?;
        Some(self.permissions_of(&Known::new(document.to_json())))
    }

    fn permissions_of(&self, text: &Known<String>) -> u8 {
        self.permissions.get(text, || catalog::permissions(&Document::parse(text).unwrap()))
    }
}

fn written(step: &Step) -> Policy {
    let author = if step.leaves().is_foreign() { Author::Foreign } else { Author::Operator };
    step.text().map(|document| Stored::new(author, document.to_json()))
}

/// Which of the names a step writes under.
fn name_of(claim: &Claim, subject: &Subject, step: &Step) -> usize {
    if step.policy == claim.policy() { subject.object } else { FORMER }
}

fn failed(claim: &Claim, plan: &Plan, step: &Step, class: Class) -> Failed {
    let fault = Fault { class, message: "no answer".to_owned() };
    let finding = step_failed(claim.in_whose_name(&step.policy), plan, step, &fault, None);
    Failed { fault, finding }
}

impl Decided {
    pub(crate) fn writes(&self) -> bool {
        matches!(self.course, Course::Writes(_))
    }

    /// What is said against the object.
    pub(crate) fn says(&self, reason: Reason) -> bool {
        self.decision.plan.findings.iter().any(|finding| finding.reason == reason)
    }
}

impl Told {
    fn written(&self) -> Option<Written> {
        let digest = Digest::stored(self.digest.as_ref()?);
        Some(Written { role: self.role.to_string(), digest })
    }
}

fn told(subject: &Subject, claim: &Claim, decision: &Decision, outcome: &Outcome) -> Told {
    let before = &subject.told;
    let role = match &decision.believed.role {
        RoleState::Found(role) if claim.tenant.consent(&role.tags) == consent::Consent::Given => {
            role.id.as_str().into()
        }
        RoleState::Found(_) | RoleState::Missing => "".into(),
        RoleState::Fault(_) => Arc::clone(&before.role),
    };
    let policy = claim.policy();
    let reported = before.digest.as_deref();
    let digest = if outcome.policy(&policy).fault().is_some() {
        before.digest.clone()
    } else {
        outcome.digest(&policy, &decision.plan, &decision.believed.role, reported).map(Into::into)
    };
    // The one says nothing without the other.
    digest.map_or_else(Told::default, |digest| Told { role, digest: Some(digest) })
}

fn claim(subject: &Subject) -> Claim {
    let Claim { tenant, .. } = world::claim();
    let tenant = Tenant { policy: subject.asks, ..tenant };
    let former = subject.is_moving.then(|| {
        let tenant = Tenant { cluster_id: FORMER_ID.to_owned(), ..tenant.clone() };
        Box::new(Claim { identity: aws::identity(FORMER), tenant, ..world::claim() })
    });
    Claim { identity: aws::identity(subject.object), tenant, former, ..world::claim() }
}

/// Asks whatever the driver asks of Bedrock.
fn ask(question: &Question, observed: &Observed) -> (Wish, Answers) {
    let claim = claim(&question.subject);
    let application = question.application.tags();
    let answer = |questions, answers: &mut Answers| {
        catalog::answer(questions, question.route, &application, answers);
    };
    let mut answers = Answers::default();
    let wish = match question.want {
        Want::InStep(spec) => {
            let intent = Intent { claim: claim.clone(), ..world::intent(spec.targets()) };
            loop {
                let questions = next_questions(&intent, &answers).unwrap();
                if questions.is_empty() {
                    break;
                }
                answer(questions, &mut answers);
            }
            Wish::InStep(Box::new(intent))
        }
        Want::Suspended => Wish::AsIs(claim.clone(), None),
        Want::Invalid => {
            Wish::AsIs(claim.clone(), Some(Finding::new(Reason::InvalidSpec, "it cannot be followed")))
        }
        Want::Gone => return (Wish::Gone(claim), answers),
        Want::Retained => Wish::Retained(claim.clone()),
    };
    for claim in claim.with_former() {
        answer(questions_to_owners(claim, observed.policy(&claim.policy()), &answers), &mut answers);
    }
    (wish, answers)
}

fn unanswered() -> Fault {
    Fault { class: Class::Unavailable, message: "IAM does not answer".to_owned() }
}
