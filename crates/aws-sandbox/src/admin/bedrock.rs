//! What Bedrock holds: profiles, models, application profiles and tags.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::bedrock::ApplicationProfile;
use crate::sandbox::Sandbox;

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/profiles/{region}/{profile}", get(profile).put(set_profile).delete(remove_profile))
        .route("/models/{region}/{model}", put(set_model).delete(remove_model))
        .route(
            "/application-profiles/{region}/{id}",
            put(set_application_profile).delete(remove_application_profile),
        )
        .route("/resources/{*arn}", put(set_resource).delete(remove_resource))
        .route("/tags/{*arn}", get(tags).put(set_tags))
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

/// An application profile, but for what stands in the path.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Application {
    name: String,
    model_arns: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// Values by key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tags {
    tags: BTreeMap<String, String>,
}

impl Tags {
    fn pairs(&self) -> Vec<(&str, &str)> {
        self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }
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

async fn set_application_profile(
    State(sandbox): State<Sandbox>,
    Path((region, id)): Path<(String, String)>,
    Json(Application { name, model_arns, tags }): Json<Application>,
) -> StatusCode {
    sandbox.set_application_profile(ApplicationProfile { region, id, name, model_arns, tags });
    StatusCode::NO_CONTENT
}

async fn remove_application_profile(
    State(sandbox): State<Sandbox>,
    Path((region, id)): Path<(String, String)>,
) -> StatusCode {
    sandbox.delete_application_profile(&region, &id);
    StatusCode::NO_CONTENT
}

async fn set_resource(
    State(sandbox): State<Sandbox>,
    Path(arn): Path<String>,
    Json(tags): Json<Tags>,
) -> StatusCode {
    sandbox.set_tagged_resource(&arn, &tags.pairs());
    StatusCode::NO_CONTENT
}

async fn remove_resource(State(sandbox): State<Sandbox>, Path(arn): Path<String>) -> StatusCode {
    sandbox.delete_tagged_resource(&arn);
    StatusCode::NO_CONTENT
}

async fn tags(State(sandbox): State<Sandbox>, Path(arn): Path<String>) -> Result<Json<Tags>, StatusCode> {
    let tags = sandbox.tags(&arn).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(Tags { tags }))
}

async fn set_tags(
    State(sandbox): State<Sandbox>,
    Path(arn): Path<String>,
    Json(tags): Json<Tags>,
) -> Result<StatusCode, StatusCode> {
    sandbox.set_tags(&arn, &tags.pairs()).map_err(|_| StatusCode::NOT_FOUND)?;
    Ok(StatusCode::NO_CONTENT)
}
