//! What stands between a manifest and its policy: one finding for each, with the reason that a condition shows.

use crate::names::fault::Class;

/// One thing that is not as the manifest wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Why, as conditions show it.
    pub reason: Reason,
    /// What is wrong, where, and what to do; stable while nothing changes.
    pub message: String,
}

impl Finding {
    /// A finding with its message.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// The condition that a reason belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Area {
    /// `Ready` itself: the manifest cannot be worked with.
    Ready,
    /// `RoleAccepted`.
    RoleAccepted,
    /// `ProfilesResolved`.
    ProfilesResolved,
    /// `PolicyInSync`.
    PolicyInSync,
}

/// Who has to act, and so what a tool that waits should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kstatus {
    /// The manifest, the role or AWS must change first: `Stalled`.
    Stalled,
    /// It may still come right: `Reconciling`, condition False.
    Waiting,
    /// Not known, because a service did not answer: `Reconciling`, condition Unknown.
    Unknown,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $text:literal: $area:ident, $outlook:ident;)*) => {
        /// The closed set of reasons, in the order in which `Ready` prefers them within a condition.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As conditions and Events show it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The condition that it belongs to.
            pub fn area(self) -> Area {
                match self { $(Self::$name => Area::$area,)* }
            }

            /// What a tool that waits should do.
            pub fn kstatus(self) -> Kstatus {
                match self { $(Self::$name => Kstatus::$outlook,)* }
            }
        }
    };
}

reasons! {
    /// A field of the manifest is not what it must be.
    InvalidSpec "InvalidSpec": Ready, Stalled;
    /// The operator itself failed on the object.
    InternalError "InternalError": Ready, Unknown;
    /// AWS could not be asked for longer than an object is taken on trust.
    Stale "Stale": Ready, Unknown;
    /// A field that this version cannot serve.
    NotSupported "NotSupported": Ready, Stalled;
    /// The role is in another account or partition, or under another ARN.
    AccountNotServed "AccountNotServed": RoleAccepted, Stalled;
    /// AWS alone may modify the role.
    RoleProtected "RoleProtected": RoleAccepted, Stalled;
    /// There is no such role.
    RoleNotFound "RoleNotFound": RoleAccepted, Waiting;
    /// The role of that name has another path, account or partition than the manifest's ARN.
    RoleArnDiffers "RoleNotFound": RoleAccepted, Stalled;
    /// The role's tag does not list the namespace.
    ConsentMissing "ConsentMissing": RoleAccepted, Waiting;
    /// The operator may not read the role.
    RoleIamDenied "IamDenied": RoleAccepted, Unknown;
    /// IAM did not answer about the role.
    RoleIamUnavailable "IamUnavailable": RoleAccepted, Unknown;
    /// No such profile in a source Region.
    ProfileNotFound "ProfileNotFound": ProfilesResolved, Stalled;
    /// No such model in a source Region.
    ModelNotFound "ModelNotFound": ProfilesResolved, Stalled;
    /// The model needs an inference profile.
    OnDemandNotSupported "OnDemandNotSupported": ProfilesResolved, Stalled;
    /// A route may leave the allowed destination Regions.
    DestinationNotAllowed "DestinationNotAllowed": ProfilesResolved, Stalled;
    /// A target of an account that may not be granted.
    TargetNotAllowed "TargetNotAllowed": ProfilesResolved, Stalled;
    /// A profile answers less than it did.
    ProfileShrunk "ProfileShrunk": ProfilesResolved, Waiting;
    /// The operator may not ask Bedrock.
    BedrockDenied "BedrockDenied": ProfilesResolved, Unknown;
    /// Bedrock did not answer, or nothing that could be used.
    BedrockUnavailable "BedrockUnavailable": ProfilesResolved, Unknown;
    /// The policy does not fit into the role's quota.
    PolicyTooLarge "PolicyTooLarge": PolicyInSync, Stalled;
    /// A policy of our name that we did not write.
    PolicyNameTaken "PolicyNameTaken": PolicyInSync, Stalled;
    /// Someone keeps undoing our policy.
    Contended "Contended": PolicyInSync, Waiting;
    /// Someone changed our policy, and only reports are wanted.
    DriftDetected "DriftDetected": PolicyInSync, Stalled;
    /// Someone else's statements stand in our policy, beside ours.
    ForeignStatements "ForeignStatements": PolicyInSync, Stalled;
    /// The operator may not read or write the policy.
    PolicyIamDenied "IamDenied": PolicyInSync, Unknown;
    /// IAM did not answer about the policy.
    PolicyIamUnavailable "IamUnavailable": PolicyInSync, Unknown;
    /// Written, but not yet read back.
    Progressing "Progressing": PolicyInSync, Unknown;
}

impl Reason {
    /// Whether AWS could not be asked, so that nothing is known for or against the object.
    pub fn is_outage(self) -> bool {
        matches!(
            self,
            Self::RoleIamDenied
                | Self::RoleIamUnavailable
                | Self::BedrockDenied
                | Self::BedrockUnavailable
                | Self::PolicyIamDenied
                | Self::PolicyIamUnavailable
        )
    }

    /// What a failed call about the role means.
    pub fn of_role_fault(class: Class) -> Self {
        match class {
            Class::Denied => Self::RoleIamDenied,
            Class::NotFound => Self::RoleNotFound,
            Class::Protected => Self::RoleProtected,
            Class::Quota | Class::Rejected | Class::Throttled | Class::Unanswered | Class::Unavailable => {
                Self::RoleIamUnavailable
            }
        }
    }

    /// What a failed call about the policy means.
    pub fn of_policy_fault(class: Class) -> Self {
        match class {
            Class::Denied => Self::PolicyIamDenied,
            Class::NotFound => Self::RoleNotFound,
            Class::Protected => Self::RoleProtected,
            Class::Quota => Self::PolicyTooLarge,
            Class::Rejected | Class::Throttled | Class::Unanswered | Class::Unavailable => {
                Self::PolicyIamUnavailable
            }
        }
    }

    /// What a failed call to Bedrock means.
    pub fn of_bedrock_fault(class: Class) -> Self {
        match class {
            Class::Denied => Self::BedrockDenied,
            Class::NotFound
            | Class::Protected
            | Class::Quota
            | Class::Rejected
            | Class::Throttled
            | Class::Unanswered
            | Class::Unavailable => Self::BedrockUnavailable,
        }
    }
}
