//! On what terms a role calls what it is granted.

use std::collections::BTreeSet;

use super::extras::Extras;
use super::operations::Operations;
use crate::bedrock::project::DefaultProjectArn;
use crate::names::account::Account;
use crate::names::arn::GuardrailArn;
use crate::names::identifier::Scope;

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
    /// What it may do beside calling.
    pub extras: Extras,
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
