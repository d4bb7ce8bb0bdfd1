//! The product's protocol, explored exhaustively: one role, one or two objects, an application profile with an owner of its own, a
//! foreign writer, and what may go wrong between them. What decides is the product's own code; the model only stores, loses and delays.
//!
//! A reconcile is two steps and more: it reads and decides; then it sends, reads back and tells, once for each write of its plan. In between, and before and after, anything
//! else may happen. A read answers what is there or anything that was there within the lag, role and policy apart; in an outage of IAM
//! each may get no answer. One look at the whole account shows the same, and as late; an object at rest by it is not looked at. Who finds before it sends that the object changed carries out what owners withdrew, by the same reads.
//!
//! | bound | |
//! |---|---|
//! | disturbances | any two, of the kinds in [`Bounds`], at any moment and in any order |
//! | reads, reconciles, time, the length of an outage | unbounded |
//! | routes | one profile with one or two destinations, two with one; or Bedrock does not answer |
//! | wishes | in step, suspended, invalid, deleted, deleted and retained |
//! | consent | asked for by the tag, not asked for, or not yet confirmed; the role's tag and the target's list, retain, exclude or are missing |
//! | repairs until a quarrel | one |
//!
//! What it does not show: the record of written policies and the look for orphans, the larger and the smaller form of a policy, `driftPolicy: Report`, guardrails, `Ready`, and that AWS may forbid to write to a role without the tag.
//!
//! What it excuses, since no code of ours can promise it, or does not:
//!
//! - IAM writes unconditionally: a policy or statement that somebody puts under our name between our read and our write, or that our
//!   read does not show yet, is replaced.
//! - [`State::excuse`](state::State): what Bedrock or an owner no longer answers for is lost to a read that lags, if the process forgot
//!   its write.
//! - Where one of our statements was edited, what has a Sid like ours counts as ours.
//! - A target's owner waits while it is in doubt whether the role consents.
//! - A move lets the old policy go by a read that does not show yet what somebody else did to the new one.
//! - A deletion overlooks a policy that no read shows yet, if the process forgot its write and the role no longer consents.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

mod actions;
mod aws;
mod catalog;
mod disturb;
mod explore;
mod known;
mod memo;
mod object;
mod operator;
mod promise;
mod rest;
mod scan;
mod sights;
mod state;

use aws::Tag;
use bedrock_iam::consent;
use catalog::Spec;
use disturb::{Bounds, Foreign};
use explore::{Setting, explore};
use object::Deletion;
use sights::Sight;

const COMMON: &[Sight] = &[
    Sight::Drift,
    Sight::Quarrel,
    Sight::NameTaken,
    Sight::Beside,
    Sight::Shrunk,
    Sight::ConsentGone,
    Sight::StaleRead,
    Sight::LostReply,
    Sight::Scanned,
];

/// Each disturbance of a kind once, any two of them together.
const TWO_OBJECTS: Setting = Setting {
    name: "two objects",
    lag: 1,
    objects: [Some(Spec::UsAndMicro), Some(Spec::Us)],
    former: None,
    specs: &[Spec::Nothing, Spec::Us, Spec::UsAndMicro],
    deletions: &[Deletion::Remove],
    acts: &[Foreign::Remove, Foreign::Edit, Foreign::Add, Foreign::Take, Foreign::Leave],
    role: &[Tag::Listing],
    tags: &[Tag::Listing, Tag::Nobody],
    asks: &[consent::ConsentPolicy::Tag],
    bounds: Bounds {
        total: 2,
        edits: 1,
        foreign: 1,
        crashes: 1,
        lost_replies: 1,
        lost_statuses: 1,
        routes: 1,
        consents: 1,
        ..NOTHING
    },
    sights: COMMON,
};

const NOTHING: Bounds = Bounds {
    total: 0,
    edits: 0,
    standings: 0,
    foreign: 0,
    crashes: 0,
    lost_replies: 0,
    lost_statuses: 0,
    routes: 0,
    consents: 0,
    applications: 0,
    restarts: 0,
    outages: 0,
    roles: 0,
};

/// Two disturbances of one kind too.
const ONE_OBJECT: Setting = Setting {
    name: "one object",
    objects: [Some(Spec::UsAndMicro), None],
    bounds: Bounds { edits: 2, foreign: 2, routes: 2, consents: 2, roles: 1, ..TWO_OBJECTS.bounds },
    ..TWO_OBJECTS
};

