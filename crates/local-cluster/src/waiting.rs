use std::thread;
use std::time::{Duration, Instant};

use crate::{Error, Result};

const PAUSE: Duration = Duration::from_millis(50);

/// Asks `probe` again and again until it gives a value.
///
/// `probe` answers `Err(what it saw)` while the condition does not hold; the last of these is part of the error after `limit`.
pub fn wait_until<T, S: ToString>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> std::result::Result<T, S>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        match probe() {
            Ok(value) => return Ok(value),
            Err(seen) if Instant::now() >= deadline => {
                return Err(Error::TimedOut { what: what.to_owned(), limit, seen: seen.to_string() });
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_after_the_deadline_names_what_was_seen_last() {
        let mut asked = 0;
        let error = wait_until("the moon", Duration::from_millis(120), || {
            asked += 1;
            Err::<(), _>(format!("answer {asked}"))
        })
        .unwrap_err();
        assert!(asked > 1);
        assert_eq!(error.to_string(), format!("waited 0 s for the moon; last seen: answer {asked}"));
    }
}
