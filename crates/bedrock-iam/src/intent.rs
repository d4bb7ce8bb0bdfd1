//! What a manifest wants, once it is parsed: no options, no strings that could be anything.

use std::collections::BTreeSet;

use crate::arn::{GuardrailArn, InferenceProfileArn, OwnModelArn, OwnModelKind, Profile, RoleArn};
use crate::consent::Applicant;
use crate::family::Family;
use crate::finding::Finding;
use crate::identifier::{ModelId, ProfileId, Region, ResourceId, RoleName, Scope};
use crate::identity::PolicyIdentity;
use crate::observed::Account;
use crate::project::DefaultProjectArn;

/// Which policy on which role, and in whose name: all that is needed to take a policy away again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Under which name we write.
    pub identity: PolicyIdentity,
    /// Whose consent the role must have given.
    pub applicant: Applicant,
    /// The role, in the operator's own account.
    pub role: RoleName,
    /// The whole ARN that the role must have, where the manifest gave one.
    pub role_arn: Option<RoleArn>,
}

impl Claim {
    /// Whether the manifest names a role of another account or partition, in which nothing is ever written.
    pub fn is_elsewhere(&self, account: &Account) -> bool {
        let is_elsewhere = |arn: &RoleArn| arn.account != account.id || arn.partition != account.partition;
        self.role_arn.as_ref().is_some_and(is_elsewhere)
    }

    /// The command by which the role's owner removes the policy.
    pub fn removal_command(&self) -> String {
        let (role, policy) = (&self.role, self.identity.policy_name());
        format!("aws iam delete-role-policy --role-name {role} --policy-name {policy}")
    }
}

/// Everything that a manifest asks of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Where it is to be written.
    pub claim: Claim,
    /// What the role may call, and from where.
    pub targets: BTreeSet<Target>,
    /// Of which models every member is wanted.
    pub families: BTreeSet<Family>,
    /// What stands against single entries of the manifest; the others are served all the same.
    pub refused: Vec<Finding>,
    /// On what terms.
    pub terms: Terms,
    /// The residency lock: no grant may reach a Region outside it.
    pub allowed_destination_regions: Option<BTreeSet<Region>>,
    /// What to do about someone else's changes.
    pub drift_policy: DriftPolicy,
    /// The profile whose shorter answer the user accepts, if any.
    pub accepted_shrink: Option<AcceptedShrink>,
}

/// A user's word that a profile really became shorter, or that it or a model is gone: `PROFILE[@REGION]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedShrink {
    /// The profile's or the model's id.
    pub profile: String,
    /// The source Region; every one if absent.
    pub source: Option<Region>,
}

impl AcceptedShrink {
    /// Whether the word is about this profile or model in this source Region.
    pub fn covers(&self, profile: &str, source: &Region) -> bool {
        self.profile == profile && self.source.as_ref().is_none_or(|region| region == source)
    }
}

/// One thing that may be called from one source Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A system-defined inference profile.
    Profile {
        /// The source Region.
        source: Region,
        /// The profile.
        id: ProfileId,
    },
    /// A foundation model on demand, without a profile (`scopes: [in-region]`).
    OnDemand {
        /// The source Region, which is also the only destination.
        source: Region,
        /// The model.
        model: ModelId,
    },
    /// An application inference profile of the operator's account.
    ApplicationProfile {
        /// The source Region.
        source: Region,
        /// The profile.
        id: ResourceId,
    },
    /// A model of the operator's account that is invoked by its own ARN; Bedrock is not asked what it is.
    OwnModel {
        /// The source Region, which is also the only destination.
        source: Region,
        /// What kind of model.
        kind: OwnModelKind,
        /// The model.
        id: ResourceId,
    },
}

