//! A lease that all operators hold in common which divide the objects alike: while it is theirs, nobody serves them who divides
//! them otherwise.
//!
//! It is never released, but runs out when none of them renews it: the last one to go cannot know that it is the last.

use std::sync::{Arc, Mutex, PoisonError};

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::client::{Body, ClientBuilder};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Timings;
use super::liveness::{Liveness, holder_of};
use super::names::{Common, NAME, is_common};
use super::renewals::Renewals;
use crate::telemetry::chain;

/// Several renew it at any time, and whose write came second reads it again.
const MOST_ATTEMPTS: usize = 8;

/// The leases that one operator holds in common with others, outermost first; clones know the same.
#[derive(Clone)]
pub(super) struct CommonLeases(Arc<[CommonLease]>);

struct CommonLease {
    /// What is asked to know whether it can be had: tells health and metrics.
    reads: Api<Lease>,
    /// What takes and renews it: opens no fence.
    writes: Api<Lease>,
    name: String,
    holder: String,
    timings: Timings,
    liveness: Mutex<Liveness>,
}

/// Whose a lease is.
enum Whose {
    /// It was never there.
    Nobodys,
    /// Ours, or free to be taken.
    Free(Box<Lease>),
    /// Of who divides the objects otherwise.
    Theirs(String),
}

impl CommonLeases {
    /// `reads` learns from its requests, `writes` does not.
    pub(super) fn new(
        reads: &Client,
        writes: &Client,
        namespace: &str,
        names: &[Common],
        timings: Timings,
    ) -> Self {
        let lease = |Common { name, holder }: &Common| CommonLease {
            reads: Api::namespaced(reads.clone(), namespace),
            writes: Api::namespaced(writes.clone(), namespace),
            name: name.clone(),
            holder: holder.clone(),
            timings,
            liveness: Mutex::new(Liveness::new(timings)),
        };
        Self(names.iter().map(lease).collect())
    }

    /// Waits until each of them can be had.
    pub(super) async fn stand_by(&self) {
        for lease in self.0.iter() {
            lease.stand_by().await;
        }
    }

    /// Takes or renews all of them, unless one is somebody else's; whether they are ours.
    async fn take(&self) -> Result<bool, kube::Error> {
        for lease in self.0.iter() {
            if !lease.take().await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A client for the lease that the operator holds alone. Whatever acquires or renews that one takes those in common first, and is
    /// refused as if another one had written at the same time where they are somebody else's: who holds its own lease holds them,
    /// and what opens the fence counts from before any of the requests was sent.
    pub(super) fn client(&self, plain: Client, renewals: &Renewals) -> Client {
        let (leases, namespace) = (self.clone(), plain.default_namespace().to_owned());
        let fence = renewals.learned.fence.clone();
        let send = move |request: Request<Body>| {
            let (leases, client, fence) = (leases.clone(), plain.clone(), fence.clone());
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                let is_write = matches!(head.method, Method::POST | Method::PUT);
                if is_write && !is_release(&body) && !leases.take().await? {
                    // Whoever took one of them, as if nobody held it, may write by now.
                    fence.close();
                    return Ok(conflict());
                }
                client.send(Request::from_parts(head, Body::from(body.to_vec()))).await
            }
        };
        ClientBuilder::new(tower::service_fn(send), namespace).with_layer(renewals).build()
    }
}

impl CommonLease {
    /// Waits until it can be had, and says once for whom.
    async fn stand_by(&self) {
        let mut named = None;
        loop {
            match self.look(&self.reads).await {
                Ok(Whose::Nobodys | Whose::Free(_)) => return,
                Ok(Whose::Theirs(holder)) => {
                    if named.as_ref() != Some(&holder) {
                        tracing::warn!(
                            lease = self.name,
                            holder,
                            "standing by: this cluster is served by operators that divide the objects otherwise"
                        );
                        named = Some(holder);
                    }
                }
                Err(error) => {
                    let (lease, error) = (&self.name, chain(&error));
                    tracing::warn!(lease, error, "who divides the objects cannot be asked");
                }
            }
            sleep(self.timings.retry_period).await;
        }
    }

    /// Takes or renews it; whether it is ours.
    async fn take(&self) -> Result<bool, kube::Error> {
        let mut refused = None;
        for _ in 0..MOST_ATTEMPTS {
            let written = match self.look(&self.writes).await? {
                Whose::Theirs(_) => return Ok(false),
                Whose::Nobodys => {
                    let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                    let lease = Lease { metadata, spec: Some(self.renewed(LeaseSpec::default())) };
                    self.writes.create(&PostParams::default(), &lease).await
                }
                Whose::Free(mut lease) => {
                    lease.spec = Some(self.renewed(lease.spec.take().unwrap_or_default()));
                    self.writes.replace(&self.name, &PostParams::default(), &lease).await
                }
            };
            match written {
                Ok(_) => return Ok(true),
                // Another one wrote first, or took it away.
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {
                    refused = Some(kube::Error::Api(status));
                }
                Err(error) => return Err(error),
            }
        }
        refused.map_or(Ok(false), Err)
    }

    async fn look(&self, api: &Api<Lease>) -> Result<Whose, kube::Error> {
        let Some(lease) = api.get_opt(&self.name).await? else { return Ok(Whose::Nobodys) };
        // Nothing is left half-written, so a poisoned lock holds a good value.
        let mut liveness = self.liveness.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match holder_of(&lease) {
            Some(holder) if holder != self.holder && liveness.is_live(&self.name, &lease) => {
                Whose::Theirs(holder.to_owned())
            }
            _ => Whose::Free(Box::new(lease)),
        })
    }

    fn renewed(&self, before: LeaseSpec) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let is_ours = before.holder_identity.as_deref() == Some(&self.holder);
        let seconds = self.timings.duration.as_secs() + u64::from(self.timings.duration.subsec_nanos() > 0);
        LeaseSpec {
            holder_identity: Some(self.holder.clone()),
            lease_duration_seconds: i32::try_from(seconds).ok(),
            acquire_time: before.acquire_time.filter(|_| is_ours).or_else(|| Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(
                before.lease_transitions.unwrap_or(0).saturating_add(i32::from(!is_ours)),
            ),
            ..LeaseSpec::default()
        }
    }
}

/// Says who serves the cluster where shards do: for who waits for the lease itself.
pub(super) async fn tell_of_shards(client: &Client, namespace: &str) {
    let leases: Api<Lease> = Api::namespaced(client.clone(), namespace);
    let found = leases.get_opt(NAME).await.ok().flatten();
    if let Some(holder) = found.as_ref().and_then(holder_of).filter(|holder| is_common(holder)) {
        tracing::warn!(
            lease = NAME,
            holder,
            "standing by: this cluster is served by operators that divide the objects"
        );
    }
}

/// Whether a lease is written so that nobody holds it.
fn is_release(body: &[u8]) -> bool {
    let holder =
        |lease: &Value| lease["spec"]["holderIdentity"].as_str().is_some_and(|name| !name.is_empty());
    serde_json::from_slice(body).is_ok_and(|lease: Value| !holder(&lease))
}

fn conflict() -> Response<Body> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Conflict",
        "code": 409, "message": "the objects are divided otherwise by who holds the lease that is held in common"});
    let mut response = Response::new(Body::from(status.to_string().into_bytes()));
    *response.status_mut() = StatusCode::CONFLICT;
    response
}
