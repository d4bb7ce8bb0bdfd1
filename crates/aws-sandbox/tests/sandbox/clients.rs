//! SDK clients for a sandbox: no retries, so that every answer is seen, and a limit on every call.

use std::time::Duration;

use aws_sandbox::{Config, Sandbox, Server};
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::config::timeout::TimeoutConfig;
use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};

pub(crate) async fn served() -> (Sandbox, Server) {
    let sandbox = Sandbox::new(Config::default());
    let server = Server::start(sandbox.clone()).await.unwrap();
    (sandbox, server)
}

pub(crate) fn limits() -> TimeoutConfig {
    TimeoutConfig::builder().operation_timeout(Duration::from_secs(20)).build()
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "secret", None, None, "test")
}

pub(crate) fn iam(server: &Server) -> aws_sdk_iam::Client {
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(server.url())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .timeout_config(limits());
    aws_sdk_iam::Client::from_conf(config.build())
}

pub(crate) fn sts(server: &Server) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(server.url())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .timeout_config(limits());
    aws_sdk_sts::Client::from_conf(config.build())
}

pub(crate) fn bedrock(server: &Server, region: &'static str) -> aws_sdk_bedrock::Client {
    let config = aws_sdk_bedrock::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(server.url())
        .region(Region::new(region))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .timeout_config(limits());
    aws_sdk_bedrock::Client::from_conf(config.build())
}