/// Memories that end while what they correct is still shown.
const LONG_LAG: Setting =
    Setting { name: "long lag", lag: 2, bounds: Bounds { roles: 0, ..ONE_OBJECT.bounds }, ..ONE_OBJECT };

/// Every wish, and both owners.
const WISHES: Setting = Setting {
    name: "wishes",
    objects: [Some(Spec::UsAndApplication), None],
    specs: &[Spec::Us, Spec::UsAndApplication],
    deletions: &[Deletion::Remove, Deletion::Retain],
    acts: &[Foreign::Remove, Foreign::Edit, Foreign::AddAlike],
    role: &[Tag::Listing, Tag::Retaining],
    tags: &[Tag::Listing, Tag::Retaining, Tag::Nobody, Tag::Missing],
    bounds: Bounds { standings: 2, applications: 1, ..TWO_OBJECTS.bounds },
    sights: &[
        Sight::Alike,
        Sight::Suspended,
        Sight::Invalid,
        Sight::Left,
        Sight::Part,
        Sight::PartOfSuspended,
        Sight::PartOfRetained,
        Sight::Outdated,
        Sight::Retained,
        Sight::NotRetained,
        Sight::Gone,
    ],
    ..TWO_OBJECTS
};

/// The operator started with every way to ask for consent.
const MODES: Setting = Setting {
    name: "modes",
    objects: [Some(Spec::UsAndApplication), None],
    specs: &[Spec::Us, Spec::UsAndApplication],
    acts: &[Foreign::Remove, Foreign::Edit],
    role: &[Tag::Listing, Tag::Missing],
    tags: &[Tag::Listing, Tag::Nobody, Tag::Missing],
    asks: &[consent::ConsentPolicy::Tag, consent::ConsentPolicy::Unconfirmed, consent::ConsentPolicy::None],
    bounds: Bounds { restarts: 2, applications: 1, lost_replies: 0, lost_statuses: 0, ..TWO_OBJECTS.bounds },
    sights: &[
        Sight::Part,
        Sight::Unasked,
        Sight::Unconfirmed,
        Sight::UnconfirmedTarget,
        Sight::UnconfirmedGone,
        Sight::Confirmed,
    ],
    ..TWO_OBJECTS
};

/// IAM and Bedrock do not answer, for any length of time.
const OUTAGES: Setting = Setting {
    name: "outages",
    objects: [Some(Spec::UsAndMicro), None],
    deletions: &[Deletion::Remove, Deletion::Retain],
    bounds: Bounds { outages: 1, ..TWO_OBJECTS.bounds },
    sights: &[Sight::IamOut, Sight::BedrockOut, Sight::IamWaits, Sight::Drift, Sight::ConsentGone],
    ..TWO_OBJECTS
};

/// A policy that is moved from another cluster id, with both of its owners.
const MOVE: Setting = Setting {
    name: "move",
    objects: [Some(Spec::UsAndApplication), None],
    former: Some(Spec::UsAndApplication),
    specs: &[Spec::Us],
    deletions: &[Deletion::Remove, Deletion::Retain],
    acts: &[Foreign::Remove, Foreign::Edit],
    role: &[Tag::Retaining],
    tags: &[Tag::Listing, Tag::Nobody],
    bounds: Bounds { applications: 1, lost_statuses: 0, ..TWO_OBJECTS.bounds },
    sights: &[
        Sight::Moved,
        Sight::MovedLater,
        Sight::MoveWaits,
        Sight::BothGone,
        Sight::ConsentGone,
        Sight::Part,
        Sight::Outdated,
        Sight::StaleRead,
        Sight::Retained,
    ],
    ..TWO_OBJECTS
};

#[test]
fn two_objects_on_one_role_keep_the_invariants() {
    explore(TWO_OBJECTS);
}

#[test]
fn one_object_keeps_the_invariants_whatever_ends_first() {
    explore(ONE_OBJECT);
}

#[test]
fn one_object_keeps_the_invariants_while_reads_lag_for_long() {
    explore(LONG_LAG);
}

#[test]
fn whatever_is_wished_what_an_owner_withdraws_goes_and_nothing_else() {
    explore(WISHES);
}

#[test]
fn no_change_of_how_consent_is_asked_for_takes_anything_before_it_is_confirmed() {
    explore(MODES);
}

#[test]
fn a_policy_that_is_moved_keeps_what_it_grants_and_leaves_nothing_behind() {
    explore(MOVE);
}

#[test]
fn an_outage_of_any_length_takes_nothing() {
    explore(OUTAGES);
}
