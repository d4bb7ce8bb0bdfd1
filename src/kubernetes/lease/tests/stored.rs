//! The Leases of our name as an API server has them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::{Body, ClientBuilder};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::super::{Candidate, Learned, Leases, NAME};
use super::timings;
use crate::fence::Fence;
use crate::shard::Shard;

/// The namespace of those who lead in these tests, if nothing else is said.
pub(super) const HOME: &str = "default";

#[derive(Clone, Default)]
pub(super) struct Stored {
    /// By namespace; those of another name by `NAMESPACE/NAME`.
    leases: Arc<Mutex<BTreeMap<String, Value>>>,
    /// How the leases of all namespaces cannot be listed.
    listing: Arc<Mutex<Option<StatusCode>>>,
    /// How long a write takes until it is carried out.
    delay: Duration,
}

impl Stored {
    /// Nobody's lease, on a server that takes `delay` for each write.
    pub(super) fn slow(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    pub(super) fn refuse_to_list(&self, with: Option<StatusCode>) {
        *self.listing.lock().unwrap() = with;
    }

    /// As if `holder` had just acquired or renewed the lease.
    pub(super) fn give(&self, namespace: &str, holder: &str) {
        let current = self.leases.lock().unwrap().get(namespace).cloned();
        let mut lease = current.unwrap_or_else(|| json!({"metadata": {"name": NAME}}));
        let renewals = lease["metadata"]["resourceVersion"].as_str().unwrap_or("0").to_owned();
        let renewed = format!("2026-01-01T00:00:00.{renewals:0>6}Z");
        lease["spec"] = json!({"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed});
        assert!(self.replace(namespace, &mut lease));
    }

    pub(super) fn remove(&self, namespace: &str) {
        self.leases.lock().unwrap().remove(namespace);
    }

    pub(super) fn exists(&self, namespace: &str) -> bool {
        self.leases.lock().unwrap().contains_key(namespace)
    }

    pub(super) fn holder(&self, namespace: &str) -> Option<String> {
        self.leases.lock().unwrap().get(namespace)?["spec"]["holderIdentity"].as_str().map(str::to_owned)
    }

    pub(super) fn leases(&self, fence: &Fence) -> Leases {
        let (stored, observed) = (self.clone(), fence.clone());
        let server = tower::service_fn(move |request: Request<Body>| {
            let (stored, observed) = (stored.clone(), observed.clone());
            // A request that was sent is carried out, though nobody may wait for its answer any more.
            let answer = tokio::spawn(async move { stored.answer(request, &observed).await });
            async move { Ok::<_, Infallible>(answer.await.unwrap()) }
        });
        let learned = Learned { fence: fence.clone(), ..Learned::default() };
        let renewals = timings().renewals(&learned);
        Leases::new(ClientBuilder::new(server, HOME).build(), renewals)
    }

    pub(super) fn candidate(&self, fence: &Fence) -> Candidate {
        self.candidate_in(HOME, fence)
    }

    /// One of the operators of a shard.
    pub(super) fn candidate_of(&self, shard: &Shard, identity: &str, fence: &Fence) -> Candidate {
        Candidate::new(self.leases(fence), HOME, identity, &timings(), shard, fence.clone())
    }

    pub(super) fn candidate_in(&self, namespace: &str, fence: &Fence) -> Candidate {
        Candidate::new(self.leases(fence), namespace, "us", &timings(), &Shard::default(), fence.clone())
    }

    async fn answer(&self, request: Request<Body>, fence: &Fence) -> Response<Body> {
        let is_read = *request.method() == Method::GET;
        let path = request.uri().path().to_owned();
        let Some((_, namespaced)) = path.split_once("/namespaces/") else { return self.list(&request) };
        let words: Vec<&str> = namespaced.split('/').collect();
        let mut place = place(words[0], words.get(2).copied().unwrap_or_default());
        if !is_read {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            sleep(self.delay).await;
            let mut written: Value = serde_json::from_slice(&body).unwrap();
            place = self::place(words[0], written["metadata"]["name"].as_str().unwrap());
            let is_release = written["spec"]["holderIdentity"].is_null();
            assert!(!is_release || fence.check().is_err(), "released while writes may still be sent");
            if !self.replace(&place, &mut written) {
                return refuse(StatusCode::CONFLICT);
            }
        }
        match self.leases.lock().unwrap().get(&place) {
            Some(lease) => respond(StatusCode::OK, lease),
            None => refuse(StatusCode::NOT_FOUND),
        }
    }

    fn list(&self, request: &Request<Body>) -> Response<Body> {
        let asked = request.uri().query().unwrap();
        assert!(asked.contains(&format!("fieldSelector=metadata.name%3D{NAME}")), "{asked}");
        if let Some(status) = *self.listing.lock().unwrap() {
            return refuse(status);
        }
        let leases = self.leases.lock().unwrap();
        let of_that_name = leases.iter().filter(|(place, _)| !place.contains('/'));
        let items: Vec<Value> = of_that_name.map(|(_, lease)| lease.clone()).collect();
        respond(StatusCode::OK, &json!({"metadata": {}, "items": items}))
    }

    /// Whether nobody else wrote since this was read.
    fn replace(&self, place: &str, written: &mut Value) -> bool {
        let mut leases = self.leases.lock().unwrap();
        let known = leases.get(place).map_or(&Value::Null, |lease| &lease["metadata"]);
        let is_current = written["metadata"]["resourceVersion"] == known["resourceVersion"];
        if is_current {
            let version = known["resourceVersion"].as_str().map_or(0, |known| known.parse().unwrap());
            // Each was created a second after the one before.
            let created = json!(format!("2026-01-01T00:00:{:02}Z", leases.len()));
            let created = known.get("creationTimestamp").cloned().unwrap_or(created);
            written["metadata"]["resourceVersion"] = json!(u32::to_string(&(version + 1)));
            written["metadata"]["creationTimestamp"] = created;
            written["metadata"]["namespace"] = json!(place.split('/').next());
            leases.insert(place.to_owned(), written.clone());
        }
        is_current
    }
}

/// Where a lease is stored.
fn place(namespace: &str, name: &str) -> String {
    if name == NAME { namespace.to_owned() } else { format!("{namespace}/{name}") }
}

fn refuse(status: StatusCode) -> Response<Body> {
    let reason = status.canonical_reason().unwrap().replace(' ', "");
    let (kind, code) = ("Status", status.as_u16());
    respond(status, &json!({"kind": kind, "status": "Failure", "code": code, "reason": reason}))
}

fn respond(status: StatusCode, body: &Value) -> Response<Body> {
    Response::builder().status(status).body(Body::from(body.to_string().into_bytes())).unwrap()
}
