//! Under which cluster ids policies were written, as the record's first ConfigMap has it beside its entries.

use std::collections::BTreeMap;

use super::Changes;

/// The key of the cluster id; no entry's key holds a hyphen.
const CLUSTER_ID: &str = "cluster-id";

/// That of the cluster id whose policies are being moved.
const MOVED_FROM: &str = "moved-from";

/// That of those before, as a JSON list.
const FORMER: &str = "former-ids";

/// That of how roles consented when the operator last ran.
const CONSENT: &str = "consent-by";

/// With as many former cluster ids that still have policies, the operator takes on no further one.
pub(crate) const MOST_FORMER: usize = 16;

/// The cluster ids that policies were written under.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClusterIds {
    /// The last one.
    pub(crate) now: Option<String>,
    /// One whose policies may not all have been moved.
    pub(crate) moved_from: Option<String>,
    /// Those before, oldest first, under which there may still be policies.
    pub(crate) former: Vec<String>,
}

/// What is noted beside the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Notes {
    pub(super) ids: ClusterIds,
    pub(super) consent: Option<String>,
}

impl ClusterIds {
    /// What is to be noted by who runs under these, where `noted` stands: no former one is lost.
    pub(super) fn following(&self, noted: &Self) -> Self {
        let before = noted.former.iter().chain(&noted.now).chain(&noted.moved_from).chain(&self.moved_from);
        let mut former: Vec<String> = Vec::new();
        for id in before.filter(|id| Some(*id) != self.now.as_ref()) {
            if !former.contains(id) {
                former.push(id.clone());
            }
        }
        Self { former, ..self.clone() }
    }
}

impl Notes {
    /// Takes them out of the first ConfigMap's data, so that the entries are left.
    pub(super) fn take_from(data: &mut BTreeMap<String, String>) -> Self {
        let former = data.remove(FORMER).and_then(|text| serde_json::from_str(&text).ok());
        let ids = ClusterIds {
            now: data.remove(CLUSTER_ID),
            moved_from: data.remove(MOVED_FROM),
            former: former.unwrap_or_default(),
        };
        Self { ids, consent: data.remove(CONSENT) }
    }

    /// What has to change, where `noted` stands.
    pub(super) fn changes_from(&self, noted: &Self) -> Changes {
        let (old, new) = (noted.as_data(), self.as_data());
        new.into_iter().filter(|(key, value)| old.get(key) != Some(value)).collect()
    }

    fn as_data(&self) -> Changes {
        let ClusterIds { now, moved_from, former } = &self.ids;
        let list = serde_json::Value::from(former.clone()).to_string();
        let data = [
            (CLUSTER_ID, now.clone()),
            (MOVED_FROM, moved_from.clone()),
            (FORMER, (!former.is_empty()).then_some(list)),
            (CONSENT, self.consent.clone()),
        ];
        data.map(|(key, value)| (key.to_owned(), value)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(now: &str, moved_from: Option<&str>, former: &[&str]) -> ClusterIds {
        let owned = |id: &&str| (*id).to_owned();
        let former = former.iter().map(owned).collect();
        ClusterIds { now: Some(now.to_owned()), moved_from: moved_from.as_ref().map(owned), former }
    }

    #[test]
    fn every_cluster_id_that_was_is_a_former_one_until_it_is_the_one_of_now_again() {
        let moving = ids("b", Some("a"), &[]).following(&ids("a", None, &[]));
        assert_eq!(moving, ids("b", Some("a"), &["a"]));
        let moved = ids("b", None, &[]).following(&moving);
        assert_eq!(moved, ids("b", None, &["a"]));
        assert_eq!(ids("c", None, &[]).following(&moved), ids("c", None, &["a", "b"]), "without a move too");
        assert_eq!(ids("a", Some("b"), &[]).following(&moved), ids("a", Some("b"), &["b"]), "and back again");
        let noted_before = ids("b", Some("a"), &[]);
        assert_eq!(ids("b", None, &[]).following(&noted_before), moved, "by an operator that had no list");
        let rebuilt = ids("b", Some("a"), &[]).following(&ClusterIds::default());
        assert_eq!(rebuilt, moving, "a cluster without a record");
    }

    #[test]
    fn what_is_noted_is_read_again_and_only_changes_are_written() {
        let notes = Notes { ids: ids("b", Some("a"), &["z", "a"]), consent: Some("tag".to_owned()) };
        let written = notes.changes_from(&Notes::default());
        let mut data: BTreeMap<String, String> =
            written.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        data.insert("an.entry".to_owned(), "{}".to_owned());
        assert_eq!((Notes::take_from(&mut data), data.len()), (notes.clone(), 1));
        let settled = Notes { ids: ids("b", None, &[]), ..notes.clone() };
        let expected = [("moved-from".to_owned(), None), ("former-ids".to_owned(), None)];
        assert_eq!(settled.changes_from(&notes), expected.into());
        let mut edited = BTreeMap::from([("former-ids".to_owned(), "no list".to_owned())]);
        assert_eq!(Notes::take_from(&mut edited), Notes::default());
    }
}
