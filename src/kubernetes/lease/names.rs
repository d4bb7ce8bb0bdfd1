//! Which leases an operator holds: those that it has in common with the operators of other shards, and its own. Pure.
//!
//! What is held in common says how the objects are divided: while one division holds it no other one does, so that operators never
//! serve an object by two divisions at once.

use sha2::{Digest, Sha256};

use crate::shard::{Numbered, Shard};

/// The Lease of an operator that serves all objects, and the one that all shards hold in common.
pub(crate) const NAME: &str = "bedrock-access";

/// Who holds a lease that operators of several selectors have in common.
const SELECTORS: &str = "selectors";

/// Who holds a lease that numbered shards have in common, but for how many they are. A process's own identity has an underscore.
const SHARDS: &str = "shards-of-";

/// An operator's leases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// Those that it holds in common with others, outermost first.
    pub(super) common: Vec<Common>,
    /// The one that it holds alone.
    pub(super) own: String,
}

/// A lease that whoever divides the objects alike holds in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Common {
    pub(super) name: String,
    /// The same for all of them.
    pub(super) holder: String,
}

impl Names {
    /// The leases of a shard's operator.
    pub(crate) fn of(shard: &Shard) -> Self {
        let mut names = Self { common: Vec::new(), own: NAME.to_owned() };
        if let Some(selector) = shard.selector() {
            let inner = format!("{NAME}-{}", id_of(selector));
            names.divide(SELECTORS.to_owned(), inner);
        }
        if let Some(Numbered { index, count }) = shard.numbered() {
            let inner = format!("{}-shard-{index}", names.own);
            names.divide(format!("{SHARDS}{count}"), inner);
        }
        names
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.common.iter().map(|common| common.name.as_str()).chain([self.own.as_str()])
    }

    fn divide(&mut self, holder: String, inner: String) {
        let name = std::mem::replace(&mut self.own, inner);
        self.common.push(Common { name, holder });
    }
}

/// Whether a holder stands for several operators.
pub(super) fn is_common(holder: &str) -> bool {
    holder == SELECTORS || (holder.starts_with(SHARDS) && !holder.contains('_'))
}

/// A selector in a lease's name: the first eight digits of SHA-256 of its text without blanks. The chart computes the same.
fn id_of(selector: &str) -> String {
    let text: String = selector.chars().filter(|letter| !letter.is_whitespace()).collect();
    let digest = Sha256::digest(text);
    let number = digest.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    format!("{number:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(numbers: Option<(u16, u16)>, selector: Option<&str>) -> (Vec<String>, String) {
        let (index, count) = (numbers.map(|(index, _)| index), numbers.map(|(_, count)| count));
        let shard = Shard::new(index, count, selector.map(str::to_owned)).unwrap();
        let Names { common, own } = Names::of(&shard);
        let common = common.into_iter().map(|Common { name, holder }| format!("{name} by {holder}"));
        (common.collect(), own)
    }

    #[test]
    fn an_operator_holds_what_its_division_has_in_common_and_a_lease_of_its_own() {
        let owned = |common: &[&str], own: &str| {
            (common.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), own.to_owned())
        };
        assert_eq!(names(None, None), owned(&[], "bedrock-access"));
        assert_eq!(names(Some((0, 1)), None), names(None, None));
        let numbered = owned(&["bedrock-access by shards-of-3"], "bedrock-access-shard-2");
        assert_eq!(names(Some((2, 3)), None), numbered);
        let selected = owned(&["bedrock-access by selectors"], "bedrock-access-42144f39");
        assert_eq!(names(None, Some("a=b")), selected);
        let common = ["bedrock-access by selectors", "bedrock-access-42144f39 by shards-of-2"];
        assert_eq!(names(Some((1, 2)), Some("a=b")), owned(&common, "bedrock-access-42144f39-shard-1"));
    }

    #[test]
    fn a_selector_is_the_same_however_it_is_spaced() {
        assert_eq!(id_of("a in (b, c)"), id_of("a in (b,c)"));
        assert_ne!(id_of("a=b"), id_of("a=c"));
    }

    #[test]
    fn a_process_is_never_taken_for_a_division() {
        assert!(is_common("shards-of-2") && is_common("selectors"));
        assert!(!is_common("bedrock-access-7d_00") && !is_common("shards-of-2_00") && !is_common(""));
    }
}
