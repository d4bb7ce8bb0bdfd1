//! A changed cluster id would leave every policy behind under its old name, still granting: it is refused at the start.

use bedrock_iam::PolicyIdentity;
use bedrock_iam::orphan::ObjectName;
use kube::Client;

use crate::orphans::{self, ClusterIds, MOST_FORMER, Record};

/// Why the operator does not run under its cluster id.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The record knows another one, under which objects still have policies.
    #[error(
        "the cluster id is {now}, and objects still have policies under the one before, {before}, such as {example}: go on with \
         --cluster-id {before}, or move the policies with --adopt-from {before}"
    )]
    Changed {
        /// The cluster id that is set.
        now: String,
        /// The one that the policies were written under.
        before: String,
        /// An object with such a policy.
        example: String,
    },
    /// No record, but no object has a policy under the cluster id.
    #[error(
        "the cluster id is {now}, and the objects' policies were written under another one, such as {example}: go on with \
         --cluster-id OLD, or move the policies with --adopt-from OLD, where OLD is that cluster id"
    )]
    Unlike {
        /// The cluster id that is set.
        now: String,
        /// A policy, and its object.
        example: String,
    },
    /// Policies are left under more cluster ids than the operator looks after.
    #[error(
        "policies are left under the cluster ids {}, and the operator looks after {MOST_FORMER} former ones at most: go on with the \
         cluster id before, and clear what bedrock-access orphans lists under one of them",
        .0.join(", ")
    )]
    TooMany(Vec<String>),
    /// There is nothing to be moved.
    #[error("--adopt-from names {0}, which is the cluster id itself")]
    Same(String),
    /// The record or the objects cannot be read.
    #[error("the record of written policies and the BedrockAccess objects cannot be read")]
    Kubernetes(#[from] kube::Error),
}

impl Error {
    /// Whether waiting may help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Kubernetes(_))
    }
}

/// An object, and the names of the policies that its status tells of.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) object: ObjectName,
    pub(crate) policies: Vec<String>,
}

/// Refuses a cluster id that is not the one which the objects' policies were written under.
pub async fn check(
    client: &Client,
    record: &Record,
    now: &str,
    adopt_from: Option<&str>,
) -> Result<(), Error> {
    if adopt_from == Some(now) {
        return Err(Error::Same(now.to_owned()));
    }
    record.load().await?;
    let former = record.former_ids_to_be().await?;
    if former.len() > MOST_FORMER {
        return Err(Error::TooMany(former));
    }
    let ids = record.cluster_ids().await?;
    // The objects are many, and mostly nothing has changed.
    if ids.now.as_deref() == Some(now) && ids.moved_from.is_none() {
        return Ok(());
    }
    let told = orphans::told(client).await?;
    judge(now, &ids, adopt_from, &told, |id, object| record.holds(id, object))
}

/// `is_noted` says whether the record holds a policy of the object under a cluster id.
fn judge(
    now: &str,
    ids: &ClusterIds,
    adopt_from: Option<&str>,
    told: &[Told],
    is_noted: impl Fn(&str, &ObjectName) -> bool,
) -> Result<(), Error> {
    let has_under = |id: &str, told: &Told| {
        let ObjectName { namespace, name } = &told.object;
        let policy = PolicyIdentity::derive(id, namespace, name);
        told.policies.iter().any(|named| named == policy.policy_name())
    };
    if ids.now.is_some() {
        let others = ids.now.iter().chain(&ids.moved_from).map(String::as_str);
        for before in others.filter(|id| *id != now && Some(*id) != adopt_from) {
            let is_left = |told: &&Told| has_under(before, told) || is_noted(before, &told.object);
            if let Some(left) = told.iter().find(is_left) {
                let (now, before) = (now.to_owned(), before.to_owned());
                return Err(Error::Changed { now, before, example: written(&left.object) });
            }
        }
        return Ok(());
    }
    // A status is believed only where every one says the same.
    if adopt_from.is_some() || told.iter().any(|told| has_under(now, told)) {
        return Ok(());
    }
    let is_ours = |policy: &&String| PolicyIdentity::of_policy_name(policy).is_some();
    let other = told.iter().find_map(|told| Some((told, told.policies.iter().find(is_ours)?)));
    other.map_or(Ok(()), |(told, policy)| {
        let example = format!("{policy} of {}", written(&told.object));
        Err(Error::Unlike { now: now.to_owned(), example })
    })
}

