//! What was asked of the sandbox, and how it ended.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// A service of the sandbox; in JSON `iam`, `sts` or `bedrock`, the signing names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Identity and Access Management.
    Iam,
    /// The Security Token Service.
    Sts,
    /// Amazon Bedrock's control plane.
    Bedrock,
}

impl Service {
    /// The name with which requests to the service are signed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::Bedrock => "bedrock",
        }
    }
}

/// One call over HTTP; what the Rust API does is not a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The service that was called.
    pub service: Service,
    /// The operation's name in the service's API, such as `PutRolePolicy`.
    pub operation: String,
    /// The Region of the credential scope, else the sandbox's default one.
    pub region: String,
    /// The role's name, or the id of the profile or model without its ARN's prefix.
    pub target: Option<String>,
    /// How the call ended.
    pub outcome: Outcome,
}

impl Call {
    /// Whether the operation changes something, successful or not.
    pub fn is_write(&self) -> bool {
        !["Get", "List"].iter().any(|verb| self.operation.starts_with(verb))
    }
}

/// How a call ended; in JSON its text, see [`Outcome`]'s `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered with success: `Ok`.
    Ok,
    /// Answered with this error code.
    Error(String),
    /// The connection was closed without an answer, nothing was done: `Reset`.
    Reset,
    /// No answer until the client gave up, nothing was done: `Hang`.
    Hang,
    /// Executed, then no answer until the client gave up: `HangAfter`.
    HangAfter,
    /// Executed, then the connection was closed without an answer: `LostReply`.
    LostReply,
    /// Executed, then the connection was closed in the middle of the answer: `TruncatedBody`.
    TruncatedBody,
    /// Executed, then answered with a body that cannot be read: `MalformedBody`.
    MalformedBody,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Ok => "Ok",
            Self::Error(code) => code,
            Self::Reset => "Reset",
            Self::Hang => "Hang",
            Self::HangAfter => "HangAfter",
            Self::LostReply => "LostReply",
            Self::TruncatedBody => "TruncatedBody",
            Self::MalformedBody => "MalformedBody",
        })
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
