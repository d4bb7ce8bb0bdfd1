//! Exact IAM policies for Amazon Bedrock inference profiles, as pure functions.
//!
//! The policy on a role is a function of four values: what is wanted of it ([`Wish`]), what Bedrock answers ([`Answers`]), what the role
//! holds ([`Observed`]), and what is remembered of earlier writes ([`decide::Remembered`]). [`decide()`](decide::decide) is that function, and
//! the only one that puts the parts together. Read the folders of `src` in the order in which data flows:
//!
//! | step | folder | from → to |
//! |---|---|---|
//! | what things are called | `names` | strings → [`arn`]s, [`identifier`]s; a call that failed → [`Fault`] |
//! | what is wanted | `want` | a manifest, once parsed: [`Intent`] with its [`Claim`] and [`Terms`]; tags → [`consent`] |
//! | what Bedrock is asked | `resolve` | intent + answers so far → [`Questions`], until [`next_questions`] returns none |
//! | what Bedrock says | `bedrock` | one [`Answer`] for each [`Target`], and lists for each [`Family`]; nothing is believed yet |
//! | what the role holds | `iam` | IAM's answers → [`Observed`]; a [`Document`] → its [`CanonicalPolicy`]; a request → [`evaluate`](mod@evaluate) |
//! | what that means | [`resolve`](mod@resolve) | intent + answers + [`CurrentGrants`] → [`Resolution`]: grants and findings |
//! | as a policy | [`policy`] | grants → [`Document`], and back; what is cut out of one; how large it is |
//! | what to do | [`decide`](mod@decide) | all of it → [`Decision`], whose [`Plan`] has the steps in their order |
//! | whether it came about | [`decide`](mod@decide) | a policy read back → [`decide::verify`]; a step that failed → [`decide::step_failed`] |
//! | what to say | `say` | [`Finding`]s → [`conditions`]: the conditions |
//! | what the whole account shows | [`scan`] | a role of the account → what a look at it would have observed |
//! | what nobody looks after | [`orphan`] | a role of the account → policies of ours whose object is gone |
//!
//! Nothing here touches Kubernetes, AWS, a clock or the environment. Facts about Bedrock and IAM name their source:
//! the AWS page or API.
//!
//! # Words
//!
//! | word | is |
//! |---|---|
//! | inference profile | what a call names in place of a model, so that Bedrock may run it in one of several Regions |
//! | source Region | where a call is sent ([`Target::source`]) |
//! | destination | a Region in which Bedrock may run it; a global route may run it in any, which has no name ([`grant::destination`]) |
//! | scope | the prefix of a profile's id, such as `us` or `global`; or `in-region`, for calls without a profile |
//! | target | one profile or model that may be called from one source Region ([`Target`]); a family stands for many ([`Family`]) |
//! | grant | a target with the models that it really leads to ([`Grant`]); the current grants are what our policy holds now ([`CurrentGrants`]) |
//! | extra | what is granted beside calling a target ([`Extra`]); it comes with grants, and does not go with them ([`Extras`]) |
//! | claim | which policy on which role, and in whose name ([`Claim`]) |
//! | consent | what an owner says by a tag: which namespaces may use the role or the target ([`consent`]) |
//! | ownership marker | how our policy begins its first Sid, and no other does ([`PolicyIdentity::marker`]) |
//! | checksum | what stands behind the marker: the beginning of a [`Digest`] of what we wrote, which an edit leaves behind |
//! | expectation | our last write, while IAM's reads may still show what was there before ([`decide::Remembered`]) |
//! | drift | a policy that someone changed; it is repaired, and ever more slowly where it comes back ([`decide::Backoff`]) |
//! | foreign statements | what someone else put into our policy; it stays ([`ForeignStatements`]) |
//! | finding | one thing that is not as it is wanted ([`Finding`]): a reason for programs, a message for the person who must act |
//! | reason, condition | one of a closed table ([`Reason`]), and the line of a status in which it is shown ([`conditions::Condition`]) |

#![warn(clippy::missing_errors_doc)]
#![doc = include_str!("../docs/grants.md")]

mod bedrock;
pub mod decide;
mod iam;
mod names;
pub mod orphan;
pub mod packed;
pub mod policy;
pub mod resolve;
mod say;
pub mod scan;
mod want;

pub use bedrock::answer::{self, Answer, Answers};
pub use bedrock::family::{self, Family};
pub use bedrock::project::DefaultProjectArn;
pub use bedrock::target::Target;
pub use decide::{Decision, Plan, Step, Wish, decide};
pub use iam::canonical::{self, CanonicalPolicy, Digest};
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
pub use names::policy_ref::{PolicyKind, PolicyRef};
pub use names::tags::Tags;
pub use policy::current::CurrentGrants;
pub use policy::diff;
pub use policy::extra::Extra;
pub use policy::grant::{self, Grant};
pub use policy::{authorisation, revocation, size};
pub use resolve::Resolution;
pub use resolve::questions::{Questions, next_questions, questions_to_owners};
pub use say::conditions::{self, Verdict};
pub use say::finding::Finding;
pub use say::reason::{self, Reason};
pub use want::consent;
pub use want::extras::Extras;
pub use want::intent::{self, Claim, DriftPolicy, Intent};
pub use want::operations::Operations;
pub use want::terms::{Guardrail, Terms};
