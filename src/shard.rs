//! Which objects an operator serves, where several divide them. Pure.

use std::fmt;

use sha2::{Digest, Sha256};

/// Into more parts the objects cannot be divided: the chart names the leases of so many.
pub const MOST_SHARDS: u16 = 64;

/// The objects that an operator serves: all of them, unless it is told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    numbered: Option<Numbered>,
    selector: Option<String>,
}

/// One of several, by the object's namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// From zero.
    pub index: u16,
    /// How many there are.
    pub count: u16,
}

/// There is no such shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// One number without the other one.
    #[error("--shard-index and --shard-count go together")]
    Half,
    /// None, or too many.
    #[error("--shard-count is {0}, and must be from 1 to {MOST_SHARDS}")]
    Count(u16),
    /// Beyond the last one.
    #[error("--shard-index is {index}, and must be less than --shard-count, which is {count}")]
    Index {
        /// The one that is set.
        index: u16,
        /// How many there are.
        count: u16,
    },
}

impl Shard {
    /// The shard of a number, of a label selector, or of both. One of one is all; so is an empty selector.
    pub fn new(index: Option<u16>, count: Option<u16>, selector: Option<String>) -> Result<Self, ShardError> {
        let numbered = match (index, count) {
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(ShardError::Half),
            (Some(_), Some(count)) if !(1..=MOST_SHARDS).contains(&count) => {
                return Err(ShardError::Count(count));
            }
            (Some(index), Some(count)) if index >= count => return Err(ShardError::Index { index, count }),
            (Some(index), Some(count)) => Some(Numbered { index, count }).filter(|_| count > 1),
        };
        Ok(Self { numbered, selector: selector.filter(|selector| !selector.trim().is_empty()) })
    }

    /// Whether objects of this namespace are its own, as far as that says.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        self.numbered.is_none_or(|Numbered { index, count }| shard_of(namespace, count) == index)
    }

    /// What the labels of its objects must match.
    pub fn selector(&self) -> Option<&str> {
        self.selector.as_deref()
    }

    /// Which one it is of how many.
    pub fn numbered(&self) -> Option<Numbered> {
        self.numbered
    }

    /// Whether it has all objects, so that no other operator serves any.
    pub fn is_all(&self) -> bool {
        self.numbered.is_none() && self.selector.is_none()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.numbered, &self.selector) {
            (None, None) => f.write_str("all"),
            (Some(Numbered { index, count }), None) => write!(f, "{index} of {count}"),
            (None, Some(selector)) => f.write_str(selector),
            (Some(Numbered { index, count }), Some(selector)) => {
                write!(f, "{index} of {count} of {selector}")
            }
        }
    }
}

/// Which of `count` shards has a namespace: the first eight bytes of SHA-256 of its name, as a number whose first byte is the most
/// significant, modulo `count`. This is for ever: operators of two versions must agree.
fn shard_of(namespace: &str, count: u16) -> u16 {
    let digest = Sha256::digest(namespace);
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    // Less than `count`.
    u16::try_from(number % u64::from(count.max(1))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(index: u16, count: u16) -> Result<Shard, ShardError> {
        Shard::new(Some(index), Some(count), None)
    }

    #[test]
    fn which_shard_has_a_namespace_never_changes() {
        // Worked out elsewhere, by sha256sum.
        let of = |namespace| [2, 3, 5, 64].map(|count| shard_of(namespace, count));
        assert_eq!(of("default"), [1, 1, 4, 61]);
        assert_eq!(of("team-a"), [0, 0, 1, 52]);
        assert_eq!(of("team-b"), [0, 2, 2, 42]);
    }

    #[test]
    fn all_shards_together_have_every_namespace_once_and_each_has_its_part() {
        for count in [2, 3, 7, MOST_SHARDS] {
            let shards: Vec<Shard> = (0..count).map(|index| numbered(index, count).unwrap()).collect();
            let mut served = vec![0; shards.len()];
            for namespace in (0..6400).map(|number| format!("team-{number}")) {
                let mut its = (0..shards.len()).filter(|index| shards[*index].has_namespace(&namespace));
                served[its.next().unwrap()] += 1;
                assert_eq!(its.next(), None, "{namespace}");
            }
            let fair = 6400 / usize::from(count);
            assert!(served.iter().all(|had| (fair / 2..=fair * 2).contains(had)), "{served:?}");
        }
    }

    #[test]
    fn one_of_one_and_an_empty_selector_are_all() {
        let all = Shard::new(None, None, Some(" ".to_owned())).unwrap();
        assert_eq!((&all, numbered(0, 1).unwrap()), (&Shard::default(), Shard::default()));
        assert!(all.is_all() && all.has_namespace("team-a") && all.selector().is_none());
        let some = Shard::new(None, None, Some("a=b".to_owned())).unwrap();
        assert!(!some.is_all() && some.has_namespace("team-a") && some.selector() == Some("a=b"));
    }

    #[test]
    fn a_shard_that_cannot_be_is_refused() {
        assert_eq!(Shard::new(Some(0), None, None), Err(ShardError::Half));
        assert_eq!(Shard::new(None, Some(2), None), Err(ShardError::Half));
        assert_eq!(numbered(0, 0), Err(ShardError::Count(0)));
        assert_eq!(numbered(0, 65), Err(ShardError::Count(65)));
        assert_eq!(numbered(2, 2), Err(ShardError::Index { index: 2, count: 2 }));
    }
}
