use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::stage::Stage;

/// For how long a reconcile may go on with what it read before: IAM's reads lag by 4 s, and a call may hang three times.
pub(crate) const MEMORY: Duration = Duration::from_secs(45);

/// Stretches of roles' histories in which something held, told by the places at which they begin and end.
#[derive(Default)]
pub(crate) struct Windows(BTreeMap<(String, &'static str), Vec<Window>>);

struct Window {
    from: usize,
    over: Option<Instant>,
    to: Option<usize>,
}

impl Windows {
    /// From this place on, for a namespace on a role; goes on with one that is about to end.
    pub(crate) fn open(&mut self, role: &str, namespace: &'static str, from: usize) {
        let windows = self.0.entry((role.to_owned(), namespace)).or_default();
        match windows.last_mut().filter(|window| window.to.is_none()) {
            Some(open) => open.over = None,
            None => windows.push(Window { from, over: None, to: None }),
        }
    }

    /// It holds no more: the window ends once no reconcile can remember it.
    pub(crate) fn close(&mut self, role: &str, namespace: &'static str) {
        let windows = self.0.get_mut(&(role.to_owned(), namespace)).into_iter().flatten();
        for window in windows.filter(|window| window.to.is_none() && window.over.is_none()) {
            window.over = Some(Instant::now() + MEMORY);
        }
    }

    /// Ends what is over.
    pub(crate) fn tick(&mut self, stage: &Stage) -> Outcome<()> {
        let now = Instant::now();
        for ((role, _), windows) in &mut self.0 {
            let is_over =
                |window: &&mut Window| window.to.is_none() && window.over.is_some_and(|over| now >= over);
            for window in windows.iter_mut().filter(is_over) {
                window.to = Some(stage.history(role)?.len());
            }
        }
        Ok(())
    }

    /// Whether the change at that place of the role's history lies in one of them.
    pub(crate) fn hold(&self, role: &str, namespace: &'static str, place: usize) -> bool {
        let windows = self.0.get(&(role.to_owned(), namespace)).into_iter().flatten();
        windows.into_iter().any(|window| window.from <= place && window.to.is_none_or(|to| place < to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_opens_again_before_it_ended_is_the_same() {
        let mut windows = Windows::default();
        windows.open("role", "a", 3);
        windows.close("role", "a");
        windows.open("role", "a", 5);
        assert_eq!(windows.0[&("role".to_owned(), "a")].len(), 1);
        let holds = |place| windows.hold("role", "a", place);
        assert_eq!([holds(2), holds(3), holds(9)], [false, true, true]);
        assert!(!windows.hold("role", "b", 4) && !windows.hold("other", "a", 4));
    }
}
