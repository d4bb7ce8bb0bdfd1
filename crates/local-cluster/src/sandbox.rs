use std::fs;
use std::process::Command;
use std::time::Duration;

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use serde_json::Value;

use crate::child::ChildProcess;
use crate::workdir::Workdir;
use crate::{Error, Result, cargo_binary};

const LIMIT_TO_START: Duration = Duration::from_secs(20);

const LONGEST_ANSWER: u64 = 1 << 30;

/// The AWS sandbox: IAM, STS and Bedrock's control plane on one local address, in memory.
#[derive(Debug)]
pub struct SandboxProcess {
    endpoint: String,
    _process: ChildProcess,
    _dir: Workdir,
}

impl SandboxProcess {
    /// The account that every sandbox plays.
    pub const ACCOUNT: &str = "111122223333";
    /// The Region that clients of the sandbox are set to.
    pub const REGION: &str = "us-east-1";
    /// Access key id and secret: any value will do, the sandbox checks no signature.
    pub const CREDENTIALS: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "not-a-secret");

    /// Starts it with what `seed` holds: `{"roles": [{"name": …, "tags": {…}}]}` and more, see the sandbox's `Seed`.
    pub fn start(seed: &Value) -> Result<Self> {
        let dir = Workdir::new("aws-sandbox")?;
        let seed = dir.write("seed.json", &seed.to_string())?;
        let port_file = dir.join("port");
        let mut command = Command::new(cargo_binary("aws-sandbox")?);
        command.args(["--listen", "127.0.0.1:0", "--account", Self::ACCOUNT]);
        command.arg("--seed").arg(seed).arg("--port-file").arg(&port_file);
        let mut process = ChildProcess::start("aws-sandbox", command, dir.join("aws-sandbox.log"))?;
        let port: u16 = process.wait_ready(LIMIT_TO_START, || {
            let written = fs::read_to_string(&port_file).map_err(|error| error.to_string())?;
            written.trim().parse().map_err(|_| format!("the port file holds {written:?}"))
        })?;
        Ok(Self { endpoint: format!("http://127.0.0.1:{port}"), _process: process, _dir: dir })
    }

    /// What `AWS_ENDPOINT_URL` is set to.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A client of the sandbox's IAM.
    pub fn iam(&self) -> aws_sdk_iam::Client {
        let (id, secret) = Self::CREDENTIALS;
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(Region::from_static(Self::REGION))
            .credentials_provider(Credentials::new(id, secret, None, None, "sandbox"))
            .build();
        aws_sdk_iam::Client::from_conf(config)
    }

    /// Arms a fault: `{"kind": "Hang", "operation": "GetRole", "times": 1}` and more, see the sandbox's `Fault`.
    pub fn fault(&self, fault: &Value) -> Result<()> {
        let address = self.admin("faults");
        let answer = ureq::post(&address).send_json(fault).map(drop);
        answer.map_err(|error| Error::Unexpected { what: address, text: error.to_string() })
    }

    /// Sets what the sandbox holds or how it behaves: `path` as in `reads`, below `/_sandbox/`.
    pub fn set(&self, path: &str, value: &Value) -> Result<()> {
        let address = self.admin(path);
        let answer = ureq::put(&address).send_json(value).map(drop);
        answer.map_err(|error| Error::Unexpected { what: address, text: error.to_string() })
    }

    /// Undoes a setting or removes a thing: `path` as in `reads`, below `/_sandbox/`.
    pub fn clear(&self, path: &str) -> Result<()> {
        let address = self.admin(path);
        let answer = ureq::delete(&address).call().map(drop);
        answer.map_err(|error| Error::Unexpected { what: address, text: error.to_string() })
    }

    /// Asks the sandbox itself, outside of AWS's own interface: `path` as in `calls`, below `/_sandbox/`.
    pub fn inspect(&self, path: &str) -> Result<Value> {
        let address = self.admin(path);
        let answer = ureq::get(&address).call().and_then(|mut answer| {
            // The log of a long run is larger than what is read without a limit of one's own.
            answer.body_mut().with_config().limit(LONGEST_ANSWER).read_json()
        });
        answer.map_err(|error| Error::Unexpected { what: address, text: error.to_string() })
    }

    fn admin(&self, path: &str) -> String {
        format!("{}/_sandbox/{path}", self.endpoint)
    }
}
