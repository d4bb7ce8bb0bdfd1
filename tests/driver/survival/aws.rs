//! AWS without a socket: the SDK's HTTP client hands each request to the sandbox's router.

use std::fmt;
use std::future::ready;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sandbox::{Fault, FaultKind, HangUp, Sandbox, router};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use axum::Router;
use axum::body::{Body, Bytes};
use bedrock_access::aws;
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;

use super::wire::{Call, Crash, Failure, Treatment, Wire};

/// The operator's own settings for AWS, with the sandbox at the end of the wire.
pub(crate) async fn config(sandbox: &Sandbox, wire: &Wire) -> SdkConfig {
    let line = Line { sandbox: sandbox.clone(), router: router(sandbox.clone()), wire: wire.clone() };
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(line)
        .endpoint_url("http://sandbox")
        .region(Region::new("us-east-1"))
        .test_credentials();
    aws::sdk_config(loader).await
}

#[derive(Clone)]
struct Line {
    sandbox: Sandbox,
    router: Router,
    wire: Wire,
}

impl fmt::Debug for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Line")
    }
}

impl HttpClient for Line {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let line = self.clone();
        HttpConnectorFuture::new(async move { line.answer(request).await })
    }
}

impl Line {
    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let treatment = self.wire.send(call(&request)).await;
        match treatment {
            Treatment::Serve => {
                let response = self.serve(request).await?;
                self.wire.travel().await;
                Ok(finished(response, SdkBody::from))
            }
            Treatment::Die(crash) => {
                if crash == Crash::ReplyLost {
                    self.serve(request).await?;
                }
                self.wire.die().await
            }
            Treatment::Fail(failure) => self.fail(request, failure).await,
        }
    }

    async fn fail(&self, request: HttpRequest, failure: Failure) -> Result<HttpResponse, ConnectorError> {
        match failure {
            Failure::Refused => Err(broken("connection refused")),
            Failure::Hang => std::future::pending().await,
            Failure::Slow => {
                tokio::time::sleep(Duration::from_secs(3)).await;
                Ok(finished(self.serve(request).await?, SdkBody::from))
            }
            Failure::Panic => panic!("a defect, put in by the test"),
            Failure::LostReply => {
                self.serve(request).await?;
                Err(broken("connection closed before the answer"))
            }
            Failure::Truncated => Ok(finished(self.serve(request).await?, |bytes| {
                let half = bytes.slice(..bytes.len() / 2);
                let end = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
                let torn = Full::new(half).map_err(|never| match never {});
                SdkBody::from_body_1_x(torn.with_trailers(ready(Some(Err::<_, std::io::Error>(end)))))
            })),
            Failure::Malformed => Ok(finished(self.serve(request).await?, |_| SdkBody::from("<html>?{"))),
            Failure::Throttled => self.refuse(request, FaultKind::Throttle).await,
            Failure::Denied => self.refuse(request, FaultKind::AccessDenied).await,
            Failure::Status(500) => self.refuse(request, FaultKind::Internal).await,
            Failure::Status(status) => {
                let body = SdkBody::from("<html>Service Unavailable</html>");
                let response = http::Response::builder().status(status).body(body).unwrap();
                Ok(HttpResponse::try_from(response).unwrap())
            }
        }
    }

    /// Lets the sandbox answer this one request with the service's own error.
    async fn refuse(&self, request: HttpRequest, kind: FaultKind) -> Result<HttpResponse, ConnectorError> {
        self.sandbox.fault(Fault::new(kind).times(1));
        Ok(finished(self.serve(request).await?, SdkBody::from))
    }

    async fn serve(&self, request: HttpRequest) -> Result<http::Response<Bytes>, ConnectorError> {
        let request = request.try_into_http1x().unwrap();
        let request = request.map(|body| Body::from(body.bytes().unwrap().to_vec()));
        let Ok(response) = self.router.clone().oneshot(request).await;
        if response.extensions().get::<HangUp>().is_some() {
            return Err(broken("connection closed before the answer"));
        }
        let (head, body) = response.into_parts();
        Ok(http::Response::from_parts(head, body.collect().await.unwrap().to_bytes()))
    }
}

fn finished(response: http::Response<Bytes>, body: impl FnOnce(Bytes) -> SdkBody) -> HttpResponse {
    HttpResponse::try_from(response.map(body)).unwrap()
}

fn broken(why: &'static str) -> ConnectorError {
    ConnectorError::io(std::io::Error::new(std::io::ErrorKind::ConnectionReset, why).into())
}

/// IAM names the operation in its form, Bedrock in its path.
fn call(request: &HttpRequest) -> Call {
    let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
    let uri: http::Uri = request.uri().parse().unwrap();
    let path: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let kind = match path[..] {
        [] => body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or("Unknown"),
        ["inference-profiles"] => "ListInferenceProfiles",
        ["inference-profiles", ..] => "GetInferenceProfile",
        ["foundation-models"] => "ListFoundationModels",
        ["foundation-models", ..] => "GetFoundationModel",
        ["listTagsForResource"] => "ListTagsForResource",
        _ => "Unknown",
    };
    let scope = request.headers().get("authorization").unwrap_or_default();
    Call::new(kind, scope.split('/').nth(2).unwrap_or_default())
}
