//! As which cluster the account is looked at.

use bedrock_iam::consent::ConsentPolicy;
use bedrock_iam::orphan::{Installation, ObjectName, Orphan};
use bedrock_iam::{Account, Fault, RoleName};
use kube::Client;

use crate::aws::Iam;
use crate::kubernetes;
use crate::orphans::{self, ClusterIds, Look};
use crate::telemetry::chain;

/// The cluster id that policies are looked for under, and what the operator's record says beside it.
pub(super) struct Cluster {
    /// The cluster id.
    pub(super) id: String,
    noted: ClusterIds,
}

impl Cluster {
    /// By what was typed, else by the operator's record, else by the namespace kube-system; says on standard error which.
    pub(super) async fn of(
        client: &Client,
        typed: Option<String>,
        namespace: Option<String>,
    ) -> Result<Self, kubernetes::Error> {
        let (noted, place) = match read(client, namespace).await {
            Ok((noted, namespace)) => (noted, Ok(namespace)),
            Err(why) => (ClusterIds::default(), Err(why)),
        };
        let (id, source) = match (typed, &noted.now, place) {
            (Some(id), _, _) => (id, "as --cluster-id says".to_owned()),
            (None, Some(id), Ok(namespace)) => {
                (id.clone(), format!("as the operator's record in the namespace {namespace} says"))
            }
            (None, _, place) => {
                let why = match place {
                    Ok(namespace) => format!("there is none in the namespace {namespace}"),
                    Err(why) => why,
                };
                let source = format!(
                    "the UID of the namespace kube-system, without the operator's record: {why}; --cluster-id names another one"
                );
                (kubernetes::cluster_id(client).await?, source)
            }
        };
        eprintln!("bedrock-access: looking as cluster {id}, {source}");
        Ok(Self { id, noted })
    }

    /// Those whose policies are listed: of the cluster id, and where it is the one of now also of those before.
    pub(super) fn installations(
        &self,
        account: &Account,
        consent: ConsentPolicy,
        objects: &[(ObjectName, Option<RoleName>)],
    ) -> Vec<Installation> {
        let is_now = self.noted.now.as_ref() == Some(&self.id);
        let former = self.noted.former.iter().filter(|id| is_now && **id != self.id);
        let installation = |id: &String| {
            let objects = if self.is_former(id) { &[] } else { objects };
            Installation::new(id, account, consent, objects.iter().cloned())
                .succeeded_by(self.successor_of(id))
        };
        std::iter::once(&self.id).chain(former).map(installation).collect()
    }

    /// Whether no object looks after what was written under a cluster id: nothing is moved from it any more.
    pub(super) fn is_former(&self, id: &str) -> bool {
        self.noted.former.iter().any(|former| former == id) && self.noted.moved_from.as_deref() != Some(id)
    }

    /// Reads anew what became of a listed policy.
    pub(super) async fn look(&self, client: &Client, iam: &Iam, orphan: &Orphan) -> Result<Look, Fault> {
        let id = &orphan.claim.tenant.cluster_id;
        let now = self.successor_of(id);
        if self.is_former(id) {
            return Ok(orphans::look_at_role(iam, &orphan.claim, now).await);
        }
        let look = orphans::look(client, iam, &orphan.claim, &orphan.object, now).await;
        look.map_err(|error| Fault { class: bedrock_iam::Class::Unavailable, message: chain(&error) })
    }

    fn successor_of<'a>(&'a self, id: &'a str) -> &'a str {
        let is_before = self.noted.former.iter().any(|former| former == id);
        self.noted.now.as_deref().filter(|_| is_before).unwrap_or(id)
    }
}

/// The cluster ids that the operator noted, and where; or why they are not known.
async fn read(client: &Client, namespace: Option<String>) -> Result<(ClusterIds, String), String> {
    let namespace = match namespace {
        Some(namespace) => namespace,
        None => kubernetes::operator_namespace(client).await.map_err(|error| error.to_string())?,
    };
    let noted = orphans::noted_ids(client.clone(), &namespace).await;
    Ok((noted.map_err(|error| error.to_string())?, namespace))
}

#[cfg(test)]
pub(super) mod tests {
    use bedrock_iam::Role;
    use bedrock_iam::orphan::{Standing, orphans};
    use bedrock_iam::scan::ScannedRole;

    use testing::world::account;

    use super::*;

    /// The cluster `now`, whose policies were written under `former` before, looked at as `id`.
    pub(in super::super) fn cluster(id: &str, moved_from: Option<&str>) -> Cluster {
        let (now, moved_from) = (Some("now".to_owned()), moved_from.map(str::to_owned));
        let noted = ClusterIds { now, moved_from, former: vec!["former".to_owned()] };
        Cluster { id: id.to_owned(), noted }
    }

    /// How policies of `now`, `former` and `other` are listed while their object is there.
    fn listed(cluster: &Cluster) -> Vec<(String, Standing)> {
        let object = ObjectName { namespace: "team-a".to_owned(), name: "assistant".to_owned() };
        let name: RoleName = "app".parse().unwrap();
        let policies = ["now", "former", "other"].map(|id| {
            let identity =
                Installation::new(id, &account(), ConsentPolicy::Tag, []).claim(&object, &name).identity;
            let statement = format!(
                r#"{{"Sid":"{}","Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*"}}"#,
                identity.marker()
            );
            let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
            (identity.policy_name().to_owned(), document)
        });
        let tags = [("bedrockaccess.io/namespaces".to_owned(), "now/team-a".to_owned())].into();
        let arn = "arn:aws:iam::111122223333:role/app".parse().unwrap();
        let role = Role { arn, id: "AROAEXAMPLE".to_owned(), tags };
        let role = ScannedRole { role, policies: policies.to_vec() };
        let found =
            orphans(&cluster.installations(&account(), ConsentPolicy::Tag, &[(object, Some(name))]), &role);
        found.into_iter().map(|orphan| (orphan.claim.tenant.cluster_id, orphan.standing)).collect()
    }

    #[test]
    fn former_cluster_ids_count_as_the_cluster_s_own_and_no_object_looks_after_them() {
        let of = |id: &str, standing| (id.to_owned(), standing);
        let other = of("now", Standing::Elsewhere);
        assert_eq!(listed(&cluster("now", None)), [of("former", Standing::Consented), other.clone()]);
        assert_eq!(
            listed(&cluster("now", Some("former"))),
            [other],
            "while they are moved their object does"
        );
    }

    #[test]
    fn a_former_cluster_id_can_be_looked_at_alone() {
        let of = |id: &str, standing| (id.to_owned(), standing);
        let elsewhere = of("former", Standing::Elsewhere);
        let expected = [elsewhere.clone(), of("former", Standing::Consented), elsewhere];
        assert_eq!(listed(&cluster("former", None)), expected);
        let unknown = listed(&cluster("other", None));
        assert_eq!(unknown.iter().filter(|(_, standing)| *standing == Standing::Elsewhere).count(), 2);
    }
}
