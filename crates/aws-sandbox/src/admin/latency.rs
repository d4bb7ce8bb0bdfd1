//! How long every answer waits.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::sandbox::Sandbox;

pub(super) fn routes() -> Router<Sandbox> {
    Router::new().route("/latency", get(latency).put(set_latency).delete(clear_latency))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Latency {
    milliseconds: u64,
}

async fn latency(State(sandbox): State<Sandbox>) -> Json<Latency> {
    let milliseconds = sandbox.latency().as_millis().try_into().unwrap_or(u64::MAX);
    Json(Latency { milliseconds })
}

async fn set_latency(State(sandbox): State<Sandbox>, Json(latency): Json<Latency>) -> StatusCode {
    sandbox.set_latency(Duration::from_millis(latency.milliseconds));
    StatusCode::NO_CONTENT
}

async fn clear_latency(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.set_latency(Duration::ZERO);
    StatusCode::NO_CONTENT
}
