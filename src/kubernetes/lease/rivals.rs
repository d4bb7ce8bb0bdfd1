//! The Leases of our name in other namespaces: of a second release, or of an operator outside of the cluster.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use tokio::time::sleep;

use super::liveness::{Liveness, holder_of};
use super::{NAME, Timings};
use crate::telemetry::chain;

/// There is at most one in a namespace, and every one but ours is a mistake.
const AT_MOST: u32 = 100;

/// Every Lease of our name that there is.
pub(super) async fn all(client: &Client) -> Result<Vec<Lease>, kube::Error> {
    let leases: Api<Lease> = Api::all(client.clone());
    // RBAC takes the field selector for the name, so that a right on this name alone is enough.
    let ours = ListParams::default().fields(&format!("metadata.name={NAME}")).limit(AT_MOST);
    Ok(leases.list(&ours).await?.items)
}

/// An operator that leads by another lease than ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rival {
    pub(super) namespace: String,
    pub(super) holder: String,
    /// Of two that lead, the one with the older lease goes on.
    pub(super) is_older: bool,
}

impl Rival {
    /// Logs what it means that this one leads.
    pub(super) fn tell(&self, what: &'static str) {
        tracing::warn!(namespace = self.namespace, holder = self.holder, "{what}");
    }
}

/// What a look at the other namespaces shows.
enum Sight {
    Nobody,
    Leads(Rival),
    Unknown,
}

/// What was seen in other namespaces, and when.
pub(super) struct Rivals {
    client: Client,
    namespace: String,
    timings: Timings,
    liveness: Liveness,
    may_look: bool,
}

impl Rivals {
    /// `namespace` is that of our own lease.
    pub(super) fn new(client: Client, namespace: &str, timings: Timings) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            timings,
            liveness: Liveness::new(timings),
            may_look: true,
        }
    }

    /// Waits until nobody leads elsewhere.
    pub(super) async fn stand_by(&mut self) {
        let mut named = None;
        loop {
            match self.look().await {
                Sight::Nobody => return,
                Sight::Leads(rival) if named.as_ref() != Some(&rival) => {
                    rival.tell("standing by: another operator of this cluster leads by the Lease of another namespace");
                    named = Some(rival);
                }
                Sight::Leads(_) | Sight::Unknown => {}
            }
            sleep(self.timings.retry_period).await;
        }
    }

    /// For who has just acquired the own lease: waits until nobody leads elsewhere, or gives who leads by an older one.
    /// Whoever leads by a younger one will see ours, and give way.
    pub(super) async fn first_in_line(&mut self) -> Option<Rival> {
        let mut named = None;
        loop {
            match self.look().await {
                Sight::Nobody => return None,
                Sight::Leads(rival) if rival.is_older => return Some(rival),
                Sight::Leads(rival) if named.as_ref() != Some(&rival) => {
                    rival.tell("waiting: another operator of this cluster leads by a younger Lease, and will give way");
                    named = Some(rival);
                }
                Sight::Leads(_) | Sight::Unknown => {}
            }
            sleep(self.timings.retry_period).await;
        }
    }

    /// For the leader: looks now and then until someone leads by an older lease.
    pub(super) async fn superseded(&mut self) -> Rival {
        loop {
            sleep(self.timings.duration).await;
            match self.look().await {
                Sight::Leads(rival) if rival.is_older => return rival,
                Sight::Leads(_) | Sight::Nobody | Sight::Unknown => {}
            }
        }
    }

    async fn look(&mut self) -> Sight {
        match all(&self.client).await {
            Ok(leases) => {
                self.may_look = true;
                self.oldest_of(&leases).map_or(Sight::Nobody, Sight::Leads)
            }
            Err(kube::Error::Api(refusal)) if refusal.is_forbidden() => {
                if self.may_look {
                    tracing::warn!(
                        "another release in this cluster would go unnoticed: the operator needs list on leases in all \
                         namespaces, for the name {NAME}"
                    );
                }
                self.may_look = false;
                Sight::Nobody
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the leases of other namespaces cannot be listed");
                Sight::Unknown
            }
        }
    }

    /// Who leads elsewhere by the oldest lease.
    fn oldest_of(&mut self, leases: &[Lease]) -> Option<Rival> {
        let (own, others): (Vec<&Lease>, Vec<&Lease>) =
            leases.iter().partition(|lease| namespace_of(lease) == self.namespace);
        self.liveness.retain(|known| others.iter().any(|lease| namespace_of(lease) == known));
        let is_live = |lease: &&Lease| self.liveness.is_live(&namespace_of(lease), lease);
        let live: Vec<&Lease> = others.into_iter().filter(is_live).collect();
        let oldest = live.into_iter().min_by_key(|lease| age(lease))?;
        Some(Rival {
            namespace: namespace_of(oldest),
            holder: holder_of(oldest)?.to_owned(),
            is_older: own.iter().all(|own| age(oldest) < age(own)),
        })
    }
}

fn namespace_of(lease: &Lease) -> String {
    lease.namespace().unwrap_or_default()
}

/// Smaller is older. Two of the same second are told apart by their namespaces.
fn age(lease: &Lease) -> (Option<Time>, String) {
    (lease.creation_timestamp(), namespace_of(lease))
}
