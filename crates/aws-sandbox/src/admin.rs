//! The routes under `/_sandbox/`, for a test or a person outside the process. None of them is a call.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::fault::Fault;
use crate::iam::Change;
use crate::sandbox::Sandbox;

pub(crate) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/health", get(health))
        .route("/calls", get(calls).delete(clear_calls))
        .route("/faults", get(faults).post(arm_fault).delete(clear_faults))
        .route("/history/{role}", get(history))
        .route("/profiles/{region}/{profile}", get(profile).put(set_profile).delete(remove_profile))
        .route("/models/{region}/{model}", put(set_model).delete(remove_model))
        .fallback(|| async { StatusCode::NOT_FOUND })
}

/// A profile's destination Regions, `["*"]` for a global one.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    destinations: Vec<String>,
}

/// A model's inference types.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Types {
    inference_types: Vec<String>,
}

async fn health(State(sandbox): State<Sandbox>) -> Json<Value> {
    let config = sandbox.config();
    Json(json!({"status": "ok", "account": config.account, "partition": config.partition}))
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

async fn history(State(sandbox): State<Sandbox>, Path(role): Path<String>) -> Json<Vec<Change>> {
    Json(sandbox.history(&role))
}

async fn profile(
    State(sandbox): State<Sandbox>,
    Path((region, profile)): Path<(String, String)>,
) -> Result<Json<Route>, StatusCode> {
    let destinations = sandbox.profile(&region, &profile).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(Route { destinations }))
}

async fn set_profile(
    State(sandbox): State<Sandbox>,
    Path((region, profile)): Path<(String, String)>,
    Json(route): Json<Route>,
) -> StatusCode {
    let destinations: Vec<&str> = route.destinations.iter().map(String::as_str).collect();
    sandbox.set_profile(&region, &profile, Some(&destinations));
    StatusCode::NO_CONTENT
}

async fn remove_profile(
    State(sandbox): State<Sandbox>,
    Path((region, profile)): Path<(String, String)>,
) -> StatusCode {
    sandbox.set_profile(&region, &profile, None);
    StatusCode::NO_CONTENT
}

async fn set_model(
    State(sandbox): State<Sandbox>,
    Path((region, model)): Path<(String, String)>,
    Json(types): Json<Types>,
) -> StatusCode {
    let types: Vec<&str> = types.inference_types.iter().map(String::as_str).collect();
    sandbox.set_model(&region, &model, Some(&types));
    StatusCode::NO_CONTENT
}

async fn remove_model(
    State(sandbox): State<Sandbox>,
    Path((region, model)): Path<(String, String)>,
) -> StatusCode {
    sandbox.set_model(&region, &model, None);
    StatusCode::NO_CONTENT
}
