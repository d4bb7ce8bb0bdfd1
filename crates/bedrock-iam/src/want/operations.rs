//! The IAM actions of a grant.

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