impl Target {
    /// The profile's or the model's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Profile { id, .. } => id.as_str(),
            Self::OnDemand { model, .. } => model.as_str(),
            Self::ApplicationProfile { id, .. } | Self::OwnModel { id, .. } => id.as_str(),
        }
    }

    /// The source Region.
    pub fn source(&self) -> &Region {
        match self {
            Self::Profile { source, .. }
            | Self::OnDemand { source, .. }
            | Self::ApplicationProfile { source, .. }
            | Self::OwnModel { source, .. } => source,
        }
    }

    /// Whether it belongs to an account; what AWS offers to everybody does not.
    pub fn belongs_to_account(&self) -> bool {
        matches!(self, Self::ApplicationProfile { .. } | Self::OwnModel { .. })
    }

    /// The ARN of a target that belongs to an account, and so has to consent by a tag of its own; `None` for what AWS offers
    /// to everybody.
    pub fn owned(&self, account: &Account) -> Option<String> {
        let Account { id: owner, partition } = account.clone();
        match self.clone() {
            Self::Profile { .. } | Self::OnDemand { .. } => None,
            Self::ApplicationProfile { source: region, id } => {
                let profile = Profile::Application(id);
                Some(InferenceProfileArn { partition, region, account: owner, profile }.to_string())
            }
            Self::OwnModel { source: region, kind, id } => {
                Some(OwnModelArn { partition, region, account: owner, kind, id }.to_string())
            }
        }
    }
}

/// On what terms the role may call what it is granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The actions.
    pub operations: Operations,
    /// In which projects calls may be made.
    pub projects: BTreeSet<DefaultProjectArn>,
    /// Where there are any, a call must name one of them.
    pub guardrails: BTreeSet<Guardrail>,
    /// Guardrails among them that may not be applied, since their owner does not consent.
    pub withheld: BTreeSet<GuardrailArn>,
    /// Profiles that are denied, whatever else is on the role.
    pub denied_scopes: BTreeSet<Scope>,
}

/// One version of a guardrail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guardrail {
    /// The guardrail.
    pub arn: GuardrailArn,
    /// Its number; `None` is the working draft.
    pub version: Option<u32>,
}

impl GuardrailArn {
    /// Whether the guardrail belongs to the account.
    pub fn is_of(&self, account: &Account) -> bool {
        self.account == account.id && self.partition == account.partition
    }
}

impl Terms {
    /// The guardrails that may be applied.
    pub fn applied(&self) -> BTreeSet<&GuardrailArn> {
        let all = self.guardrails.iter().map(|guardrail| &guardrail.arn);
        all.filter(|arn| !self.withheld.contains(arn)).collect()
    }

    /// The guardrails that belong to the account, and so have to consent by a tag of their own.
    pub fn owned_guardrails(&self, account: &Account) -> BTreeSet<GuardrailArn> {
        let all = self.guardrails.iter().map(|guardrail| &guardrail.arn);
        all.filter(|arn| arn.is_of(account)).cloned().collect()
    }

    /// The guardrails of other accounts, whose owners allow them by a resource policy.
    pub fn others_guardrails(&self, account: &Account) -> BTreeSet<&GuardrailArn> {
        let all = self.guardrails.iter().map(|guardrail| &guardrail.arn);
        all.filter(|arn| !arn.is_of(account)).collect()
    }
}

impl Guardrail {
    /// The value of `bedrock:GuardrailIdentifier`: with the number behind a colon, without one for the draft (Bedrock User
    /// Guide, "Enforce the use of specific guardrails in model inference requests").
    pub fn identifier(&self) -> String {
        self.version.map_or_else(|| self.arn.to_string(), |version| format!("{}:{version}", self.arn))
    }
}

/// The Bedrock actions of a grant (Service Authorization Reference).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operations {
    /// `bedrock:InvokeModel`, which also authorises Converse.
    Invoke,
    /// `bedrock:InvokeModelWithResponseStream`, which also authorises ConverseStream.
    Stream,
    /// Both.
    #[default]
    Both,
}

impl Operations {
    /// The IAM actions.
    pub fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Invoke => &["bedrock:InvokeModel"],
            Self::Stream => &["bedrock:InvokeModelWithResponseStream"],
            Self::Both => &["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
        }
    }
}

/// What to do when the policy on the role is no longer what we last wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftPolicy {
    /// Repair it.
    Enforce,
    /// Report it, and write only for a new object, a changed spec or a changed route.
    Report,
}
