use std::path::PathBuf;

use crate::{ControlPlane, Result};

/// The release and the namespace of the operator's chart, and so the name of its `ServiceAccount`.
pub const RELEASE: &str = "bedrock-access";

/// The words after `helm` that install the chart; commands run in the repository's root folder.
pub const INSTALL: [&str; 6] =
    ["install", RELEASE, "charts/bedrock-access", "--namespace", RELEASE, "--create-namespace"];

/// Installs the operator's chart and gives the kubeconfig of its `ServiceAccount`. No pod runs: there is no node.
pub fn install_chart(cluster: &ControlPlane) -> Result<PathBuf> {
    cluster.helm()?.run(INSTALL)?;
    cluster.service_account_kubeconfig(RELEASE, RELEASE)
}
