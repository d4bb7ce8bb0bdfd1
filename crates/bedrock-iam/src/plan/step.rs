//! The one write of a plan.

use crate::iam::document::Document;
use crate::iam::foreign::ForeignStatements;
use crate::iam::observed::PolicyState;

/// One write to AWS; repeating it changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// PutRolePolicy.
    Put {
        /// Our statements, all of them.
        document: Document,
        /// What to write instead, once, should IAM have no room.
        smaller: Option<Document>,
        /// What someone else put beside ours, and keeps.
        foreign: Option<ForeignStatements>,
        /// Why.
        cause: Cause,
    },
    /// DeleteRolePolicy.
    Delete,
    /// PutRolePolicy of what someone else put beside our statements, which go.
    CutOut {
        /// What stays.
        foreign: ForeignStatements,
    },
}

impl Step {
    pub(super) fn removal_from(policy: &PolicyState) -> Self {
        policy.foreign().map_or(Self::Delete, |foreign| Self::CutOut { foreign: foreign.clone() })
    }

    /// Our policy on the role, once the step is done.
    pub fn leaves(&self) -> PolicyState {
        match self {
            Self::Put { document, foreign: None, .. } => PolicyState::Ours(document.clone()),
            Self::Put { document, foreign: Some(foreign), .. } => {
                PolicyState::Shared { ours: document.clone(), foreign: foreign.clone() }
            }
            Self::Delete => PolicyState::Absent,
            Self::CutOut { foreign } => PolicyState::Foreign(Some(foreign.alone())),
        }
    }

    /// The same grants in fewer characters, where there is such a form.
    pub fn smaller(&self) -> Option<Self> {
        let Self::Put { smaller, foreign, cause, .. } = self else { return None };
        let (document, foreign, cause) = (smaller.clone()?, foreign.clone(), *cause);
        Some(Self::Put { document, smaller: None, foreign, cause })
    }

    /// The whole document that PutRolePolicy is to send; `None` for DeleteRolePolicy.
    pub fn text(&self) -> Option<Document> {
        match self {
            Self::Put { .. } => self.leaves().whole(),
            Self::Delete => None,
            Self::CutOut { foreign } => Some(foreign.alone()),
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
