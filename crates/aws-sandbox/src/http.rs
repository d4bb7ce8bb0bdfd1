//! One call over HTTP: recognise it, let a fault strike, execute, record, answer.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::call::{Call, Outcome, Service};
use crate::connection::HangUp;
use crate::error::AwsError;
use crate::fault::{FaultKind, Subject};
use crate::home::Home;
use crate::query::Parameters;
use crate::sandbox::Sandbox;
use crate::world::World;
use crate::{admin, bedrock, iam, scope, spoil, sts, xml};

/// More than any request needs: a policy has at most 131,072 characters, each up to six bytes when encoded.
const LARGEST_BODY: usize = 1 << 20;

/// The HTTP interface without a listener: the admin routes, and AWS behind all the others. An answer with the extension
/// [`HangUp`] stands for none.
pub fn router(sandbox: Sandbox) -> Router {
    Router::new().nest("/_sandbox", admin::routes()).fallback(aws).with_state(sandbox)
}

async fn aws(State(sandbox): State<Sandbox>, request: axum::extract::Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let home = sandbox.home();
    let region = scope::region(&head.headers).unwrap_or(&home.default_region);
    let operation = Operation::parse(&head, &body);
    let (answered, latency) = {
        let mut world = sandbox.world();
        (answer(&mut world, home, region, &operation), world.latency)
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match answered {
        Answered::Reply(response) => response,
        Answered::Half(response) => spoil::truncated(response).await,
        Answered::HangUp(hang_up) => {
            let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
            response.extensions_mut().insert(hang_up);
            response
        }
        Answered::Never => std::future::pending().await,
    }
}

/// What the client gets.
enum Answered {
    Reply(Response),
    Half(Response),
    HangUp(HangUp),
    Never,
}

fn answer(world: &mut World, home: &Home, region: &str, operation: &Operation) -> Answered {
    let (service, target) = (operation.service(), operation.target());
    let request_id = world.request_id();
    let subject = Subject { service, operation: operation.name(), region, target };
    let fault = world.faults.strike(&subject);
    let result = match fault {
        Some(FaultKind::Reset | FaultKind::Hang) => None,
        Some(FaultKind::Throttle) => Some(Err(AwsError::throttled(service))),
        Some(FaultKind::Internal) => Some(Err(AwsError::internal(service))),
        Some(FaultKind::Unavailable) => Some(Err(AwsError::unavailable(service))),
        Some(FaultKind::AccessDenied) => Some(Err(operation.denied(home, region))),
        Some(
            FaultKind::HangAfter | FaultKind::LostReply | FaultKind::TruncatedBody | FaultKind::MalformedBody,
        )
        | None => Some(operation.execute(world, home, region)),
    };
    let outcome = match (fault, &result) {
        (Some(FaultKind::Reset), _) => Outcome::Reset,
        (Some(FaultKind::Hang), _) | (_, None) => Outcome::Hang,
        (Some(FaultKind::HangAfter), _) => Outcome::HangAfter,
        (Some(FaultKind::LostReply), _) => Outcome::LostReply,
        (Some(FaultKind::TruncatedBody), _) => Outcome::TruncatedBody,
        (Some(FaultKind::MalformedBody), _) => Outcome::MalformedBody,
        (_, Some(Ok(_))) => Outcome::Ok,
        (_, Some(Err(error))) => Outcome::Error(error.code.to_owned()),
    };
    let call = Call {
        service,
        operation: operation.name().to_owned(),
        region: region.to_owned(),
        target: target.map(str::to_owned),
        outcome,
    };
    let answered = match (&call.outcome, result) {
        (Outcome::Reset, _) => Answered::HangUp(HangUp::Reset),
        (Outcome::LostReply, _) => Answered::HangUp(HangUp::Close),
        (Outcome::TruncatedBody, Some(result)) => Answered::Half(operation.reply(result, &request_id)),
        (Outcome::MalformedBody, Some(result)) => {
            Answered::Reply(spoil::malformed(operation.reply(result, &request_id)))
        }
        (Outcome::HangAfter, _) | (_, None) => Answered::Never,
        (_, Some(result)) => Answered::Reply(operation.reply(result, &request_id)),
    };
    world.calls.push(call);
    answered
}

/// A request as its service understands it.
enum Operation {
    Iam(Parameters),
    Sts(Parameters),
    Bedrock(bedrock::Request),
}

/// What an operation answers: the result's XML, or a JSON body.
enum Payload {
    Xml(String),
    Json(Value),
}

impl Operation {
    /// The query protocol posts forms to `/`, and only STS has this version; every other path is Bedrock's.
    fn parse(head: &Parts, body: &Bytes) -> Self {
        if head.uri.path() != "/" {
            return Self::Bedrock(bedrock::Request::parse(&head.method, &head.uri, body));
        }
        let form = Parameters::parse(&String::from_utf8_lossy(body));
        if form.get("Version") == Some("2011-06-15") { Self::Sts(form) } else { Self::Iam(form) }
    }

    fn service(&self) -> Service {
        match self {
            Self::Iam(_) => Service::Iam,
            Self::Sts(_) => Service::Sts,
            Self::Bedrock(_) => Service::Bedrock,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Iam(form) | Self::Sts(form) => form.get("Action").unwrap_or("Unknown"),
            Self::Bedrock(request) => request.operation(),
        }
    }

    fn target(&self) -> Option<&str> {
        match self {
            Self::Iam(form) => iam::target(form),
            Self::Sts(_) => None,
            Self::Bedrock(request) => request.target(),
        }
    }

    fn execute(&self, world: &mut World, home: &Home, region: &str) -> Result<Payload, AwsError> {
        match self {
            Self::Iam(form) => iam::execute(&mut world.iam, home, self.name(), form).map(Payload::Xml),
            Self::Sts(_) => sts::execute(home, self.name()).map(Payload::Xml),
            Self::Bedrock(request) => {
                bedrock::execute(&mut world.bedrock, home, region, request).map(Payload::Json)
            }
        }
    }

    fn denied(&self, home: &Home, region: &str) -> AwsError {
        let resource = match self {
            Self::Iam(form) => {
                iam::target(form).map_or_else(|| "*".to_owned(), |role| format!("role {role}"))
            }
            Self::Sts(_) => "*".to_owned(),
            Self::Bedrock(request) => request.resource(&home.partition, region, &home.account),
        };
        AwsError::access_denied(self.service(), self.name(), &sts::caller_arn(home), &resource)
    }

    fn reply(&self, result: Result<Payload, AwsError>, request_id: &str) -> Response {
        let namespace = if self.service() == Service::Sts { sts::NAMESPACE } else { iam::NAMESPACE };
        let (status, errortype, content_type, body) = match result {
            Ok(Payload::Xml(xml)) => {
                (200, None, "text/xml", xml::answer(self.name(), namespace, &xml, request_id))
            }
            Ok(Payload::Json(body)) => (200, None, "application/json", body.to_string()),
            Err(error) if self.service() == Service::Bedrock => {
                let body = json!({"__type": error.code, "message": error.message}).to_string();
                (error.status, Some(error.code), "application/json", body)
            }
            Err(error) => (error.status, None, "text/xml", xml::failure(&error, namespace, request_id)),
        };
        let mut headers = HeaderMap::from_iter([(
            axum::http::header::CONTENT_TYPE,
            axum::http::HeaderValue::from_static(content_type),
        )]);
        if let Ok(request_id) = request_id.parse() {
            headers.insert("x-amzn-requestid", request_id);
        }
        if let Some(code) = errortype {
            headers.insert("x-amzn-errortype", axum::http::HeaderValue::from_static(code));
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, headers, Body::from(body)).into_response()
    }
}
