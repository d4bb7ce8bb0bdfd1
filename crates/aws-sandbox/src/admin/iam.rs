//! The history of a role's inline policies, and how far IAM's reads lag its writes.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::iam::{Change, Reads};
use crate::sandbox::Sandbox;

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/history/{role}", get(history))
        .route("/history/{role}/states", get(states))
        .route("/reads", get(reads).put(set_reads).delete(clear_reads))
        .route("/clock", post(advance))
}

/// Reads that see every write have no lag; those that flap have a seed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Setting {
    lag_milliseconds: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flapping_seed: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    milliseconds: u64,
}

async fn history(State(sandbox): State<Sandbox>, Path(role): Path<String>) -> Json<Vec<Change>> {
    Json(sandbox.history(&role))
}

async fn states(
    State(sandbox): State<Sandbox>,
    Path(role): Path<String>,
) -> Json<Vec<BTreeMap<String, String>>> {
    Json(sandbox.policy_states(&role))
}

async fn reads(State(sandbox): State<Sandbox>) -> Json<Setting> {
    let (lag, flapping_seed) = match sandbox.reads() {
        Reads::Newest => (Duration::ZERO, None),
        Reads::Lagging(lag) => (lag, None),
        Reads::Flapping { lag, seed } => (lag, Some(seed)),
    };
    let lag_milliseconds = lag.as_millis().try_into().unwrap_or(u64::MAX);
    Json(Setting { lag_milliseconds, flapping_seed })
}

async fn set_reads(State(sandbox): State<Sandbox>, Json(setting): Json<Setting>) -> StatusCode {
    let lag = Duration::from_millis(setting.lag_milliseconds);
    sandbox.set_reads(match setting.flapping_seed {
        Some(seed) => Reads::Flapping { lag, seed },
        None => Reads::Lagging(lag),
    });
    StatusCode::NO_CONTENT
}

async fn clear_reads(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.set_reads(Reads::Newest);
    StatusCode::NO_CONTENT
}

async fn advance(State(sandbox): State<Sandbox>, Json(advance): Json<Advance>) -> StatusCode {
    sandbox.advance(Duration::from_millis(advance.milliseconds));
    StatusCode::NO_CONTENT
}
