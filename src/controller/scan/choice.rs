//! Whether to look at all roles together, or at each that is needed by itself. Pure.

use std::time::Duration;

use tokio::time::Instant;

use crate::aws::ROLES_IN_A_PAGE;

/// Objects below which nothing is to be gained.
const FEW: usize = 10;

/// Calls for a look at one object: GetRole and GetRolePolicy.
const CALLS_FOR_ONE: usize = 2;

/// For how long a number of roles is good.
const GOOD_FOR: Duration = Duration::from_hours(6);

/// What was chosen, and by what.
#[derive(Default)]
pub(super) struct Choice {
    scans: bool,
    roles: Option<(usize, Instant)>,
}

/// Calls for a look at each object by itself.
pub(super) struct Cost(usize);

impl Cost {
    pub(super) fn of(objects: usize) -> Self {
        Self(if objects < FEW { 0 } else { CALLS_FOR_ONE * objects })
    }
}

impl Choice {
    /// Whether the choice depends on how many roles there are, and that is not known.
    pub(super) fn wants_to_know_roles(&self, objects: usize, now: Instant) -> bool {
        let is_known = self.roles.is_some_and(|(_, at)| now.duration_since(at) < GOOD_FOR);
        objects >= FEW && !is_known
    }

    pub(super) fn roles_are(&mut self, roles: usize, now: Instant) {
        self.roles = Some((roles, now));
    }

    /// Whether to scan. It is begun where it halves the calls, and ended where it costs more: near the line nothing is changed.
    pub(super) fn is_for_scan(&mut self, direct: &Cost) -> bool {
        let pages = self.roles.map(|(roles, _)| roles.div_ceil(ROLES_IN_A_PAGE).max(1));
        self.scans =
            pages.is_some_and(|pages| if self.scans { pages <= direct.0 } else { 2 * pages <= direct.0 });
        self.scans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(roles: usize) -> Choice {
        let mut choice = Choice::default();
        choice.roles_are(roles, Instant::now());
        choice
    }

    #[test]
    fn many_objects_are_looked_at_together_and_few_by_themselves() {
        assert!(choice(10_000).is_for_scan(&Cost::of(10_000)));
        assert!(choice(0).is_for_scan(&Cost::of(10)));
        assert!(!choice(10).is_for_scan(&Cost::of(9)), "few");
        assert!(!choice(100_000).is_for_scan(&Cost::of(100)), "few beside many roles");
        assert!(!Choice::default().is_for_scan(&Cost::of(10_000)), "nobody knows how many roles there are");
    }

    #[test]
    fn near_the_line_a_choice_stays() {
        // 100 pages.
        let mut choice = choice(100 * ROLES_IN_A_PAGE);
        let chosen = [70, 100, 99, 51, 49, 51, 99, 100].map(|objects| choice.is_for_scan(&Cost::of(objects)));
        assert_eq!(chosen, [false, true, true, true, false, false, false, true]);
    }

    #[test]
    fn the_number_of_roles_is_asked_for_when_it_matters_and_is_old() {
        let (mut choice, now) = (Choice::default(), Instant::now());
        assert!(!choice.wants_to_know_roles(FEW - 1, now));
        assert!(choice.wants_to_know_roles(FEW, now));
        choice.roles_are(5, now);
        assert!(!choice.wants_to_know_roles(FEW, now + GOOD_FOR / 2));
        assert!(choice.wants_to_know_roles(FEW, now + GOOD_FOR));
    }
}
