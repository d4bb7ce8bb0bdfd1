//! Exact IAM policies for Amazon Bedrock inference profiles, as pure functions.
//!
//! The policy on a role is a function of three values: what a manifest wants ([`Intent`]), what Bedrock answers
//! ([`Answers`]), and what the role holds today ([`Observed`]). Read the modules in the order in which data flows:
//!
//! | step | module | from → to |
//! |---|---|---|
//! | who writes | [`identity`] | cluster, namespace, name → policy name and first Sid |
//! | what is wanted | [`intent`] | the parsed manifest |
//! | what Bedrock says | [`answer`] | untrusted answers, one per target |
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

pub mod answer;
pub mod arn;
pub mod canonical;
pub mod consent;
pub mod document;
pub mod evaluate;
pub mod family;
pub mod fault;
pub mod finding;
pub mod foreign;
pub mod grant;
pub mod held;
pub mod history;
pub mod identifier;
pub mod identity;
pub mod intent;
pub mod invocation;
pub mod observed;
pub mod orphan;
pub mod plan;
pub mod policy;
pub mod project;
pub mod resolve;
pub mod revocation;
pub mod size;
pub mod unsettled;
pub mod verdict;

pub use answer::{Answer, Answers, Tags};
pub use arn::{
    FoundationModelArn, GuardrailArn, InferenceProfileArn, OwnModelArn, OwnModelKind, Profile, RoleArn,
};
pub use canonical::{Digest, Meaning};
pub use document::Document;
pub use family::Family;
pub use fault::{Class, Fault};
pub use finding::{Finding, Reason};
pub use foreign::ForeignStatements;
pub use grant::Grant;
pub use held::Held;
pub use history::{History, Patience};
pub use identifier::{
    AccountId, ModelId, ModelPrefix, Partition, ProfileId, Region, ResourceId, RoleName, Scope,
};
pub use identity::PolicyIdentity;
pub use intent::{Claim, DriftPolicy, Guardrail, Intent, Operations, Target, Terms};
pub use observed::{Account, Observed, PolicyState, Role, RoleState};
pub use plan::{Desired, Plan, Step};
pub use project::DefaultProjectArn;
pub use resolve::Resolution;
pub use unsettled::Unsettled;
pub use verdict::Verdict;
