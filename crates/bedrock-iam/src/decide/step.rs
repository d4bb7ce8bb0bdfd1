//! One write to AWS, as a value: from what is desired and what was found to the text that is sent, and to what it leaves behind.

use super::desired::{Desired, DesiredPolicy};
use crate::iam::document::Document;
use crate::iam::foreign::ForeignStatements;
use crate::iam::observed::PolicyState;
use crate::names::policy_ref::PolicyRef;

/// One write to AWS; repeating it changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Of which policy.
    pub policy: PolicyRef,
    /// What is done to it.
    pub change: Change,
}

/// What is done to a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is written whole (PutRolePolicy).
    Put {
        /// Our statements, all of them, and what they are for.
        desired: Box<DesiredPolicy>,
        /// What someone else put beside ours, and keeps.
        foreign: Option<ForeignStatements>,
        /// Why.
        cause: Cause,
    },
    /// It is deleted (DeleteRolePolicy).
    Delete,
    /// Our statements go, and what someone else put beside them stays (PutRolePolicy).
    CutOut {
        /// What stays.
        foreign: ForeignStatements,
    },
}

impl Step {
    /// Takes our statements away.
    pub(super) fn removal(policy: PolicyRef, found: &PolicyState) -> Self {
        let change =
            found.foreign().map_or(Change::Delete, |foreign| Change::CutOut { foreign: foreign.clone() });
        Self { policy, change }
    }

    /// Writes our statements beside those of others that are found there.
    pub(super) fn put(
        policy: PolicyRef,
        desired: Box<DesiredPolicy>,
        found: &PolicyState,
        cause: Cause,
    ) -> Self {
        let foreign = found.foreign().cloned();
        Self { policy, change: Change::Put { desired, foreign, cause } }
    }

    /// What it is to bring about.
    pub fn desired(&self) -> Desired {
        match &self.change {
            Change::Put { desired, .. } => Desired::Policy(desired.clone()),
            Change::Delete | Change::CutOut { .. } => Desired::Nothing,
        }
    }

    /// The policy on the role, once the step is done.
    pub fn leaves(&self) -> PolicyState {
        match &self.change {
            Change::Put { desired, foreign: None, .. } => PolicyState::Ours(desired.document.clone()),
            Change::Put { desired, foreign: Some(foreign), .. } => {
                PolicyState::Shared { ours: desired.document.clone(), foreign: foreign.clone() }
            }
            Change::Delete => PolicyState::Absent,
            Change::CutOut { foreign } => PolicyState::Foreign(Some(foreign.alone())),
        }
    }

    /// The same grants in fewer characters, where there is such a form.
    pub fn smaller(&self) -> Option<Self> {
        let Change::Put { desired, foreign, cause } = &self.change else { return None };
        let (document, purpose) = (desired.smaller.clone()?, desired.purpose.clone());
        let desired = Box::new(DesiredPolicy { document, smaller: None, purpose });
        let change = Change::Put { desired, foreign: foreign.clone(), cause: *cause };
        Some(Self { policy: self.policy.clone(), change })
    }

    /// The whole document that PutRolePolicy is to send; `None` for DeleteRolePolicy.
    pub fn text(&self) -> Option<Document> {
        match &self.change {
            Change::Put { .. } => self.leaves().whole(),
            Change::Delete => None,
            Change::CutOut { foreign } => Some(foreign.alone()),
        }
    }

    /// Why it writes, where it does not take away.
    pub fn cause(&self) -> Option<Cause> {
        match &self.change {
            Change::Put { cause, .. } => Some(*cause),
            Change::Delete | Change::CutOut { .. } => None,
        }
    }
}

/// Why a policy is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// There was none, and we never wrote one.
    New,
    /// The manifest or a route changed.
    Changed,
    /// Someone removed or edited what we wrote.
    Drift,
    /// Something in it may not stay, although nothing else could be decided.
    Withdrawn,
}
