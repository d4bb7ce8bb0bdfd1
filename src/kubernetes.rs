//! Kubernetes as the operator sees it: clients that never wait for ever, the lease, and the cluster's identity.

mod fencing;
mod lease;
mod pages;

use std::time::Duration;

use bedrock_access_api::v1alpha1::BedrockAccess;
use http::{Request, Response};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::client::{Body, ClientBuilder};
use kube::config::KubeConfigOptions;
use kube::{Api, Client, Config, ResourceExt};
use tower::Service;
use tower::timeout::TimeoutLayer;

use fencing::Fencing;
pub use lease::{Candidate, Learned, Leases, Timings, TimingsError};
pub(crate) use pages::{PAGE, by_page};

use crate::shard::Shard;

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
    /// The lease cannot be seen.
    #[error("the Lease {name} in the namespace {namespace} cannot be read")]
    Lease {
        /// Its name.
        name: String,
        /// Where it was looked for.
        namespace: String,
        /// Why.
        source: kube::Error,
    },
    /// The operator may not see the lease.
    #[error(
        "the Lease {name} in the namespace {namespace} may not be read; grant the operator get, create and update on leases there"
    )]
    LeaseForbidden {
        /// Its name.
        name: String,
        /// Where it was looked for.
        namespace: String,
        /// What the API server said.
        source: kube::Error,
    },
    /// Outside of the cluster, the lease cannot be looked for.
    #[error(
        "the Leases {} of this cluster cannot be listed, so it is not known which one its operator uses; \
         allow list on leases in all namespaces, or name the lease's namespace with --lease-namespace",
        lease::NAME
    )]
    WhichLease(#[source] kube::Error),
    /// Outside of the cluster, more than one lease was found.
    #[error(
        "there is a Lease {} in each of the namespaces {}; choose one with --lease-namespace",
        lease::NAME, .0.join(", ")
    )]
    SeveralLeases(Vec<String>),
    /// No label selector.
    #[error("--shard-selector is {selector:?}, which the API server does not understand: {why}")]
    Selector {
        /// What is set.
        selector: String,
        /// What the API server says.
        why: String,
    },
    /// The namespace kube-system has no UID.
    #[error("namespace kube-system has no UID; set --cluster-id")]
    NoClusterId,
}

/// Three clients for one cluster: a watch may be silent for minutes, a call may not, and the lease must not wait for either.
pub struct Clients {
    /// For everything but watches and the lease; writes only while the fence is open.
    pub calls: Client,
    /// For the lease.
    pub leases: Leases,
    /// For watches.
    pub watches: Client,
    /// Where this process runs.
    pub place: Place,
}

/// Where the operator runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a pod of the cluster, whose namespace is the operator's own.
    Inside,
    /// Wherever someone's kubeconfig is.
    Outside,
}

/// From KUBECONFIG, or from the ServiceAccount of the pod, whose namespace is then the clients' default one.
/// What requests about the lease tell is kept in `learned`.
pub async fn connect(learned: &Learned, timings: &Timings) -> Result<Clients, Error> {
    Clients::new(Config::infer().await?, place().await, learned, timings)
}

async fn place() -> Place {
    let outside = Config::from_kubeconfig(&KubeConfigOptions::default()).await.is_ok();
    if outside { Place::Outside } else { Place::Inside }
}

impl Clients {
    fn new(mut config: Config, place: Place, learned: &Learned, timings: &Timings) -> Result<Self, Error> {
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.write_timeout = Some(CALL_TIMEOUT);
        config.reset_reader_on_write = true;
        // The client's own retries may take hours (15 times, doubling); ours are per object and bounded.
        config.default_retry = false;
        let mut watches = config.clone();
        watches.read_timeout = Some(WATCH_TIMEOUT);
        config.read_timeout = Some(CALL_TIMEOUT);
        let calls = ClientBuilder::try_from(config.clone())?.with_layer(&Fencing(learned.fence.clone()));
        let renewals = timings.renewals(learned);
        // Inside of what learns, so that a request that it ends counts as failed.
        let leases = ClientBuilder::try_from(config)?.with_layer(&TimeoutLayer::new(timings.request_limit()));
        Ok(Self {
            calls: calls.with_layer(&TimeoutLayer::new(CALL_TIMEOUT)).build(),
            leases: Leases::new(leases.build(), renewals),
            watches: Client::try_from(watches)?,
            place,
        })
    }
}

