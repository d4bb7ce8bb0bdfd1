//! The routes under `/_sandbox/`, for a test or a person outside the process. None of them is a call.

mod bedrock;
mod iam;
mod latency;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::call::Call;
use crate::fault::Fault;
use crate::sandbox::Sandbox;

pub(crate) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/health", get(health))
        .route("/calls", get(calls).delete(clear_calls))
        .route("/faults", get(faults).post(arm_fault).delete(clear_faults))
        .merge(bedrock::routes())
        .merge(iam::routes())
        .merge(latency::routes())
        .fallback(|| async { StatusCode::NOT_FOUND })
}

async fn health(State(sandbox): State<Sandbox>) -> Json<Value> {
    let home = sandbox.home();
    Json(json!({"status": "ok", "account": home.account, "partition": home.partition}))
}

async fn calls(State(sandbox): State<Sandbox>) -> Json<Vec<Call>> {
    Json(sandbox.calls())
}

async fn clear_calls(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.clear_calls();
    StatusCode::NO_CONTENT
}

async fn faults(State(sandbox): State<Sandbox>) -> Json<Vec<Fault>> {
    Json(sandbox.faults())
}

async fn arm_fault(State(sandbox): State<Sandbox>, Json(fault): Json<Fault>) -> StatusCode {
    sandbox.fault(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.clear_faults();
    StatusCode::NO_CONTENT
}
