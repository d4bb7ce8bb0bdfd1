mod access;
mod api_server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use api_server::{AUDIT_LOG, ApiServer};
use serde_json::Value;

use crate::child::ChildProcess;
use crate::ports::free_port;
use crate::workdir::Workdir;
use crate::{Error, Result, Tool, tool};

/// Only what tests need: namespaces end, owned objects are collected, service accounts appear, cluster roles aggregate.
const CONTROLLERS: &str = "namespace-controller,garbage-collector-controller,serviceaccount-controller,clusterrole-aggregation-controller";
const ATTEMPTS: usize = 3;

/// etcd, kube-apiserver with RBAC and kube-controller-manager on 127.0.0.1. There is no node: nothing runs pods.
///
/// Shared by threads as `&ControlPlane`; ready 2 to 4 s after the start, about 400 MB of memory.
#[derive(Debug)]
pub struct ControlPlane {
    admin_kubeconfig: PathBuf,
    api_server: Mutex<ApiServer>,
    _controller_manager: ChildProcess,
    _etcd: ChildProcess,
    dir: Workdir,
}

impl ControlPlane {
    pub fn start() -> Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::start_once() {
                // Between finding a free port and listening on it, another process may have taken it.
                Err(Error::Ended { tail, .. })
                    if attempt < ATTEMPTS && tail.contains("address already in use") =>
                {
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// The kubeconfig of a member of `system:masters`.
    pub fn kubeconfig(&self) -> &Path {
        &self.admin_kubeconfig
    }

    /// kubectl as the administrator.
    pub fn kubectl(&self) -> Result<Tool> {
        Ok(Tool::new(tool("kubectl")?, &self.admin_kubeconfig))
    }

    /// helm as the administrator.
    pub fn helm(&self) -> Result<Tool> {
        Ok(Tool::new(tool("helm")?, &self.admin_kubeconfig))
    }

    /// Writes a kubeconfig with a token of this `ServiceAccount` (`TokenRequest`, one day): exactly the rights that RBAC gives
    /// it, and like a pod's its own namespace.
    pub fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let token =
            self.kubectl()?.run(["create", "token", name, "--namespace", namespace, "--duration=24h"])?;
        let port = self.api_server().port();
        let content = access::kubeconfig(self.dir.path(), port, token.trim(), namespace)?;
        self.dir.write(&format!("{namespace}.{name}.kubeconfig"), &content)
    }

    /// Every writing request that was answered, as the API server's audit log has it (`audit.k8s.io/v1`, level Metadata):
    /// `{"verb": …, "user": {"username": …}, "objectRef": {…}, "responseStatus": {"code": …}, …}`.
    pub fn writes(&self) -> Result<Vec<Value>> {
        let path = self.dir.join(AUDIT_LOG);
        let log = fs::read_to_string(&path).map_err(Error::io(format!("cannot read {}", path.display())))?;
        // Its last line may be half-written.
        Ok(log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Ends the API server as a crash would: every connection and watch breaks, what etcd holds stays.
    pub fn stop_api_server(&self) {
        self.api_server().stop();
    }

    /// Starts the API server on the port and with the certificate that it had, and waits until it is ready.
    pub fn start_api_server(&self) -> Result<()> {
        self.api_server().start(&self.kubectl()?)
    }

    fn start_once() -> Result<Self> {
        let dir = Workdir::new("local-cluster")?;
        let admin_token = access::create(&dir)?;
        let (etcd, etcd_address) = start_etcd(&dir)?;
        let port = free_port()?;
        let admin_kubeconfig = dir.join("admin.kubeconfig");
        let mut api_server = ApiServer::new(dir.path(), port, &etcd_address)?;
        api_server.spawn()?;
        api_server.wait_for_certificate()?;
        let content = access::kubeconfig(dir.path(), port, &admin_token, "default")?;
        dir.write("admin.kubeconfig", &content)?;
        api_server.wait_ready(&Tool::new(tool("kubectl")?, &admin_kubeconfig))?;
        let controller_manager = start_controller_manager(&dir, &admin_kubeconfig)?;
        Ok(Self {
            admin_kubeconfig,
            api_server: Mutex::new(api_server),
            _controller_manager: controller_manager,
            _etcd: etcd,
            dir,
        })
    }

    fn api_server(&self) -> MutexGuard<'_, ApiServer> {
        self.api_server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start_etcd(dir: &Workdir) -> Result<(ChildProcess, String)> {
    let clients = format!("http://127.0.0.1:{}", free_port()?);
    let peers = format!("http://127.0.0.1:{}", free_port()?);
    let mut command = Command::new(tool("etcd")?);
    command
        .arg(format!("--data-dir={}", dir.join("etcd").display()))
        .arg(format!("--listen-client-urls={clients}"))
        .arg(format!("--advertise-client-urls={clients}"))
        .arg(format!("--listen-peer-urls={peers}"))
        .arg(format!("--initial-advertise-peer-urls={peers}"))
        .arg(format!("--initial-cluster=default={peers}"))
        .args(["--unsafe-no-fsync", "--log-level=warn"]);
    Ok((ChildProcess::start("etcd", command, dir.join("etcd.log"))?, clients))
}

fn start_controller_manager(dir: &Workdir, kubeconfig: &Path) -> Result<ChildProcess> {
    let mut command = Command::new(tool("kube-controller-manager")?);
    command
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .arg(format!("--controllers={CONTROLLERS}"))
        .args(["--leader-elect=false", "--secure-port=0"]);
    ChildProcess::start("kube-controller-manager", command, dir.join("kube-controller-manager.log"))
}
