//! An API server for one object, in process: it keeps what is patched and records every write.

use std::collections::BTreeMap;
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
    /// By name: the data of the record's ConfigMaps.
    record: BTreeMap<String, Value>,
    refuses_the_record: bool,
    writes: Vec<(String, Value)>,
}

impl ApiServer {
    pub(crate) fn holding(object: Value) -> Self {
        Self(Arc::new(Mutex::new(State {
            object,
            record: BTreeMap::new(),
            refuses_the_record: false,
            writes: Vec::new(),
        })))
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

    /// The entries of the record of written policies.
    pub(crate) fn record(&self) -> Vec<Value> {
        let state = self.0.lock().unwrap();
        let entries = state.record.values().flat_map(|data| data.as_object().unwrap());
        let entries = entries.filter(|(key, _)| key.contains('.'));
        entries.map(|(_, text)| serde_json::from_str(text.as_str().unwrap()).unwrap()).collect()
    }

    /// The cluster id in the record, and that which policies are moved from.
    pub(crate) fn recorded_ids(&self) -> [Option<String>; 2] {
        let state = self.0.lock().unwrap();
        let first = state.record.get("bedrock-access-record-0").cloned().unwrap_or_default();
        ["cluster-id", "moved-from"].map(|key| first[key].as_str().map(str::to_owned))
    }

    /// The former cluster ids in the record.
    pub(crate) fn former_ids(&self) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let first = state.record.get("bedrock-access-record-0").cloned().unwrap_or_default();
        first["former-ids"].as_str().map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default()
    }

    /// What an operator before this one wrote into a ConfigMap of the record.
    pub(crate) fn note(&self, map: &str, key: &str, text: &str) {
        self.0.lock().unwrap().record.entry(map.to_owned()).or_insert(json!({}))[key] = json!(text);
    }

    /// From now on the record's ConfigMaps may not be written, or may be again.
    pub(crate) fn refuse_the_record(&self, refuses: bool) {
        self.0.lock().unwrap().refuses_the_record = refuses;
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
        if path.contains("/configmaps") {
            return Ok(state.record(&parts.method, &path, &body));
        }
        let answer = match (&parts.method, path.rsplit('/').next().unwrap()) {
            (&Method::GET, _) if path.contains("/bedrockaccesses/") => state.object.clone(),
            (&Method::GET, "bedrockaccesses") => state.list(parts.uri.query().unwrap()),
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
        Ok(response(200, &answer))
    }
}

impl State {
    /// The object, if it has the label `shard=one` that is asked for.
    fn list(&self, query: &str) -> Value {
        assert!(
            query.contains("labelSelector=shard%3Done") && query.contains("metadata.name%3Dassistant"),
            "{query}"
        );
        let is_its = self.object["metadata"]["labels"]["shard"] == "one";
        let items: Vec<&Value> = is_its.then_some(&self.object).into_iter().collect();
        json!({"apiVersion": "bedrockaccess.io/v1alpha1", "kind": "BedrockAccessList", "metadata": {}, "items": items})
    }

    /// The record: merge patches of ConfigMaps, which are created with their first entry.
    fn record(&mut self, method: &Method, path: &str, body: &Value) -> Response<Body> {
        let failure = |code: u16, reason: &str| {
            response(code, &json!({"kind": "Status", "status": "Failure", "reason": reason, "code": code}))
        };
        if self.refuses_the_record && *method != Method::GET {
            return failure(403, "Forbidden");
        }
        let named = path.rsplit('/').next().unwrap();
        let name = if *method == Method::POST { body["metadata"]["name"].as_str().unwrap() } else { named };
        if *method == Method::POST {
            self.record.insert(name.to_owned(), json!({}));
        }
        let Some(data) = self.record.get_mut(name) else { return failure(404, "NotFound") };
        for (key, value) in body["data"].as_object().into_iter().flatten() {
            match value {
                Value::Null => data.as_object_mut().unwrap().remove(key),
                value => data.as_object_mut().unwrap().insert(key.clone(), value.clone()),
            };
        }
        let metadata = json!({"name": name, "namespace": "bedrock-access"});
        response(200, &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}))
    }
}

fn response(status: u16, body: &Value) -> Response<Body> {
    Response::builder().status(status).body(Body::from(body.to_string().into_bytes())).unwrap()
}
