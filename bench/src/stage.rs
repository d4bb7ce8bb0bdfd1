//! A control plane with the chart installed; operators and sandboxes come and go.

use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use local_cluster::{ControlPlane, Tool, install_chart};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::requests::Requests;
use crate::{Outcome, progress};

pub(crate) const NAMESPACE: &str = "bench";

pub(crate) struct Stage {
    pub(crate) kubectl: Tool,
    /// With the operator's rights.
    pub(crate) kubeconfig: PathBuf,
    /// Of an administrator.
    pub(crate) admin: Client,
    pub(crate) runtime: Runtime,
    _cluster: ControlPlane,
}

impl Stage {
    pub(crate) fn set() -> Outcome<Self> {
        progress("  starting a control plane");
        let cluster = ControlPlane::start()?;
        let kubeconfig = install_chart(&cluster)?;
        let kubectl = cluster.kubectl()?;
        kubectl.run(["create", "namespace", NAMESPACE])?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let admin = runtime.block_on(client(cluster.kubeconfig()))?;
        Ok(Self { kubectl, kubeconfig, admin, runtime, _cluster: cluster })
    }

    /// A new client with the operator's rights.
    pub(crate) fn operators_client(&self) -> Outcome<Client> {
        self.runtime.block_on(client(&self.kubeconfig))
    }

    pub(crate) fn create(&self, manifests: &Value) -> Outcome<()> {
        self.kubectl.run_with_input(["create", "--validate=false", "-f", "-"], &manifests.to_string())?;
        Ok(())
    }

    pub(crate) fn delete(&self, object: &str) -> Outcome<()> {
        self.kubectl.run(["delete", "bedrockaccess", object, "--namespace", NAMESPACE])?;
        Ok(())
    }

    /// What the API server was asked since it started.
    pub(crate) fn requests(&self) -> Outcome<Requests> {
        let metrics = http::Request::get("/metrics").body(Vec::new())?;
        Ok(Requests::parse(&self.runtime.block_on(self.admin.request_text(metrics))?))
    }
}

async fn client(kubeconfig: &Path) -> Outcome<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    // As the operator sets it.
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}
