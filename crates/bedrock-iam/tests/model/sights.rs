//! What an exploration has to come across: a model in which nothing happens keeps every promise.

use std::sync::atomic::{AtomicUsize, Ordering};

use bedrock_iam::decide::Cause;
use bedrock_iam::{PolicyState, Reason, RoleState, consent};

use crate::aws::{FORMER, Tag};
use crate::catalog::APPLICATION;
use crate::object::Object;
use crate::operator::{Course, Decided, Want};
use crate::state::State;

macro_rules! sights {
    ($($name:ident $text:literal;)*) => {
        /// Something that a reconcile may come to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Sight {
            $($name,)*
        }

        impl Sight {
            const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub(crate) fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

sights! {
    Drift "drift is repaired";
    Quarrel "a quarrel is named";
    NameTaken "a name that is taken is left alone";
    Beside "statements of others beside ours are kept";
    Shrunk "a shorter profile keeps its grant";
    ConsentGone "a grant without consent is taken away";
    StaleRead "a stale read is not believed";
    LostReply "a write whose reply was lost is found";
    Alike "a statement of others with a Sid like ours is kept";
    Suspended "what the role's owner withdrew goes from a suspended object";
    Invalid "what the role's owner withdrew goes from an object that cannot be followed";
    Left "an object that is not followed keeps what it has";
    Part "what a target's owner withdrew goes, and the rest stays";
    PartOfSuspended "the same of a suspended object";
    PartOfRetained "the same of a retained policy";
    Outdated "what an owner withdrew goes although the object changed";
    Retained "a policy outlives its object with its owner's leave";
    NotRetained "a policy goes with its object without its owner's leave";
    Gone "a policy goes with its object";
    Unasked "a role is granted to that nobody asked";
    Unconfirmed "until the change is confirmed, a role without the tag keeps what it has";
    UnconfirmedTarget "until the change is confirmed, a target without the tag stays granted";
    UnconfirmedGone "before the change is confirmed, what an owner withdrew goes";
    Confirmed "once the change is confirmed, a role without the tag loses what it has";
    IamOut "an outage of IAM leaves alone what was proven";
    BedrockOut "an outage of Bedrock leaves alone what was proven";
    IamWaits "a deletion waits while IAM does not answer";
    Moved "a policy is moved from one cluster id to another, and the step that gives comes first";
    MovedLater "a policy that was not moved yet goes once its successor is there";
    MoveWaits "a policy is not moved while anything stands against its object";
    Scanned "an object is at rest by one look at the whole account";
    BothGone "both policies go with their object";
}

/// How often each was seen.
#[derive(Default)]
pub(crate) struct Sights([AtomicUsize; Sight::ALL.len()]);

impl Sights {
    /// Notes what one reconcile came to.
    pub(crate) fn note(&self, before: &State, object: usize, decided: &Decided) {
        let Some(want) = before.objects[object].want() else { return };
        let scene = Scene { before, it: &before.objects[object], want, decided };
        Sight::ALL.iter().filter(|sight| scene.shows(**sight)).for_each(|sight| self.note_one(*sight));
    }

    pub(crate) fn note_one(&self, sight: Sight) {
        self.0[sight as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn times(&self, sight: Sight) -> usize {
        self.0[sight as usize].load(Ordering::Relaxed)
    }
}

/// One reconcile.
struct Scene<'a> {
    before: &'a State,
    it: &'a Object,
    want: Want,
    decided: &'a Decided,
}

impl Scene<'_> {
    fn shows(&self, sight: Sight) -> bool {
        let Self { want, decided, .. } = self;
        let Decided { decision, held, left, .. } = decided;
        let is_loss = held.is_some() && left.is_none();
        match sight {
            Sight::Drift => decision.plan.steps().iter().any(|step| step.cause() == Some(Cause::Drift)),
            Sight::Quarrel => decided.says(Reason::Contended),
            Sight::NameTaken => decided.says(Reason::PolicyNameTaken),
            Sight::Beside => decided.says(Reason::ForeignStatements),
            Sight::Shrunk => decided.says(Reason::ProfileShrunk),
            Sight::ConsentGone => decided.says(Reason::ConsentMissing) && decided.writes(),
            Sight::StaleRead => decided.is_doubted && !decided.writes(),
            Sight::LostReply => {
                self.it.told.digest.is_none()
                    && matches!(&decided.course, Course::Ends(end) if end.told.digest.is_some())
            }
            Sight::Alike => decided.says(Reason::ForeignStatements) && self.is_beside_alike(),
            Sight::Suspended => *want == Want::Suspended && self.role_withdraws() && is_loss,
            Sight::Invalid => *want == Want::Invalid && self.role_withdraws() && is_loss,
            Sight::Left => self.is_left_alone() && held.is_some(),
            Sight::Part => matches!(want, Want::InStep(_)) && self.is_cut(),
            Sight::PartOfSuspended => *want == Want::Suspended && self.is_cut(),
            Sight::PartOfRetained => *want == Want::Retained && self.is_cut(),
            Sight::Outdated | Sight::Scanned => false,
            Sight::Retained => {
                *want == Want::Retained && self.is_answered() && held.is_some() && !decided.writes()
            }
            Sight::NotRetained => *want == Want::Retained && !self.role_withdraws() && is_loss,
            Sight::Gone => *want == Want::Gone && is_loss,
            Sight::Unasked => {
                self.asks() == consent::ConsentPolicy::None
                    && self.role() == Some(Tag::Missing)
                    && *left > *held
            }
            Sight::Unconfirmed => self.is_unconfirmed(Tag::Missing) && held.is_some() && held == left,
            Sight::UnconfirmedTarget => {
                self.is_unconfirmed(Tag::Listing)
                    && self.before.aws.application == Tag::Missing
                    && left.is_some_and(|left| left & APPLICATION != 0)
            }
            Sight::UnconfirmedGone => self.is_unconfirmed(Tag::Nobody) && is_loss,
            Sight::Confirmed => {
                self.asks() == consent::ConsentPolicy::Tag && self.role() == Some(Tag::Missing) && is_loss
            }
            Sight::IamOut => {
                let is_fault = |policy: &PolicyState| policy.fault().is_some();
                self.it.is_proven
                    && !decided.writes()
                    && (self.role().is_none() || decision.believed.policies.values().any(is_fault))
            }
            Sight::BedrockOut => {
                self.it.is_proven && !decided.writes() && decided.says(Reason::BedrockUnavailable)
            }
            Sight::IamWaits => *want == Want::Gone && !self.is_answered(),
            Sight::Moved => self.gives_and_takes() == [true, false],
            Sight::MovedLater => matches!(want, Want::InStep(_)) && self.is_former_taken() && *left == *held,
            Sight::MoveWaits => self.is_former_kept() && !decision.plan.findings.is_empty(),
            Sight::BothGone => *want == Want::Gone && self.gives_and_takes() == [false, false],
        }
    }

    fn gives_and_takes(&self) -> Vec<bool> {
        let steps = self.decided.decision.plan.steps().iter();
        steps.map(|step| step.leaves().document().is_some()).collect()
    }

    /// Whether the only step takes the policy away that was written under the former cluster id.
    fn is_former_taken(&self) -> bool {
        matches!(&self.decided.course, Course::Writes(writes) if writes[..] == [(FORMER, None)])
    }

    fn is_former_kept(&self) -> bool {
        let policies = self.decided.decision.believed.policies.values();
        let is_of_step = |of: &(usize, _)| of.0 == FORMER;
        policies.filter(|policy| policy.document().is_some()).count() == 2
            && !matches!(&self.decided.course, Course::Writes(writes) if writes.iter().any(is_of_step))
    }

    fn asks(&self) -> consent::ConsentPolicy {
        self.before.asks
    }

    /// As it is believed.
    fn role(&self) -> Option<Tag> {
        match &self.decided.decision.believed.role {
            RoleState::Found(role) => Tag::of(&role.tags),
            RoleState::Missing | RoleState::Fault(_) => None,
        }
    }

    fn role_withdraws(&self) -> bool {
        self.role().is_some_and(|tag| tag.withdraws(self.asks()))
    }

    fn is_answered(&self) -> bool {
        self.decided.decision.plan.obstacle.is_none()
    }

    fn is_unconfirmed(&self, role: Tag) -> bool {
        self.asks() == consent::ConsentPolicy::Unconfirmed && self.role() == Some(role)
    }

    fn is_left_alone(&self) -> bool {
        matches!(self.want, Want::Suspended | Want::Invalid) && !self.decided.writes()
    }

    /// Whether the target's grant goes, and another one stays.
    fn is_cut(&self) -> bool {
        let has = |permissions: Option<u8>| permissions.unwrap_or_default() & APPLICATION != 0;
        let Decided { held, left, .. } = self.decided;
        self.before.aws.application.withdraws(self.asks()) && has(*held) && !has(*left) && *left > Some(0)
    }

    fn is_beside_alike(&self) -> bool {
        let policies = self.before.aws.policies.iter();
        policies.filter_map(|policy| policy.now.as_ref()).any(|stored| stored.beside & 2 != 0)
    }
}
