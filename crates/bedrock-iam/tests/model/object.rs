use bedrock_iam::{Digest, Observed, Patience, Step, Unsettled};

use crate::aws::Policy;
use crate::known::Known;

/// So many repairs are taken for chance; in the product some more, which would only make the model deeper.
const REPAIRS_BY_CHANCE: u8 = 1;

/// What an object wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Spec {
    Nothing,
    Us,
    UsAndMicro,
}

/// One permission each: a profile's model in one destination Region.
pub(crate) const US_EAST_1: u8 = 1;
pub(crate) const US_EAST_2: u8 = 2;
pub(crate) const MICRO_EAST_1: u8 = 4;

impl Spec {
    pub(crate) const ALL: [Self; 3] = [Self::Nothing, Self::Us, Self::UsAndMicro];

    /// The permissions that it wants, as far as Bedrock routes there.
    pub(crate) fn wanted(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Us => US_EAST_1 | US_EAST_2,
            Self::UsAndMicro => US_EAST_1 | US_EAST_2 | MICRO_EAST_1,
        }
    }
}

/// One BedrockAccess, and all that the operator knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Object {
    /// `None` once the object is gone.
    pub(crate) spec: Option<Spec>,
    /// Whether it has a deletion timestamp, and our finalizer.
    pub(crate) is_deleted: bool,
    /// Whether it went with a warning (`PolicyLeft`), since a read showed somebody else's policy under our name.
    pub(crate) is_policy_left: bool,
    pub(crate) told: Told,
    pub(crate) memory: Memory,
    /// A write that is planned and not sent.
    pub(crate) pending: Option<Pending>,
    /// Of the model alone: the permissions that were granted and have been wanted ever since.
    pub(crate) established: u8,
}

impl Object {
    pub(crate) fn new(spec: Spec) -> Self {
        Self {
            spec: Some(spec),
            is_deleted: false,
            is_policy_left: false,
            told: Told::default(),
            memory: Memory::default(),
            pending: None,
            established: 0,
        }
    }

    pub(crate) fn gone(is_policy_left: bool) -> Self {
        Self { spec: None, is_policy_left, ..Self::new(Spec::Nothing) }
    }
}

/// Of the status, what a later reconcile goes by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Told {
    pub(crate) role: Option<String>,
    pub(crate) digest: Option<Known<Digest>>,
}

/// What the process remembers, and a crash loses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Memory {
    /// With the ticks since.
    pub(crate) unsettled: Option<(u8, Known<Unsettled>)>,
    /// Of the model alone: the role that this was written to, as it was read.
    pub(crate) role: Option<String>,
    /// The meaning that this process last wrote, or saw to be as it should.
    pub(crate) written: Option<Known<Digest>>,
    /// The role that holds it.
    pub(crate) written_to: Option<String>,
    /// Repairs, with the ticks since the last one.
    pub(crate) repairs: Option<(u8, u8)>,
}

impl Memory {
    /// A write is believed for one `lag`, a policy that was undone again is left alone for one, and a quarrel forgotten after two.
    pub(crate) fn tick(&mut self, lag: u8) {
        if let Some((age, _)) = &mut self.unsettled {
            *age += 1;
        }
        if self.unsettled.take_if(|(age, _)| *age >= lag).is_some() {
            self.role = None;
        }
        if let Some((_, age)) = &mut self.repairs {
            *age += 1;
        }
        self.repairs.take_if(|(_, age)| *age > 2 * lag);
    }

    pub(crate) fn patience(&self, lag: u8) -> Patience {
        match self.repairs {
            Some((count, age)) if count >= REPAIRS_BY_CHANCE => {
                if age >= lag {
                    Patience::Retrying
                } else {
                    Patience::Waiting
                }
            }
            Some(_) | None => Patience::Calm,
        }
    }

    pub(crate) fn repaired(&mut self) {
        let count = self.repairs.map_or(0, |(count, _)| count);
        // More than enough are all alike.
        self.repairs = Some(((count + 1).min(REPAIRS_BY_CHANCE), 0));
    }
}

/// A write that a reconcile decided on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    pub(crate) step: Known<Step>,
    /// What will stand in IAM; `None` after a deletion.
    pub(crate) write: Policy,
    /// The status once AWS took it.
    pub(crate) told: Told,
    pub(crate) is_repair: bool,
    pub(crate) observed: Known<Observed>,
    /// What was wanted then; `None` in a deletion.
    pub(crate) spec: Option<Spec>,
    /// Of the model alone: every read showed somebody else's policy under our name.
    pub(crate) is_trespass: bool,
    /// Of the model alone: every read showed somebody else's statement beside ours.
    pub(crate) is_beside: bool,
}