fn written(object: &ObjectName) -> String {
    format!("{}/{}", object.namespace, object.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(under: &[&str]) -> Vec<Told> {
        let told = |(number, id): (usize, &&str)| {
            let (namespace, name) = ("team-a".to_owned(), format!("object-{number}"));
            let policy = PolicyIdentity::derive(id, &namespace, &name).policy_name().to_owned();
            Told { object: ObjectName { namespace, name }, policies: vec![policy] }
        };
        under.iter().enumerate().map(told).collect()
    }

    fn refusal(before: Option<&str>, adopt_from: Option<&str>, told: &[Told], noted: bool) -> Option<String> {
        let ids = ClusterIds { now: before.map(str::to_owned), ..ClusterIds::default() };
        judge("new", &ids, adopt_from, told, |_, _| noted).err().map(|error| error.to_string())
    }

    #[test]
    fn a_changed_cluster_id_is_refused_while_an_object_has_a_policy_under_the_old_one() {
        let expected = "the cluster id is new, and objects still have policies under the one before, old, such as \
                        team-a/object-1: go on with --cluster-id old, or move the policies with --adopt-from old";
        assert_eq!(refusal(Some("old"), None, &told(&["new", "old"]), false).as_deref(), Some(expected));
        assert!(refusal(Some("old"), None, &told(&["new"]), true).is_some(), "the record knows of one");
        assert!(refusal(Some("old"), Some("another"), &told(&["old"]), false).is_some());
        assert_eq!(refusal(Some("old"), Some("old"), &told(&["old"]), true), None);
        assert_eq!(refusal(Some("old"), None, &told(&["new", "another"]), false), None);
        assert_eq!(refusal(Some("old"), None, &[], true), None, "no object is left to have one");
    }

    #[test]
    fn an_unfinished_move_is_gone_on_with_and_not_turned_back() {
        let (now, moved_from) = (Some("new".to_owned()), Some("old".to_owned()));
        let ids = ClusterIds { now, moved_from, former: vec!["old".to_owned()] };
        let refused = |now: &str, adopt_from: Option<&str>, told: &[Told]| {
            judge(now, &ids, adopt_from, told, |_, _| false).err().map(|error| error.to_string())
        };
        let half = told(&["new", "old"]);
        assert!(refused("new", None, &half).unwrap().contains("--adopt-from old"));
        assert!(refused("old", None, &half).unwrap().contains("--adopt-from new"));
        assert_eq!(refused("new", Some("old"), &half), None);
        assert_eq!(refused("new", None, &told(&["new", "new"])), None, "all are moved");
    }

    #[test]
    fn without_a_record_the_statuses_are_believed_only_where_they_agree() {
        let refused = refusal(None, None, &told(&["old", "old"]), false).unwrap();
        assert!(
            refused.contains("the cluster id is new") && refused.contains("--adopt-from OLD"),
            "{refused}"
        );
        assert!(refused.contains("bedrock-access.team-a.object-0."), "{refused}");
        assert_eq!(refusal(None, None, &told(&["old", "new"]), false), None);
        assert_eq!(refusal(None, Some("old"), &told(&["old"]), false), None);
        assert_eq!(refusal(None, None, &[], false), None);
        let mut forged = told(&["old"]);
        forged[0].policies = vec!["anything".to_owned()];
        assert_eq!(refusal(None, None, &forged, false), None);
    }
}
