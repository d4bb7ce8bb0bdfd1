use std::sync::Arc;

use bedrock_iam::Decision;
use bedrock_iam::decide::Remembered;

use crate::aws::Policy;
use crate::catalog::Spec;
use crate::known::Known;
use crate::operator::{Told, Want};

/// Whether the manifest is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Standing {
    Followed,
    Suspended,
    Invalid,
}

/// What a deletion does to the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Deletion {
    Remove,
    Retain,
}

/// One BedrockAccess, and all that the operator knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Object {
    /// `None` once the object is gone.
    pub(crate) spec: Option<Spec>,
    pub(crate) standing: Standing,
    /// Where it has a deletion timestamp, and our finalizer.
    pub(crate) deletion: Option<Deletion>,
    pub(crate) generation: u8,
    /// Whether it went and our policy stayed: with its owner's leave, or with a warning (`PolicyLeft`), since a read showed somebody
    /// else's policy under our name.
    pub(crate) is_policy_left: bool,
    pub(crate) told: Told,
    /// By the process; a crash loses it.
    pub(crate) remembered: Known<Remembered>,
    /// A write that is planned and not sent.
    pub(crate) pending: Option<Pending>,
    /// Of the model alone: to which role the process wrote the object's own policy, and the ticks since, as long as reads may lag behind.
    pub(crate) wrote_to: Option<(Arc<str>, u8)>,
    /// Of the model alone: the permissions that were granted and have been wanted ever since.
    pub(crate) established: u8,
    /// Of the model alone: whether nothing has changed since the policy was proven, but that AWS may not answer.
    pub(crate) is_proven: bool,
}

impl Object {
    pub(crate) fn new(spec: Spec) -> Self {
        Self {
            spec: Some(spec),
            standing: Standing::Followed,
            deletion: None,
            generation: 1,
            is_policy_left: false,
            told: Told::default(),
            remembered: Known::new(Remembered::default()),
            pending: None,
            wrote_to: None,
            established: 0,
            is_proven: false,
        }
    }

    pub(crate) fn gone(is_policy_left: bool) -> Self {
        Self { spec: None, is_policy_left, ..Self::new(Spec::Nothing) }
    }

    pub(crate) fn want(&self) -> Option<Want> {
        let spec = self.spec?;
        Some(match (self.deletion, self.standing) {
            (Some(Deletion::Remove), _) => Want::Gone,
            (Some(Deletion::Retain), _) => Want::Retained,
            (None, Standing::Followed) => Want::InStep(spec),
            (None, Standing::Suspended) => Want::Suspended,
            (None, Standing::Invalid) => Want::Invalid,
        })
    }

    /// As after a restart.
    pub(crate) fn forget(&mut self) {
        self.remembered = Known::new(Remembered::default());
        self.pending = None;
        self.wrote_to = None;
    }
}

/// A write that a reconcile decided on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    pub(crate) want: Want,
    pub(crate) generation: u8,
    pub(crate) decision: Known<Decision>,
    /// In their order.
    pub(crate) writes: Vec<Write>,
    /// How many of them were sent, taken and proven.
    pub(crate) taken: usize,
    /// What is left to do should the object change before anything is sent.
    pub(crate) withdrawal: Option<(Known<Decision>, Vec<Write>)>,
    /// Whether that came to pass.
    pub(crate) is_outdated: bool,
    /// Of a deletion: whether a policy stays that is not written to.
    pub(crate) is_left: bool,
}

/// What is to stand in IAM.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Write {
    /// Under which of the names.
    pub(crate) of: usize,
    /// `None` after a deletion.
    pub(crate) policy: Policy,
    /// Of the model alone: every read showed somebody else's policy under our name.
    pub(crate) is_trespass: bool,
    /// Of the model alone: what of others every read showed beside ours.
    pub(crate) beside: u8,
}
