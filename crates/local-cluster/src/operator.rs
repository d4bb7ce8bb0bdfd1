use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use crate::child::ChildProcess;
use crate::ports::free_port;
use crate::workdir::Workdir;
use crate::{Error, Result, SandboxProcess, cargo_binary};

const LIMIT_TO_START: Duration = Duration::from_secs(30);

/// How `bedrock-access run` is started.
#[derive(Clone, Debug)]
pub struct OperatorSettings {
    /// Whose rights the operator has in the cluster.
    pub kubeconfig: PathBuf,
    /// `AWS_ENDPOINT_URL`: see [`SandboxProcess::endpoint`].
    pub aws_endpoint: String,
    /// Further flags, such as `--interval 1m`.
    pub arguments: Vec<OsString>,
}

/// The operator as a process of its own, outside of the cluster.
#[derive(Debug)]
pub struct OperatorProcess {
    http_address: String,
    process: ChildProcess,
    _dir: Workdir,
}

impl OperatorProcess {
    /// Starts it and waits until `/readyz` answers 200.
    pub fn start(settings: &OperatorSettings) -> Result<Self> {
        Self::start_in(SandboxProcess::REGION, settings)
    }

    /// Like [`OperatorProcess::start`], with `AWS_REGION`: the sandbox's log then tells whose call of IAM it was.
    pub fn start_in(region: &str, settings: &OperatorSettings) -> Result<Self> {
        let mut operator = Self::launch_in(region, settings)?;
        let readyz = format!("http://{}/readyz", operator.http_address);
        operator.process.wait_ready(LIMIT_TO_START, || {
            ureq::get(&readyz).call().map(drop).map_err(|error| error.to_string())
        })?;
        Ok(operator)
    }

    /// Like [`OperatorProcess::start_in`], without waiting for it: cluster and AWS may be out of reach.
    pub fn launch_in(region: &str, settings: &OperatorSettings) -> Result<Self> {
        let dir = Workdir::new("bedrock-access")?;
        let http_address = format!("127.0.0.1:{}", free_port()?);
        let (id, secret) = SandboxProcess::CREDENTIALS;
        let mut command = Command::new(cargo_binary("bedrock-access")?);
        command
            .args(["run", "--http-address", &http_address])
            .args(&settings.arguments)
            .env("KUBECONFIG", &settings.kubeconfig)
            .env("AWS_ENDPOINT_URL", &settings.aws_endpoint)
            .env("AWS_REGION", region)
            .env("AWS_ACCESS_KEY_ID", id)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            // The settings of whoever runs the test must not reach the operator: they may lead to a real account.
            .envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")])
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        for service in ["IAM", "BEDROCK", "STS"] {
            command.env_remove(format!("AWS_ENDPOINT_URL_{service}"));
        }
        let process = ChildProcess::start("bedrock-access", command, dir.join("operator.log"))?;
        Ok(Self { http_address, process, _dir: dir })
    }

    /// How it ended, if it did.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.process.exit_status()
    }

    /// The body that the operator's HTTP server answers for `path`: `/metrics`, `/livez`, `/readyz`.
    pub fn get(&self, path: &str) -> Result<String> {
        let address = format!("http://{}{path}", self.http_address);
        let answer = ureq::get(&address).call().and_then(|mut answer| answer.body_mut().read_to_string());
        answer.map_err(|error| Error::Unexpected { what: address, text: error.to_string() })
    }

    /// `127.0.0.1:PORT`, where `/livez`, `/readyz` and `/metrics` are served.
    pub fn http_address(&self) -> &str {
        &self.http_address
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn log(&self) -> &Path {
        self.process.log()
    }

    /// The last lines of the log.
    pub fn log_tail(&self) -> String {
        self.process.log_tail()
    }

    /// SIGSTOP: it stands still, and knows nothing of it afterwards.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.process.resume();
    }

    /// SIGKILL, as a lost node would.
    pub fn kill(mut self) {
        self.process.kill();
    }

    /// SIGTERM, as Kubernetes ends a pod; gives the exit status.
    pub fn terminate(mut self) -> Result<ExitStatus> {
        self.process.terminate()
    }
}
