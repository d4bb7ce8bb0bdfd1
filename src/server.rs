//! `/livez`, `/readyz` and `/metrics` over HTTP.

mod connections;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::health::Health;
use crate::metrics::Metrics;

/// What the answers are made from.
#[derive(Clone)]
pub struct Served {
    /// For the two probes.
    pub health: Arc<Health>,
    /// For `/metrics`.
    pub metrics: Metrics,
}

/// Takes the address, so that a port in use is known before any work begins.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until the process ends: probes are answered during a shutdown too, and whatever other clients do.
pub async fn serve(listener: TcpListener, served: Served) {
    connections::answer_all(listener, router(served), connections::LIMITS).await;
}

fn router(served: Served) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(served)
}

async fn livez(State(served): State<Served>) -> (StatusCode, String) {
    match served.health.stuck() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn readyz(State(served): State<Served>) -> (StatusCode, String) {
    match served.health.not_ready() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn metrics(State(served): State<Served>) -> Response {
    match served.metrics.to_text() {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn get(served: &Served, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(served.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_reconcile_that_hangs_for_six_minutes_asks_for_a_restart_by_livez() {
        let served = Served { health: Arc::default(), metrics: Metrics::default() };
        served.health.synced();
        let _hanging = served.health.reconciling();
        assert_eq!(get(&served, "/livez").await, (StatusCode::OK, "ok\n".to_owned()));
        tokio::time::advance(Duration::from_mins(6)).await;
        let why = "a reconcile has been running for 360 s\n".to_owned();
        assert_eq!(get(&served, "/livez").await, (StatusCode::SERVICE_UNAVAILABLE, why));
        assert_eq!(get(&served, "/readyz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn probes_and_metrics_answer_from_what_is_known() {
        let served = Served { health: Arc::default(), metrics: Metrics::default() };
        assert_eq!(get(&served, "/livez").await.0, StatusCode::OK);
        assert_eq!(get(&served, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
        served.health.synced();
        assert_eq!(get(&served, "/readyz").await, (StatusCode::OK, "ok\n".to_owned()));
        let (status, text) = get(&served, "/metrics").await;
        assert!(status.is_success() && text.contains("bedrock_access_watch_errors_total 0"), "{text}");
    }
}
