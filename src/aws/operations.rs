//! The one list of AWS operations that the operator calls, and what IAM must allow for each.

/// What IAM must allow for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// On which resources; `ACCOUNT` stands for the operator's own account.
    pub resource: &'static str,
    /// Under which condition, where roles consent by their tag.
    pub condition: Option<Condition>,
    /// On which resources it is denied nevertheless; `ROLE` stands for the name of the operator's own role.
    pub denied: &'static [&'static str],
    /// Whether the operator does the rest of its work without it.
    pub is_optional: bool,
}

/// A condition as IAM writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Such as `Null`.
    pub operator: &'static str,
    /// The key of the request's context.
    pub key: &'static str,
    /// The value.
    pub value: &'static str,
}

const READ_ROLES: Option<Right> =
    Some(Right { resource: "arn:aws:iam::ACCOUNT:role/*", condition: None, denied: &[], is_optional: false });

/// Only to roles that carry the consent tag, and never to the operator's own one: it could grant itself anything.
const WRITE_TO_ROLES: Option<Right> = Some(Right {
    resource: "arn:aws:iam::ACCOUNT:role/*",
    condition: Some(Condition {
        operator: "Null",
        key: "aws:ResourceTag/bedrockaccess.io/namespaces",
        value: "false",
    }),
    denied: &["arn:aws:iam::ACCOUNT:role/ROLE", "arn:aws:iam::ACCOUNT:role/*/ROLE"],
    is_optional: false,
});

const ASK: Option<Right> = Some(Right { resource: "*", condition: None, denied: &[], is_optional: false });

/// GetAccountAuthorizationDetails and GetAccountSummary can be allowed for everything or not at all.
const LOOK_AROUND: Option<Right> =
    Some(Right { resource: "*", condition: None, denied: &[], is_optional: true });

/// "No permissions are required to perform this operation" (STS API reference, GetCallerIdentity).
const NONE: Option<Right> = None;

macro_rules! operations {
    ($($service:ident $name:ident $right:ident $why:literal;)*) => {
        /// An operation that the operator calls. No other one can be sent: see [`super::Caller`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $(#[doc = $why] $name,)*
        }

        /// Every operation that the operator calls.
        pub const OPERATIONS: &[Operation] = &[$(Operation::$name,)*];

        impl Operation {
            /// The service, as IAM's actions name it.
            pub const fn service(self) -> &'static str {
                match self { $(Self::$name => stringify!($service),)* }
            }

            /// The name in the service's API.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What IAM must allow; none where AWS asks for no right.
            pub const fn right(self) -> Option<Right> {
                match self { $(Self::$name => $right,)* }
            }

            /// What it is for.
            pub const fn why(self) -> &'static str {
                match self { $(Self::$name => $why,)* }
            }
        }
    };
}

operations! {
    sts GetCallerIdentity NONE "Account, partition and role of the operator's own credentials.";
    iam GetRole READ_ROLES "Whether the role exists, under which ARN, and whether its tags consent.";
    iam GetRolePolicy READ_ROLES "What the operator's policy holds, before a write and after it.";
    iam ListRolePolicies READ_ROLES "What else takes of the role's quota when a policy does not fit.";
    iam PutRolePolicy WRITE_TO_ROLES "Writes the operator's policy.";
    iam DeleteRolePolicy WRITE_TO_ROLES "Removes the operator's policy.";
    iam GetAccountAuthorizationDetails LOOK_AROUND "Whether many roles are as they should be, at once; and which policies there are whose object is gone and that the record does not hold.";
    iam GetAccountSummary LOOK_AROUND "How many roles there are: whether one look at all of them costs less than a look at each that is needed.";
    bedrock GetInferenceProfile ASK "Where a profile routes to from a source Region.";
    bedrock ListInferenceProfiles ASK "The profiles of a family, and what to suggest instead of one that does not exist.";
    bedrock GetFoundationModel ASK "Whether a model may be called on demand in a Region.";
    bedrock ListFoundationModels ASK "The models of a family that may be called on demand.";
    bedrock ListTagsForResource ASK "Whether what belongs to the account consents by its tags.";
}

impl std::fmt::Display for Operation {
    /// As IAM's actions are written: `iam:GetRole`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.service(), self.name())
    }
}