/// A client for a command, which reads only.
pub async fn connect_once() -> Result<Client, Error> {
    let mut config = Config::infer().await?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(CALL_TIMEOUT);
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}

/// Sends by a client what goes through further layers first.
pub(crate) fn around(
    client: Client,
) -> ClientBuilder<
    impl Service<Request<Body>, Response = Response<Body>, Error = kube::Error, Future: Send> + Send + 'static,
> {
    let namespace = client.default_namespace().to_owned();
    let send = move |request| {
        let client = client.clone();
        async move { client.send(request).await }
    };
    ClientBuilder::new(tower::service_fn(send), namespace)
}

/// Asks for the leases of a shard, which need not exist yet: without the right to see them, an operator would follow nobody for ever.
pub async fn see_leases(leases: &Leases, namespace: &str, shard: &Shard) -> Result<(), Error> {
    let api: Api<Lease> = Api::namespaced(leases.client.clone(), namespace);
    for name in lease::Names::of(shard).all() {
        api.get_opt(name).await.map_err(|source| {
            let (name, namespace) = (name.to_owned(), namespace.to_owned());
            match &source {
                kube::Error::Api(refusal) if refusal.is_forbidden() => {
                    Error::LeaseForbidden { name, namespace, source }
                }
                _ => Error::Lease { name, namespace, source },
            }
        })?;
    }
    Ok(())
}

/// Has the API server judge the selector of a shard: one that it does not understand would let the watch fail for ever.
pub async fn check_selector(client: &Client, shard: &Shard) -> Result<(), Error> {
    let Some(selector) = shard.selector() else { return Ok(()) };
    let resource = ApiResource::erase::<BedrockAccess>(&());
    let objects: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    match objects.list_metadata(&ListParams::default().labels(selector).limit(1)).await {
        Err(kube::Error::Api(refusal)) if refusal.code == 400 => {
            Err(Error::Selector { selector: selector.to_owned(), why: refusal.message })
        }
        // Whatever else it says, the watch will tell.
        Ok(_) | Err(kube::Error::Api(_)) => Ok(()),
        Err(error) => Err(Error::Api(error)),
    }
}

/// The namespace of the lease for an operator that was told none and runs outside of the cluster: where the one lease is
/// by which another one takes its turns, else its own.
pub async fn find_lease(leases: &Leases) -> Result<String, Error> {
    namespace_of_lease(&leases.client).await
}

/// The namespace of the operator's lease and record, for a command: the pod's own, outside of the cluster that of the one lease.
pub async fn operator_namespace(client: &Client) -> Result<String, Error> {
    match place().await {
        Place::Inside => Ok(client.default_namespace().to_owned()),
        Place::Outside => namespace_of_lease(client).await,
    }
}

async fn namespace_of_lease(client: &Client) -> Result<String, Error> {
    let found = lease::everywhere(client).await.map_err(|error| match error {
        kube::Error::Api(refusal) if refusal.is_forbidden() => Error::WhichLease(kube::Error::Api(refusal)),
        error => Error::Api(error),
    })?;
    let mut namespaces: Vec<String> = found.iter().filter_map(ResourceExt::namespace).collect();
    match namespaces.pop() {
        None => Ok(client.default_namespace().to_owned()),
        Some(only) if namespaces.is_empty() => Ok(only),
        Some(last) => {
            namespaces.push(last);
            namespaces.sort();
            Err(Error::SeveralLeases(namespaces))
        }
    }
}

impl Error {
    /// Whether it may go away by itself.
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::WhichLease(_) | Self::SeveralLeases(_) | Self::Selector { .. })
    }
}

