//! The binary where it cannot start: its log says why, down to the last cause.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Far longer than any start takes.
const LIMIT: Duration = Duration::from_mins(1);

struct Operator {
    process: Child,
    log: Receiver<String>,
}

impl Operator {
    /// Knows nothing but this kubeconfig, and an AWS that is not there either.
    fn start(kubeconfig: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bedrock-access"))
            .args(["run", "--http-address=127.0.0.1:0"])
            .args(arguments)
            .env_clear()
            .env("KUBECONFIG", kubeconfig)
            .env("AWS_ENDPOINT_URL", format!("http://{}", closed_port()))
            .envs([
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "any"),
                ("AWS_SECRET_ACCESS_KEY", "any"),
            ])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let (sender, log) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        Self { process, log }
    }

    /// The first line of the log that contains the words.
    fn says(&self, words: &str) -> String {
        let mut seen = Vec::new();
        while let Ok(line) = self.log.recv_timeout(LIMIT) {
            if line.contains(words) {
                return line;
            }
            seen.push(line);
        }
        panic!("it does not say {words:?} but {seen:#?}");
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address where nobody listens.
fn closed_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A kubeconfig for a cluster that is not there.
fn kubeconfig(directory: &Path) -> std::path::PathBuf {
    let path = directory.join("kubeconfig");
    let server = closed_port();
    let text = format!(
        "{{apiVersion: v1, kind: Config, current-context: c, contexts: [{{name: c, context: {{cluster: c, user: u}}}}], \
         clusters: [{{name: c, cluster: {{server: 'http://{server}'}}}}], users: [{{name: u, user: {{}}}}]}}"
    );
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_cluster_that_refuses_connections_is_told_by_that_cause_and_blames_no_right() {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = kubeconfig(directory.path());
    let operator = Operator::start(&kubeconfig, &[]);
    let line = operator.says("the Kubernetes API failed");
    assert!(line.contains("Connection refused"), "{line}");

    let operator = Operator::start(&kubeconfig, &["--lease-namespace=ours"]);
    let line = operator.says("the Lease bedrock-access in the namespace ours cannot be read");
    assert!(line.contains("Connection refused") && !line.contains("grant"), "{line}");
}

#[test]
fn a_kubeconfig_that_is_none_ends_it_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = directory.path().join("kubeconfig");
    std::fs::write(&kubeconfig, "contexts: 1").unwrap();
    let mut operator = Operator::start(&kubeconfig, &[]);
    let line = operator.says("the operator cannot run");
    assert!(line.contains("no usable kubeconfig, and not in a cluster: "), "{line}");
    assert!(line.contains("contexts") || line.contains("kubeconfig:"), "{line}");
    assert!(!operator.process.wait().unwrap().success());
}
