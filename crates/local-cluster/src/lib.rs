//! A real Kubernetes control plane (etcd, kube-apiserver, kube-controller-manager), the AWS sandbox and the operator,
//! each a child process that ends with its owner: when the value is dropped, when a test panics, and when the whole
//! test process is killed. Used by the end-to-end tests, the demonstration, the benchmark
//! and the soak.

mod chart;
mod child;
mod command;
mod control_plane;
mod error;
mod operator;
mod ports;
mod programs;
mod sandbox;
mod waiting;
mod watchdog;
mod workdir;

pub use chart::{INSTALL, RELEASE, install_chart, install_chart_with};
pub use command::Tool;
pub use control_plane::ControlPlane;
pub use error::{Error, Result};
pub use operator::{OperatorProcess, OperatorSettings};
pub use programs::{cargo_binary, repository, tool};
pub use sandbox::SandboxProcess;
pub use waiting::wait_until;
