use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::access::{SERVICE_ACCOUNT_PRIVATE_KEY, SERVICE_ACCOUNT_PUBLIC_KEY, SERVING_CERTIFICATE, TOKENS};
use crate::child::ChildProcess;
use crate::{Error, Result, Tool, tool};

const LIMIT_TO_START: Duration = Duration::from_secs(90);

pub(super) const AUDIT_LOG: &str = "audit.log";

const AUDIT_POLICY: &str = r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
"rules": [{"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]}]}"#;

#[derive(Debug)]
pub(super) struct ApiServer {
    program: PathBuf,
    dir: PathBuf,
    port: u16,
    etcd_address: String,
    process: Option<ChildProcess>,
}

impl ApiServer {
    pub(super) fn new(dir: &Path, port: u16, etcd_address: &str) -> Result<Self> {
        let program = tool("kube-apiserver")?;
        Ok(Self { program, dir: dir.to_owned(), port, etcd_address: etcd_address.to_owned(), process: None })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn start(&mut self, kubectl: &Tool) -> Result<()> {
        self.spawn()?;
        self.wait_ready(kubectl)
    }

    pub(super) fn stop(&mut self) {
        self.process = None;
    }

    pub(super) fn spawn(&mut self) -> Result<()> {
        let file = |name: &str| self.dir.join(name).display().to_string();
        let audit_policy = self.dir.join("audit-policy.json");
        let cannot_write = Error::io(format!("cannot write {}", audit_policy.display()));
        fs::write(&audit_policy, AUDIT_POLICY).map_err(cannot_write)?;
        let mut command = Command::new(&self.program);
        command
            .arg(format!("--etcd-servers={}", self.etcd_address))
            .arg(format!("--secure-port={}", self.port))
            .args([
                "--bind-address=127.0.0.1",
                "--endpoint-reconciler-type=none",
                "--authorization-mode=RBAC",
            ])
            .arg(format!("--cert-dir={}", file("")))
            .arg(format!("--audit-policy-file={}", audit_policy.display()))
            .arg(format!("--audit-log-path={}", file(AUDIT_LOG)))
            .arg(format!("--token-auth-file={}", file(TOKENS)))
            .arg(format!("--service-account-issuer=https://127.0.0.1:{}", self.port))
            .arg(format!("--service-account-key-file={}", file(SERVICE_ACCOUNT_PUBLIC_KEY)))
            .arg(format!("--service-account-signing-key-file={}", file(SERVICE_ACCOUNT_PRIVATE_KEY)))
            .arg("--service-cluster-ip-range=10.0.0.0/24");
        self.process =
            Some(ChildProcess::start("kube-apiserver", command, self.dir.join("kube-apiserver.log"))?);
        Ok(())
    }

    /// The server makes its own certificate on its first start; kubeconfigs name it as their authority.
    pub(super) fn wait_for_certificate(&mut self) -> Result<()> {
        let certificate = self.dir.join(SERVING_CERTIFICATE);
        self.running()?.wait_ready(LIMIT_TO_START, || {
            let made = certificate.metadata().is_ok_and(|file| file.len() > 0);
            if made { Ok(()) } else { Err("no certificate yet".to_owned()) }
        })
    }

    pub(super) fn wait_ready(&mut self, kubectl: &Tool) -> Result<()> {
        self.running()?.wait_ready(LIMIT_TO_START, || {
            kubectl.run(["get", "--raw=/readyz"]).map(drop).map_err(|error| error.to_string())
        })
    }

    fn running(&mut self) -> Result<&mut ChildProcess> {
        self.process.as_mut().ok_or_else(|| Error::Unexpected {
            what: "the API server".to_owned(),
            text: "it was not started".to_owned(),
        })
    }
}
