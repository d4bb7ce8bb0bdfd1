//! The requests that the operator sends, at the end of the wire.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::Client;
use serde_json::{Value, json};
use tower::timeout::Timeout;

use super::patch::{Refusal, apply_status, found, patch_finalizers, refusal, status};
use super::selection::Selection;
use super::{Cluster, key, watch};
use crate::survival::wire::{Call, Crash, Failure, Treatment, Wire};

/// Until an answer begins, as the operator's two clients wait for it.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const WATCH_TIMEOUT: Duration = Duration::from_mins(5);

const RETRY_AFTER: &str = "7";

#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
struct Broken;

impl Cluster {
    /// A client for everything but watches, and one for watches.
    pub(crate) fn clients(&self, wire: &Wire) -> (Client, Client) {
        (self.client(wire, CALL_TIMEOUT), self.client(wire, WATCH_TIMEOUT))
    }

    fn client(&self, wire: &Wire, timeout: Duration) -> Client {
        let (cluster, wire) = (self.clone(), wire.clone());
        let service = tower::service_fn(move |request| {
            let (cluster, wire) = (cluster.clone(), wire.clone());
            async move { cluster.answer(request, &wire).await }
        });
        Client::new(Timeout::new(service, timeout), "default")
    }

    async fn answer(
        &self,
        request: Request<kube::client::Body>,
        wire: &Wire,
    ) -> Result<Response<Body>, Broken> {
        let asked = Asked::read(request).await;
        match wire.send(asked.call.clone()).await {
            Treatment::Serve => {
                let response = self.serve(&asked);
                wire.travel().await;
                Ok(response)
            }
            Treatment::Die(crash) => {
                if crash == Crash::ReplyLost {
                    self.serve(&asked);
                }
                wire.die().await
            }
            Treatment::Fail(failure) => self.fail(&asked, failure).await,
        }
    }

    async fn fail(&self, asked: &Asked, failure: Failure) -> Result<Response<Body>, Broken> {
        match failure {
            Failure::Refused => Err(Broken),
            Failure::Hang => std::future::pending().await,
            Failure::Slow | Failure::Throttled | Failure::Denied | Failure::Panic => {
                panic!("a fault of AWS in Kubernetes")
            }
            Failure::LostReply => {
                self.serve(asked);
                Err(Broken)
            }
            Failure::Truncated => {
                self.serve(asked);
                Ok(Response::new(Body::from("{\"kind\": ")))
            }
            Failure::Malformed => {
                self.serve(asked);
                Ok(Response::new(Body::from("<html>")))
            }
            Failure::Status(code) => {
                let reason = match code {
                    409 => "Conflict",
                    410 => "Expired",
                    429 => "TooManyRequests",
                    _ => "InternalError",
                };
                Ok(refused(&refusal(code, reason, "the fault of a test")))
            }
        }
    }

    fn serve(&self, asked: &Asked) -> Response<Body> {
        let key = key(&asked.call.place, &asked.name);
        let answer = match asked.call.kind.as_str() {
            "list" => Ok(self.serve_list(asked)),
            "watch" => return Response::new(self.serve_watch(asked)),
            "get" => found(&self.state(), &key),
            "status" => {
                let mut state = self.state();
                apply_status(&mut state, &key, &asked.body).inspect(|_| self.tell(&state))
            }
            "finalizer" => {
                let mut state = self.state();
                patch_finalizers(&mut state, &key, &asked.body).inspect(|_| self.tell(&state))
            }
            "event" => {
                self.state().events.push(asked.body.clone());
                Ok(asked.body.clone())
            }
            "read" => self.state().read_part(&asked.name),
            "note" => self.state().note(&asked.name, &asked.body),
            "part" => self.state().create_part(&asked.body),
            other => panic!("an unexpected request: {other}"),
        };
        match answer {
            Ok(body) => Response::new(Body::from(body.to_string())),
            Err(refusal) => refused(&refusal),
        }
    }

    /// Only a list without resourceVersion is certain to be the newest.
    fn serve_list(&self, asked: &Asked) -> Value {
        assert_eq!(asked.query.get("resourceVersion"), None, "a list that may be stale");
        let mut state = self.state();
        let is_whole = asked.call.place.is_empty();
        let older = if is_whole { state.stale_list.take() } else { None };
        let mut list = older.unwrap_or_else(|| state.list());
        let selection = Selection::new(&asked.call.place, &asked.query);
        list.items.retain(|object| selection.has(object));
        json!({
            "apiVersion": "bedrockaccess.io/v1alpha1", "kind": "BedrockAccessList",
            "metadata": {"resourceVersion": list.version.to_string()}, "items": list.items,
        })
    }

    fn serve_watch(&self, asked: &Asked) -> Body {
        let number = |parameter: &str| asked.query.get(parameter).and_then(|text| text.parse().ok());
        let timeout = Duration::from_secs(number("timeoutSeconds").unwrap());
        let wants_bookmarks = asked.query.get("allowWatchBookmarks").is_some_and(|text| text == "true");
        let bookmarks = wants_bookmarks.then_some(());
        let selection = Selection::new(&asked.call.place, &asked.query);
        watch::watch(self, selection, number("resourceVersion").unwrap(), timeout, bookmarks)
    }
}

/// A request, understood.
struct Asked {
    call: Call,
    name: String,
    query: HashMap<String, String>,
    body: Value,
}

impl Asked {
    async fn read(request: Request<kube::client::Body>) -> Self {
        let (head, body) = request.into_parts();
        let path: Vec<&str> = head.uri.path().split('/').collect();
        let after = |part: &str| {
            let at = path.iter().position(|found| *found == part);
            at.and_then(|at| path.get(at + 1)).copied().unwrap_or_default()
        };
        let pairs = head.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let query: HashMap<String, String> =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let kind = match (&head.method, path.last().copied().unwrap_or_default()) {
            (&Method::GET, "bedrockaccesses") if query.contains_key("watch") => "watch",
            (&Method::GET, "bedrockaccesses") => "list",
            (&Method::GET, _) if path.contains(&"bedrockaccesses") => "get",
            (&Method::PATCH, "status") => "status",
            (&Method::PATCH, _) if path.contains(&"bedrockaccesses") => "finalizer",
            (&Method::POST, "events") => "event",
            (&Method::GET, _) if path.contains(&"configmaps") => "read",
            (&Method::PATCH, _) if path.contains(&"configmaps") => "note",
            (&Method::POST, "configmaps") => "part",
            _ => panic!("an unexpected request: {} {}", head.method, head.uri),
        };
        let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
            panic!("a request without its body");
        };
        Self {
            call: Call::new(kind, after("namespaces")),
            name: [after("bedrockaccesses"), after("configmaps")].concat(),
            query,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = Response::new(Body::from(status(refusal).to_string()));
    *response.status_mut() = refusal.status;
    if refusal.status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert("retry-after", RETRY_AFTER.parse().unwrap());
    }
    response
}
