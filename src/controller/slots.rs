//! The workers, and how many of them a namespace may hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fairness::Urgency;

/// How many work for whom.
pub(super) struct Slots {
    /// For one namespace.
    most: usize,
    all: usize,
    held: BTreeMap<Arc<str>, Held>,
}

/// What one namespace holds.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    all: usize,
    routine: usize,
}

impl Slots {
    /// So many as one namespace may hold where nobody else wants any, and beyond them a quarter that is for the others.
    pub(super) fn new(concurrency: usize) -> Self {
        Self { most: concurrency, all: concurrency + (concurrency / 4).max(1), held: BTreeMap::new() }
    }

    /// The namespaces that hold some.
    pub(super) fn holders(&self) -> impl Iterator<Item = &Arc<str>> {
        self.held.keys()
    }

    pub(super) fn hold(&mut self, namespace: &Arc<str>, urgency: Urgency) {
        let held = self.held.entry(Arc::clone(namespace)).or_default();
        held.all += 1;
        held.routine += usize::from(is_routine(urgency));
    }

    pub(super) fn release(&mut self, namespace: &str, urgency: Urgency) {
        let Some(held) = self.held.get_mut(namespace) else { return };
        held.all -= 1;
        held.routine -= usize::from(is_routine(urgency));
        if held.all == 0 {
            self.held.remove(namespace);
        }
    }

    /// By how much a namespace would go beyond its share with one more, where `active` namespaces share them; `None` where it may
    /// hold no more.
    ///
    /// What others do not use is lent, but for those beyond `concurrency`: what a namespace is at may take long, and another's change
    /// must not wait for it. For the same reason routine work leaves one to what is urgent, of the same namespace and of all together.
    pub(super) fn excess(&self, namespace: &str, urgency: Urgency, active: usize) -> Option<usize> {
        let held = self.held.get(namespace).copied().unwrap_or_default();
        let (mut all, mut routine) = (0, 0);
        for held in self.held.values() {
            all += held.all;
            routine += held.routine;
        }
        let may = if is_routine(urgency) {
            held.routine < less(self.most, 1) && routine < less(self.all, 1)
        } else {
            true
        };
        let share = (self.all / active.max(1)).max(1);
        (may && all < self.all && held.all < self.most).then(|| (held.all + 1).saturating_sub(share))
    }
}

/// At least one is always there to be had.
fn less(slots: usize, reserved: usize) -> usize {
    slots.saturating_sub(reserved).max(1)
}

fn is_routine(urgency: Urgency) -> bool {
    urgency >= Urgency::Routine
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many one namespace gets when it asks again and again.
    fn granted(slots: &mut Slots, namespace: &str, urgency: Urgency) -> usize {
        let namespace = Arc::from(namespace);
        let mut granted = 0;
        while slots.excess(&namespace, urgency, 1).is_some() {
            slots.hold(&namespace, urgency);
            granted += 1;
        }
        granted
    }

    #[test]
    fn one_namespace_alone_holds_as_many_as_are_set_and_a_quarter_more_is_for_others() {
        for (concurrency, routine, others) in [(1, 1, 1), (2, 1, 1), (3, 2, 1), (8, 7, 2), (16, 15, 4)] {
            let mut slots = Slots::new(concurrency);
            assert_eq!(granted(&mut slots, "a", Urgency::Change), concurrency);
            assert_eq!(granted(&mut slots, "b", Urgency::Change), others, "{concurrency}");
            assert_eq!(
                granted(&mut Slots::new(concurrency), "a", Urgency::Routine),
                routine,
                "{concurrency}"
            );
        }
    }

    #[test]
    fn routine_work_of_all_together_leaves_one_to_what_is_urgent() {
        let mut slots = Slots::new(8);
        let routine: usize =
            ["a", "b", "c"].map(|namespace| granted(&mut slots, namespace, Urgency::Routine)).iter().sum();
        assert_eq!(routine, 9);
        assert_eq!(granted(&mut slots, "d", Urgency::Withdrawal), 1);
    }

    #[test]
    fn a_share_is_what_all_who_have_work_can_have() {
        let mut slots = Slots::new(8);
        let a: Arc<str> = Arc::from("a");
        let excess = |slots: &Slots| slots.excess("a", Urgency::Change, 4);
        assert_eq!(excess(&slots), Some(0));
        slots.hold(&a, Urgency::Change);
        assert_eq!(excess(&slots), Some(0));
        slots.hold(&a, Urgency::Change);
        assert_eq!(excess(&slots), Some(1));
        slots.release("a", Urgency::Change);
        assert_eq!(excess(&slots), Some(0));
        assert_eq!(slots.excess("b", Urgency::Change, 100), Some(0), "everybody's share is one at least");
    }
}
