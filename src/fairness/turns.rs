//! Whose turn it is.
//!
//! Two round robins between tenants take turns. One serves the most urgent: among those whose work is equally urgent, who was
//! served longest ago. The other serves every tenant, and of each what has waited longest. So what is urgent overtakes the rest,
//! and whoever floods the operator with urgent work, others or its own, puts off nothing for longer than two rounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Urgency;

/// Those who wait, by tenant.
pub(crate) struct Turns<T> {
    lines: BTreeMap<Arc<str>, Line<T>>,
    /// Rises with everyone who comes or is served.
    clock: u64,
    round: Round,
}

/// Which round robin has the next turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// The most urgent first.
    Urgent,
    /// Whoever has waited longest first.
    Patient,
}

/// Where someone waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) urgency: Urgency,
    /// Of those who came later it is higher.
    number: u64,
}

/// Whose turn it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Turn<T> {
    pub(crate) tenant: Arc<str>,
    pub(crate) urgency: Urgency,
    pub(crate) item: T,
}

/// Those of one tenant who wait.
struct Line<T> {
    waiting: BTreeMap<Place, T>,
    /// When each round robin last served the tenant, or the tenant began to wait.
    urgent: u64,
    patient: u64,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { lines: BTreeMap::new(), clock: 0, round: Round::Urgent }
    }
}

impl Round {
    fn other(self) -> Self {
        match self {
            Self::Urgent => Self::Patient,
            Self::Patient => Self::Urgent,
        }
    }
}

impl<T> Turns<T> {
    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The tenants of whom someone waits.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &Arc<str>> {
        self.lines.keys()
    }

    /// Someone begins to wait, behind all of the same tenant and urgency.
    pub(crate) fn join(&mut self, tenant: &Arc<str>, urgency: Urgency, item: T) -> Place {
        self.clock += 1;
        let place = Place { urgency, number: self.clock };
        self.put(tenant, place, item);
        place
    }

    /// Someone waits no longer.
    pub(crate) fn leave(&mut self, tenant: &str, place: Place) -> Option<T> {
        let line = self.lines.get_mut(tenant)?;
        let item = line.waiting.remove(&place);
        if line.waiting.is_empty() {
            self.lines.remove(tenant);
        }
        item
    }

    /// Who waits becomes as urgent as this, if it was less, and is as old as before; where it waits now.
    pub(crate) fn hurry(&mut self, tenant: &Arc<str>, place: Place, urgency: Urgency) -> Place {
        if urgency >= place.urgency {
            return place;
        }
        let hurried = Place { urgency, ..place };
        let moved = self.lines.get_mut(tenant).and_then(|line| line.waiting.remove(&place));
        if let Some(item) = moved {
            self.put(tenant, hurried, item);
        }
        hurried
    }

    /// Serves the next. `excess` tells of a tenant's work of some urgency by how much it would go beyond its share, or `None` where
    /// it may not be served now; less excess goes before everything else.
    pub(crate) fn next(&mut self, excess: impl Fn(&str, Urgency) -> Option<usize>) -> Option<Turn<T>> {
        let round = self.round;
        let candidates = self.lines.iter().filter_map(|(tenant, line)| {
            let candidate = line.candidate(round, |urgency| excess(tenant, urgency))?;
            Some((candidate, tenant))
        });
        let ((_, place), tenant) = candidates.min_by_key(|((rank, _), _)| *rank)?;
        let tenant = Arc::clone(tenant);
        self.clock += 1;
        self.round = round.other();
        if let Some(line) = self.lines.get_mut(&tenant) {
            match round {
                Round::Urgent => line.urgent = self.clock,
                Round::Patient => line.patient = self.clock,
            }
        }
        let item = self.leave(&tenant, place)?;
        Some(Turn { tenant, urgency: place.urgency, item })
    }

    fn put(&mut self, tenant: &Arc<str>, place: Place, item: T) {
        // Behind those who wait already: whoever comes and goes gains nothing by it.
        let began = self.clock;
        let line = self.lines.entry(Arc::clone(tenant)).or_insert_with(|| Line {
            waiting: BTreeMap::new(),
            urgent: began,
            patient: began,
        });
        line.waiting.insert(place, item);
    }
}

/// What decides between tenants, the lowest first.
type Rank = (usize, Option<Urgency>, u64);

impl<T> Line<T> {
    /// Who would be served of this tenant.
    fn candidate(&self, round: Round, excess: impl Fn(Urgency) -> Option<usize>) -> Option<(Rank, Place)> {
        let heads = Urgency::ALL.into_iter().filter_map(|urgency| self.head(urgency));
        let mut allowed = heads.filter_map(|place| Some((excess(place.urgency)?, place)));
        match round {
            Round::Urgent => {
                let (excess, place) = allowed.next()?;
                Some(((excess, Some(place.urgency), self.urgent), place))
            }
            Round::Patient => {
                let (excess, place) = allowed.min_by_key(|(_, place)| place.number)?;
                Some(((excess, None, self.patient), place))
            }
        }
    }

    /// The first of this urgency.
    fn head(&self, urgency: Urgency) -> Option<Place> {
        let all = Place { urgency, number: 0 }..=Place { urgency, number: u64::MAX };
        self.waiting.range(all).next().map(|(place, _)| *place)
    }
}

#[cfg(test)]
mod tests;
