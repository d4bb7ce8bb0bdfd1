//! The operator's copy of the record, as far as it was read or written.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_iam::RoleName;
use bedrock_iam::orphan::ObjectName;
use serde::{Deserialize, Serialize};

use super::PARTS;
use super::ids::Notes;

/// Which policy was written for whom; clones of an entry are as good as any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) role: String,
}

#[derive(Default)]
pub(super) struct Known {
    /// `None` while it was not read.
    pub(super) notes: Option<Notes>,
    pub(super) is_whole: bool,
    entries: BTreeMap<Box<str>, Kept>,
    /// Of what may have been taken out while the record is read: an older answer may still show it.
    doubted: BTreeSet<Box<str>>,
}

struct Kept {
    /// The entry as it is stored; `None` while no write of it is known to have succeeded.
    text: Option<Box<str>>,
    /// The parts in which it may stand, a bit for each: a write whose answer was lost may have been carried out.
    parts: u64,
}

const _: () = assert!(PARTS <= 64, "a part has a bit of its own");

impl Known {
    /// Whether an entry stands under one of the keys.
    pub(super) fn has<'a>(&self, mut keys: impl Iterator<Item = &'a String>, entry: &Entry) -> bool {
        keys.any(|key| {
            let text = self.entries.get(key.as_str()).and_then(|kept| kept.text.as_deref());
            text.and_then(|text| serde_json::from_str::<Entry>(text).ok()).as_ref() == Some(entry)
        })
    }

    /// An entry is about to be written to a part.
    pub(super) fn may_stand(&mut self, key: &str, part: usize) {
        self.kept(key).parts |= 1 << part;
    }

    /// An entry stands in a part.
    pub(super) fn stands(&mut self, key: &str, text: &str, part: usize) {
        let kept = self.kept(key);
        kept.parts |= 1 << part;
        kept.text = Some(text.into());
    }

    /// An entry was read in a part. The answer may be older than what is known.
    pub(super) fn was_read(&mut self, key: &str, text: &str, part: usize) {
        if self.doubted.contains(key) {
            self.may_stand(key, part);
        } else if !self.is_whole {
            self.stands(key, text, part);
        }
    }

    /// All of it was read.
    pub(super) fn complete(&mut self) {
        self.is_whole = true;
        self.doubted = BTreeSet::new();
    }

    /// It is not certain any more that an entry stands; where it may stand is.
    pub(super) fn doubt(&mut self, key: &str) {
        if let Some(kept) = self.entries.get_mut(key) {
            kept.text = None;
        }
        self.distrust_answers(key);
    }

    /// The parts in which an entry may stand.
    pub(super) fn parts(&self, key: &str) -> Vec<usize> {
        let bits = self.entries.get(key).map_or(0, |kept| kept.parts);
        (0..PARTS).filter(|part| bits & 1 << part != 0).collect()
    }

    /// An entry stands nowhere any more.
    pub(super) fn remove(&mut self, key: &str) {
        self.entries.remove(key);
        self.distrust_answers(key);
    }

    /// Every entry that can be read: the key, and of what.
    pub(super) fn entries(&self) -> impl Iterator<Item = (String, ObjectName, RoleName)> {
        self.entries.iter().filter_map(|(key, kept)| {
            let Entry { namespace, name, role } = serde_json::from_str(kept.text.as_deref()?).ok()?;
            Some((key.to_string(), ObjectName { namespace, name }, role.parse().ok()?))
        })
    }

    fn distrust_answers(&mut self, key: &str) {
        if !self.is_whole {
            self.doubted.insert(key.into());
        }
    }

    fn kept(&mut self, key: &str) -> &mut Kept {
        self.entries.entry(key.into()).or_insert(Kept { text: None, parts: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "policy.role";

    fn entry() -> (Entry, String) {
        let entry = Entry { namespace: "a".to_owned(), name: "b".to_owned(), role: "c".to_owned() };
        let text = serde_json::to_string(&entry).unwrap();
        (entry, text)
    }

    fn has(known: &Known) -> bool {
        known.has([KEY.to_owned()].iter(), &entry().0)
    }

    #[test]
    fn an_answer_that_is_older_than_a_removal_brings_no_entry_back_and_says_where_one_may_stand() {
        let (mut known, text) = (Known::default(), entry().1);
        known.stands(KEY, &text, 3);
        known.remove(KEY);
        known.was_read(KEY, &text, 5);
        assert_eq!((has(&known), known.parts(KEY)), (false, vec![5]));
        known.stands(KEY, &text, 7);
        known.complete();
        assert_eq!((has(&known), known.parts(KEY)), (true, vec![5, 7]));
    }

    #[test]
    fn an_entry_in_doubt_is_noted_anew_and_taken_out_wherever_it_may_stand() {
        let (mut known, text) = (Known::default(), entry().1);
        known.was_read(KEY, &text, 3);
        known.complete();
        assert!(has(&known));
        known.doubt(KEY);
        assert_eq!((has(&known), known.parts(KEY)), (false, vec![3]));
        assert_eq!(known.entries().count(), 0);
        known.stands(KEY, &text, 3);
        assert!(has(&known));
    }
}
