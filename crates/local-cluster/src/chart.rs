use std::path::PathBuf;

use crate::{ControlPlane, Result};

/// The release and the namespace of the operator's chart, and so the name of its `ServiceAccount`.
pub const RELEASE: &str = "bedrock-access";

/// The words after `helm` that install the chart; commands run in the repository's root folder.
pub const INSTALL: [&str; 6] =
    ["install", RELEASE, "charts/bedrock-access", "--namespace", RELEASE, "--create-namespace"];

/// Installs the operator's chart and gives the kubeconfig of its `ServiceAccount`. No pod runs: there is no node.
pub fn install_chart(cluster: &ControlPlane) -> Result<PathBuf> {
    install_chart_with(cluster, &[])
}

/// Like [`install_chart`], with settings such as `--set=clusterId=test`.
pub fn install_chart_with(cluster: &ControlPlane, settings: &[&str]) -> Result<PathBuf> {
    cluster.helm()?.run(INSTALL.iter().chain(settings))?;
    cluster.service_account_kubeconfig(RELEASE, RELEASE)
}