/// The UID of the namespace kube-system, by which the policies of this cluster differ from those of another.
pub async fn cluster_id(client: &Client) -> Result<String, Error> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.get("kube-system").await?.uid().ok_or(Error::NoClusterId)
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use kube::api::{DeleteParams, PostParams};
    use serde_json::{Value, json};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;
    use crate::telemetry::chain;

    /// An API server that says yes to everything, and the methods and paths that it is asked.
    async fn api_server() -> (Config, mpsc::UnboundedReceiver<String>) {
        let (sender, asked) = mpsc::unbounded_channel();
        let answer = move |request: Request| {
            sender.send(format!("{} {}", request.method(), request.uri().path())).unwrap();
            async { Json::<Value>(json!({"metadata": {}})) }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, axum::Router::new().fallback(answer)).await });
        (Config::new(format!("http://{address}").parse().unwrap()), asked)
    }

    /// An API server that answers everything by this refusal.
    async fn refusing(refusal: Value) -> Config {
        let code = StatusCode::from_u16(refusal["code"].as_u64().unwrap().try_into().unwrap()).unwrap();
        let router = axum::Router::new().fallback(move || async move { (code, Json(refusal)) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, router).await });
        Config::new(format!("http://{address}").parse().unwrap())
    }

    /// Why the lease cannot be seen on this cluster.
    async fn unseen(config: Config) -> String {
        // Another test of this process may have installed it already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let second = Duration::from_secs(1);
        let timings = Timings::new(15 * second, 10 * second, second).unwrap();
        let clients = Clients::new(config, Place::Inside, &Learned::default(), &timings).unwrap();
        chain(&see_leases(&clients.leases, "ours", &Shard::default()).await.unwrap_err())
    }

    #[tokio::test]
    async fn a_missing_right_is_blamed_only_where_the_api_server_says_so() {
        let refusal = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden",
            "message": "leases is forbidden", "code": 403});
        let told = unseen(refusing(refusal.clone()).await).await;
        assert!(told.contains("grant the operator get, create and update on leases there"), "{told}");
        assert!(told.contains("leases is forbidden"), "{told}");

        let mut unauthorized = refusal;
        unauthorized["code"] = 401.into();
        unauthorized["reason"] = "Unauthorized".into();
        let told = unseen(refusing(unauthorized).await).await;
        assert!(told.contains("cannot be read") && !told.contains("grant"), "{told}");

        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let told = unseen(Config::new(format!("http://{closed}").parse().unwrap())).await;
        assert!(told.contains("Connection refused") && !told.contains("grant"), "{told}");
    }

    #[tokio::test]
    async fn calls_write_only_while_the_lease_was_renewed_by_its_own_client() {
        // Another test of this process may have installed it already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (config, mut asked) = api_server().await;
        let learned = Learned::default();
        let second = Duration::from_secs(1);
        let timings = Timings::new(900 * second, 600 * second, second).unwrap();
        let clients = Clients::new(config, Place::Inside, &learned, &timings).unwrap();
        let delete = async || {
            let namespaces: Api<Namespace> = Api::all(clients.calls.clone());
            namespaces.delete("team-a", &DeleteParams::default()).await.map(drop)
        };

        delete().await.unwrap_err();
        cluster_id(&clients.calls).await.unwrap_err();
        let leases: Api<Lease> = Api::namespaced(clients.leases.client.clone(), "ours");
        leases.create(&PostParams::default(), &Lease::default()).await.unwrap();
        delete().await.unwrap();
        learned.fence.close();
        delete().await.unwrap_err();

        asked.close();
        let mut seen = Vec::new();
        while let Some(request) = asked.recv().await {
            seen.push(request);
        }
        let created = "POST /apis/coordination.k8s.io/v1/namespaces/ours/leases";
        let expected = ["GET /api/v1/namespaces/kube-system", created, "DELETE /api/v1/namespaces/team-a"];
        assert_eq!(seen, expected);
    }
}
