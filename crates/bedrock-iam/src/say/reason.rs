//! Why something is not as the manifest wants it: one table, with the condition that shows each reason, who has to act, and when to look again.

use crate::names::fault::Class;

/// The condition that a reason belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ConditionType {
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
    InProgress,
    /// Not known, because a service did not answer: `Reconciling`, condition Unknown.
    Unknown,
}

/// When to look at the object again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// After the object's interval.
    AtInterval,
    /// Soon, then less and less often, at most by the interval.
    BackOff,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $text:literal: $condition:ident, $kstatus:ident, $next:ident;)*) => {
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
            pub fn condition_type(self) -> ConditionType {
                match self { $(Self::$name => ConditionType::$condition,)* }
            }

            /// What a tool that waits should do.
            pub fn kstatus(self) -> Kstatus {
                match self { $(Self::$name => Kstatus::$kstatus,)* }
            }

            /// When to look at the object again.
            pub(super) fn next(self) -> Next {
                match self { $(Self::$name => Next::$next,)* }
            }
        }
    };
}

reasons! {
    /// A field of the manifest is not what it must be.
    InvalidSpec "InvalidSpec": Ready, Stalled, AtInterval;
    /// The operator itself failed on the object.
    InternalError "InternalError": Ready, Unknown, BackOff;
    /// AWS could not be asked for longer than an object is taken on trust.
    Stale "Stale": Ready, Unknown, BackOff;
    /// A field that this version cannot serve.
    NotSupported "NotSupported": Ready, Stalled, AtInterval;
    /// The role is in another account or partition, or under another ARN.
    AccountNotServed "AccountNotServed": RoleAccepted, Stalled, AtInterval;
    /// AWS alone may modify the role.
    RoleProtected "RoleProtected": RoleAccepted, Stalled, AtInterval;
    /// There is no such role.
    RoleNotFound "RoleNotFound": RoleAccepted, InProgress, BackOff;
    /// The role of that name has another path, account or partition than the manifest's ARN.
    RoleArnDiffers "RoleNotFound": RoleAccepted, Stalled, AtInterval;
    /// The role's tag does not list the namespace.
    ConsentMissing "ConsentMissing": RoleAccepted, InProgress, BackOff;
    /// The operator may not read the role.
    RoleIamDenied "IamDenied": RoleAccepted, Unknown, BackOff;
    /// IAM did not answer about the role.
    RoleIamUnavailable "IamUnavailable": RoleAccepted, Unknown, BackOff;
    /// No such profile in a source Region.
    ProfileNotFound "ProfileNotFound": ProfilesResolved, Stalled, AtInterval;
    /// No such model in a source Region.
    ModelNotFound "ModelNotFound": ProfilesResolved, Stalled, AtInterval;
    /// The model needs an inference profile.
    OnDemandNotSupported "OnDemandNotSupported": ProfilesResolved, Stalled, AtInterval;
    /// A route may leave the allowed destination Regions.
    DestinationNotAllowed "DestinationNotAllowed": ProfilesResolved, Stalled, AtInterval;
    /// A target of an account that may not be granted.
    TargetNotAllowed "TargetNotAllowed": ProfilesResolved, Stalled, AtInterval;
    /// A profile answers less than it did.
    ProfileShrunk "ProfileShrunk": ProfilesResolved, InProgress, AtInterval;
    /// The operator may not ask Bedrock.
    BedrockDenied "BedrockDenied": ProfilesResolved, Unknown, BackOff;
    /// Bedrock did not answer, or nothing that could be used.
    BedrockUnavailable "BedrockUnavailable": ProfilesResolved, Unknown, BackOff;
    /// The policy does not fit into the role's quota.
    PolicyTooLarge "PolicyTooLarge": PolicyInSync, Stalled, AtInterval;
    /// A policy of our name that we did not write.
    PolicyNameTaken "PolicyNameTaken": PolicyInSync, Stalled, AtInterval;
    /// Someone keeps undoing our policy.
    Contended "Contended": PolicyInSync, InProgress, AtInterval;
    /// Someone changed our policy, and only reports are wanted.
    DriftDetected "DriftDetected": PolicyInSync, Stalled, AtInterval;
    /// Someone else's statements stand in our policy, beside ours.
    ForeignStatements "ForeignStatements": PolicyInSync, Stalled, AtInterval;
    /// The operator may not read or write the policy.
    PolicyIamDenied "IamDenied": PolicyInSync, Unknown, BackOff;
    /// IAM did not answer about the policy.
    PolicyIamUnavailable "IamUnavailable": PolicyInSync, Unknown, BackOff;
    /// Written, but not yet read back.
    Progressing "Progressing": PolicyInSync, Unknown, BackOff;
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
