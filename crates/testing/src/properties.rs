//! What must hold of any text that reaches the core; shared by the seeded tests and by the fuzzer.

pub(crate) mod exactness;
mod extras;
pub(crate) mod scene;

use std::fmt::{Debug, Display};
use std::str::FromStr;

use bedrock_iam::decide::{Change, Desired, verify};
use bedrock_iam::evaluate::{Request, evaluate};
use bedrock_iam::policy::{self, Form, INLINE_QUOTA};
use bedrock_iam::resolve::resolve;
use bedrock_iam::{
    CanonicalPolicy, CurrentGrants, DefaultProjectArn, Document, FoundationModelArn, GuardrailArn,
    InferenceProfileArn, Intent, OwnModelArn, PolicyState, RoleArn,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::world::{claim, planned};
use scene::Scene;

/// Reading never panics; what was read means the same once it is written and read again.
pub fn a_document_keeps_its_meaning(text: &str) {
    let identity = claim().identity;
    let state = PolicyState::of(text, &identity);
    let Ok(document) = Document::parse(text) else {
        assert!(state.is_foreign());
        return;
    };
    let written = document.to_json();
    for text in [written.clone(), utf8_percent_encode(&written, NON_ALPHANUMERIC).to_string()] {
        let again = Document::parse(&text).unwrap();
        assert_eq!(again, document, "{text}");
        assert_eq!(CanonicalPolicy::of(&again), CanonicalPolicy::of(&document), "{text}");
        assert_eq!(CanonicalPolicy::of(&again).digest(), CanonicalPolicy::of(&document).digest(), "{text}");
        assert_eq!(PolicyState::of(&text, &identity), state, "{text}");
    }
    assert!(document.characters() <= written.chars().count());
    CurrentGrants::of(&document).grants();
    let request = Request {
        action: "bedrock:InvokeModel".to_owned(),
        resource: "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0".to_owned(),
        context: [("aws:requestedregion".to_owned(), "us-east-1".to_owned())].into(),
    };
    // A decision or a refusal to decide are both right; only a panic is not.
    let _ = evaluate(&[&document], &request);
}

/// Reading never panics; what was read is written as it was.
pub fn an_arn_is_written_as_it_was_read(text: &str) {
    reads_back::<FoundationModelArn>(text);
    reads_back::<InferenceProfileArn>(text);
    reads_back::<OwnModelArn>(text);
    reads_back::<GuardrailArn>(text);
    reads_back::<RoleArn>(text);
    reads_back::<DefaultProjectArn>(text);
}

fn reads_back<T: FromStr<Err: Debug> + Display>(text: &str) {
    if let Ok(arn) = text.parse::<T>() {
        assert_eq!(arn.to_string(), text);
    }
}

/// Whatever Bedrock and the role answer: nothing panics, only exact grants are written, and they stay as they are.
pub fn grants_are_exact_and_settle(text: &str) {
    let scene = Scene::read(text);
    let Intent { claim, terms, .. } = &scene.intent;
    let policy = scene.observed.policy(&claim.policy());
    let held = CurrentGrants::in_policy(policy);
    let grants = resolve(&scene.intent, &scene.answers, &held).grants;
    for form in [Form::Explicit, Form::Factored] {
        if let Some(document) = policy::document(&claim.identity, &claim.account, &grants, terms, form) {
            exactness::assert_exact(&document, &scene);
            exactness::assert_founded(&document, &scene, &held);
        }
    }
    let plan = planned(&scene.intent, &scene.answers, &scene.observed, scene.last_written.as_ref());
    let Some(step) = plan.steps().first() else { return };
    if let Some(foreign) = policy.foreign() {
        let left = step.text().expect("what someone else wrote is never deleted");
        let read = PolicyState::of(&left.to_json(), &claim.identity);
        assert!(read.foreign() == Some(foreign) || left == foreign.alone(), "{} was lost", foreign.names());
    }
    if let Change::Put { desired, .. } = &step.change {
        for document in std::iter::once(&desired.document).chain(&desired.smaller) {
            exactness::assert_exact(document, &scene);
            exactness::assert_founded(document, &scene, &held);
            assert!(document.characters() <= INLINE_QUOTA, "{} characters", document.characters());
            settles(&scene, &step.desired(), document);
        }
    }
}

/// The policy that is written for a scene, if any.
pub fn written_for(text: &str) -> Option<String> {
    let scene = Scene::read(text);
    let plan = planned(&scene.intent, &scene.answers, &scene.observed, None);
    Some(plan.steps().first()?.text()?.to_json())
}

/// What was written is recognised as ours, suffices, and is not written again.
fn settles(scene: &Scene, desired: &Desired, document: &Document) {
    let Intent { claim, terms, .. } = &scene.intent;
    let policy = PolicyState::of(&document.to_json(), &claim.identity);
    assert_eq!(policy, PolicyState::Ours(document.clone()));
    // Whoever denies a scope that they also want is told so by the API server, and gets what they asked for.
    if terms.denied_scopes.is_empty() {
        assert_eq!(verify(claim, desired, &policy), None, "{}", document.to_json());
    }
    let written = CanonicalPolicy::of(document).digest();
    let mut observed = scene.observed.clone();
    observed.policies.insert(claim.policy(), policy);
    let next = planned(&scene.intent, &scene.answers, &observed, Some(&written));
    assert!(next.steps().is_empty(), "after {}", document.to_json());
}
