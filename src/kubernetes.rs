//! Kubernetes as the operator sees it: a client that never waits for ever, and the cluster's identity.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::client::ClientBuilder;
use kube::{Api, Client, Config, ResourceExt};
use tower::timeout::TimeoutLayer;

/// Until an answer begins; also the longest silence within one.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longer than the 290 s after which a watch ends by itself.
const WATCH_TIMEOUT: Duration = Duration::from_mins(5);

/// Why the operator cannot talk to its cluster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a kubeconfig nor a ServiceAccount.
    #[error("no usable kubeconfig, and not in a cluster")]
    Config(#[from] kube::config::InferConfigError),
    /// The client could not be built, or a call failed.
    #[error("the Kubernetes API failed")]
    Api(#[from] kube::Error),
    /// The namespace kube-system has no UID.
    #[error("namespace kube-system has no UID; set --cluster-id")]
    NoClusterId,
}

/// Two clients for one cluster: a watch may be silent for minutes, a call may not.
pub struct Clients {
    /// For everything but watches.
    pub calls: Client,
    /// For watches.
    pub watches: Client,
}

/// From KUBECONFIG, or from the ServiceAccount of the pod.
pub async fn connect() -> Result<Clients, Error> {
    let mut config = Config::infer().await?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.write_timeout = Some(CALL_TIMEOUT);
    config.reset_reader_on_write = true;
    // The client's own retries may take hours (15 times, doubling); ours are per object and bounded.
    config.default_retry = false;
    let mut watches = config.clone();
    watches.read_timeout = Some(WATCH_TIMEOUT);
    config.read_timeout = Some(CALL_TIMEOUT);
    Ok(Clients {
        calls: ClientBuilder::try_from(config)?.with_layer(&TimeoutLayer::new(CALL_TIMEOUT)).build(),
        watches: Client::try_from(watches)?,
    })
}

/// The UID of the namespace kube-system, by which the policies of this cluster differ from those of another.
pub async fn cluster_id(client: &Client) -> Result<String, Error> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.get("kube-system").await?.uid().ok_or(Error::NoClusterId)
}
