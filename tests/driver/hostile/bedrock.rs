//! A Bedrock that answers whatever it is told to.

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region};
use axum::Router;
use axum::http::{Uri, header};
use bedrock_access::aws::{self, Bedrock};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::context::UNLIMITED;
use crate::world::World;

/// Path → body; a path that is not there is answered with 404.
type Script = Arc<dyn Fn(&str) -> Option<Value> + Send + Sync>;

/// Ends with the test.
pub(crate) struct Liar {
    script: Arc<Mutex<Script>>,
    serving: JoinHandle<()>,
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Liar {
    /// In place of the world's Bedrock; silent at first.
    pub(crate) async fn instead(world: &mut World) -> Self {
        let silent: Script = Arc::new(|_: &str| None);
        let script = Arc::new(Mutex::new(silent));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let told = Arc::clone(&script);
        let router = Router::new().fallback(move |uri: Uri| {
            let script = told.lock().unwrap().clone();
            async move { answer(script(uri.path())) }
        });
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(url)
            .region(Region::new("us-east-1"))
            .test_credentials();
        let config = aws::sdk_config(loader).await;
        let context = Arc::get_mut(&mut world.context).unwrap();
        let (account, metrics) = (context.settings.account.clone(), context.metrics.clone());
        context.bedrock = Bedrock::new(config, UNLIMITED, metrics, account);
        Self { script, serving }
    }

    pub(crate) fn tell(&self, script: impl Fn(&str) -> Option<Value> + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }
}

fn answer(body: Option<Value>) -> impl axum::response::IntoResponse {
    let (status, code, body) = match body {
        Some(body) => (200, "", body),
        None => (404, "ResourceNotFoundException", json!({"message": "none"})),
    };
    let error_type = header::HeaderName::from_static("x-amzn-errortype");
    let headers = [(header::CONTENT_TYPE, "application/json"), (error_type, code)];
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    (status, headers, body.to_string())
}

/// GetInferenceProfile's answer.
pub(crate) fn profile(arn: &str, id: &str, models: &[String]) -> Value {
    let models: Vec<Value> = models.iter().map(|arn| json!({"modelArn": arn})).collect();
    json!({
        "inferenceProfileName": id, "inferenceProfileArn": arn, "inferenceProfileId": id, "models": models,
        "status": "ACTIVE", "type": "SYSTEM_DEFINED",
    })
}

/// GetFoundationModel's answer.
pub(crate) fn model(arn: &str, id: &str, types: &[&str]) -> Value {
    json!({"modelDetails": {"modelArn": arn, "modelId": id, "inferenceTypesSupported": types}})
}

/// ListInferenceProfiles' answer.
pub(crate) fn profiles(ids: &[String]) -> Value {
    let summaries: Vec<Value> = ids.iter().map(|id| profile("arn", id, &[])).collect();
    json!({"inferenceProfileSummaries": summaries})
}

/// ListFoundationModels' answer.
pub(crate) fn models(ids: &[String]) -> Value {
    let summaries: Vec<Value> = ids.iter().map(|id| json!({"modelArn": "arn", "modelId": id})).collect();
    json!({"modelSummaries": summaries})
}
