//! What an exploration has to come across: a model in which nothing happens keeps every promise.

use std::sync::atomic::{AtomicUsize, Ordering};

use bedrock_iam::Reason;
use bedrock_iam::decide::Cause;

use crate::operator::{Course, Decided};
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
}

/// How often each was seen.
#[derive(Default)]
pub(crate) struct Sights([AtomicUsize; Sight::ALL.len()]);

impl Sights {
    /// Notes what one reconcile came to.
    pub(crate) fn note(&self, before: &State, object: usize, decided: &Decided) {
        let seen = Sight::ALL.iter().filter(|sight| is_seen(**sight, before, object, decided));
        seen.for_each(|sight| {
            self.0[*sight as usize].fetch_add(1, Ordering::Relaxed);
        });
    }

    pub(crate) fn times(&self, sight: Sight) -> usize {
        self.0[sight as usize].load(Ordering::Relaxed)
    }
}

fn is_seen(sight: Sight, before: &State, object: usize, decided: &Decided) -> bool {
    let it = &before.objects[object];
    let says = |reason| decided.says(reason);
    let writes = decided.writes();
    match sight {
        Sight::Drift => decided.decision.plan.steps().iter().any(|step| step.cause() == Some(Cause::Drift)),
        Sight::Quarrel => says(Reason::Contended),
        Sight::NameTaken => says(Reason::PolicyNameTaken),
        Sight::Beside => says(Reason::ForeignStatements),
        Sight::Shrunk => says(Reason::ProfileShrunk),
        Sight::ConsentGone => says(Reason::ConsentMissing) && writes,
        Sight::StaleRead => decided.is_doubted && !writes,
        Sight::LostReply => {
            it.told.digest.is_none()
                && matches!(&decided.course, Course::Ends(end) if end.told.digest.is_some())
        }
    }
}
