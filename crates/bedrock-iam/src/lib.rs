//! Exact IAM policies for Amazon Bedrock inference profiles, as pure functions.
//!
//! The policy on a role is a function of three values: what a manifest wants ([`Intent`]), what Bedrock answers
//! ([`Answers`]), and what the role holds today ([`Observed`]). Read the modules in the order in which data flows:
//!
//! | step | module | from → to |
//! |---|---|---|
//! | who writes | [`PolicyIdentity`] | cluster, namespace, name → policy name and first Sid |
//! | what is wanted | [`intent`] | the parsed manifest |
//! | what Bedrock says | [`answer`](mod@answer) | untrusted answers, one per target |
//! | what that means | [`resolve`](mod@resolve) | intent + answers + what is held → grants and findings |
//! | as a policy | [`policy`] | grants → [`Document`] |
//! | what went before | [`unsettled`], [`history`] | our last write and how often it was undone → what to believe, how patient to be |
//! | what has to go | [`revocation`] | withdrawn consent → what is left of a policy |
//! | what to do | [`plan`](mod@plan) | desired + observed → at most one write |
//! | whether it suffices | [`invocation`], [`evaluate`](mod@evaluate) | grants + what was read back → IAM's decision |
//! | what nobody looks after | [`orphan`] | a role of the account → policies of ours whose object is gone |
//! | what to say | [`verdict`](mod@verdict) | findings → conditions |
//!
//! Nothing here touches Kubernetes, AWS, a clock or the environment. Facts about Bedrock and IAM name their source:
//! the AWS page or API.

#![doc = include_str!("../docs/grants.md")]

mod bedrock;
pub mod decide;
mod iam;
mod names;
pub mod orphan;
pub mod policy;
pub mod resolve;
mod say;
mod want;

pub use bedrock::answer::{self, Answer, Answers};
pub use bedrock::family::{self, Family};
pub use bedrock::project::DefaultProjectArn;
pub use bedrock::target::Target;
pub use decide::{Decision, Plan, Step, Wish, decide};
pub use iam::canonical::{self, Digest, Meaning};
pub use iam::document::{self, Document};
pub use iam::evaluate;
pub use iam::foreign::ForeignStatements;
pub use iam::identity::PolicyIdentity;
pub use iam::observed::{Observed, PolicyState, Role, RoleState};
pub use iam::provenance::Written;
pub use names::account::Account;
pub use names::arn::{
    self, FoundationModelArn, GuardrailArn, InferenceProfileArn, OwnModelArn, OwnModelKind, Profile, RoleArn,
};
pub use names::fault::{Class, Fault};
pub use names::identifier::{
    self, AccountId, ModelId, ModelPrefix, Partition, ProfileId, Region, ResourceId, RoleName, Scope,
};
pub use names::policy::{PolicyKind, PolicyRef};
pub use names::tags::Tags;
pub use policy::diff;
pub use policy::grant::{self, Grant};
pub use policy::held::Held;
pub use policy::{invocation, revocation, size};
pub use resolve::Resolution;
pub use resolve::questions::{Questions, next_questions, questions_to_owners};
pub use say::finding::{self, Finding, Reason};
pub use say::verdict::{self, Verdict};
pub use want::consent;
pub use want::intent::{self, Claim, DriftPolicy, Intent};
pub use want::terms::{Guardrail, Operations, Terms};
