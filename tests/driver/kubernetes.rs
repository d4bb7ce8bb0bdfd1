//! An API server for one object, in process: it keeps what is patched and records every write.

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// The stored object and all writes so far; clones share them.
#[derive(Clone)]
pub(crate) struct ApiServer(Arc<Mutex<State>>);

struct State {
    object: Value,
    writes: Vec<(String, Value)>,
}

impl ApiServer {
    pub(crate) fn holding(object: Value) -> Self {
        Self(Arc::new(Mutex::new(State { object, writes: Vec::new() })))
    }

    pub(crate) fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request| {
            let server = server.clone();
            async move { server.answer(request).await }
        });
        Client::new(service, "team-a")
    }

    pub(crate) fn object(&self) -> Value {
        self.0.lock().unwrap().object.clone()
    }

    /// What a user does with kubectl.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Value)) {
        change(&mut self.0.lock().unwrap().object);
    }

    /// Status patches and Events since the last call, as `(kind, body)`.
    pub(crate) fn take_writes(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.0.lock().unwrap().writes)
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, kube::Error> {
        let (parts, body) = request.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let mut state = self.0.lock().unwrap();
        let path = parts.uri.path().to_owned();
        let answer = match (&parts.method, path.rsplit('/').next().unwrap()) {
            (&Method::GET, _) if path.contains("/bedrockaccesses/") => state.object.clone(),
            (&Method::PATCH, "status") => {
                state.writes.push(("status".to_owned(), body.clone()));
                state.object["status"] = body["status"].clone();
                state.object.clone()
            }
            (&Method::PATCH, _) if path.contains("/bedrockaccesses/") => {
                state.writes.push(("finalizers".to_owned(), body.clone()));
                let add = body.as_array().unwrap().iter().any(|patch| patch["op"] == "add");
                state.object["metadata"]["finalizers"] =
                    if add { json!([bedrock_access::reconcile::FINALIZER]) } else { json!([]) };
                state.object.clone()
            }
            (&Method::POST | &Method::PATCH, _) if path.contains("/events") => {
                state.writes.push(("event".to_owned(), body.clone()));
                body
            }
            (method, _) => panic!("an unexpected request: {method} {path}"),
        };
        Ok(Response::builder().status(200).body(Body::from(answer.to_string().into_bytes())).unwrap())
    }
}
