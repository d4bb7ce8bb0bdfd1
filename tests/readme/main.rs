//! What README says of AWS and of conditions, compared with the code, both ways.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test")]

mod conditions;
mod rights;

const README: &str = include_str!("../../README.md");

/// The lines from the one that contains `begin` to the next that contains `end`, both excluded.
fn between(begin: &str, end: &str) -> Vec<&'static str> {
    let mut lines = README.lines().skip_while(|line| !line.contains(begin)).skip(1);
    let found: Vec<&str> = lines.by_ref().take_while(|line| !line.contains(end)).collect();
    assert!(!found.is_empty(), "README has nothing between {begin:?} and {end:?}");
    found
}
