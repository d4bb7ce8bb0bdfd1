//! The operator's copy of the record, as far as it was read or written.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_iam::RoleName;
use bedrock_iam::orphan::ObjectName;
use serde::{Deserialize, Serialize};

use super::SHARDS;
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
    /// The shards in which it may stand, a bit for each: a write whose answer was lost may have been carried out.
    shards: u64,
}

const _: () = assert!(SHARDS <= 64, "a shard has a bit of its own");

impl Known {
    /// Whether an entry stands under one of the keys.
    pub(super) fn has<'a>(&self, mut keys: impl Iterator<Item = &'a String>, entry: &Entry) -> bool {
        keys.any(|key| {
            let text = self.entries.get(key.as_str()).and_then(|kept| kept.text.as_deref());
            text.and_then(|text| serde_json::from_str::<Entry>(text).ok()).as_ref() == Some(entry)
        })
    }

    /// An entry is about to be written to a shard.
    pub(super) fn may_stand(&mut self, key: &str, shard: usize) {
        self.kept(key).shards |= 1 << shard;
    }

    /// An entry stands in a shard.
    pub(super) fn stands(&mut self, key: &str, text: &str, shard: usize) {
        let kept = self.kept(key);
        kept.shards |= 1 << shard;
        kept.text = Some(text.into());
    }

    /// An entry was read in a shard. The answer may be older than what is known.
    pub(super) fn was_read(&mut self, key: &str, text: &str, shard: usize) {
        if self.doubted.contains(key) {
            self.may_stand(key, shard);
        } else if !self.is_whole {
            self.stands(key, text, shard);
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

    /// The shards in which an entry may stand.
    pub(super) fn shards(&self, key: &str) -> Vec<usize> {
        let bits = self.entries.get(key).map_or(0, |kept| kept.shards);
        (0..SHARDS).filter(|shard| bits & 1 << shard != 0).collect()
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
        self.entries.entry(key.into()).or_insert(Kept { text: None, shards: 0 })
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
        assert_eq!((has(&known), known.shards(KEY)), (false, vec![5]));
        known.stands(KEY, &text, 7);
        known.complete();
        assert_eq!((has(&known), known.shards(KEY)), (true, vec![5, 7]));
    }

    #[test]
    fn an_entry_in_doubt_is_noted_anew_and_taken_out_wherever_it_may_stand() {
        let (mut known, text) = (Known::default(), entry().1);
        known.was_read(KEY, &text, 3);
        known.complete();
        assert!(has(&known));
        known.doubt(KEY);
        assert_eq!((has(&known), known.shards(KEY)), (false, vec![3]));
        assert_eq!(known.entries().count(), 0);
        known.stands(KEY, &text, 3);
        assert!(has(&known));
    }
}
