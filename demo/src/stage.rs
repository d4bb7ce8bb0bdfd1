use std::ffi::OsString;
use std::time::Instant;

use local_cluster::{
    ControlPlane, INSTALL, OperatorProcess, OperatorSettings, RELEASE, Result, SandboxProcess, Tool,
};
use serde_json::json;

use crate::narration::{heading, run, say, typed};

pub(crate) const ROLE: &str = "assistant";
pub(crate) const TEAM: &str = "team-a";
const CONSENT: &str = "bedrockaccess.io/namespaces";

/// Everything that runs. Fields are dropped in this order: the operator first, so that it never misses the others.
pub(crate) struct Stage {
    pub(crate) operator: OperatorProcess,
    pub(crate) sandbox: SandboxProcess,
    pub(crate) kubectl: Tool,
    pub(crate) cluster: ControlPlane,
}

impl Stage {
    pub(crate) fn set() -> Result<Self> {
        say("bedrock-access keeps IAM policies in step with Amazon Bedrock's inference profiles.");
        say("This runs on your machine alone: no AWS account is used, and everything ends by itself.");

        heading("Kubernetes: a real control plane, without nodes");
        let started = Instant::now();
        let cluster = ControlPlane::start()?;
        say(&format!(
            "etcd, kube-apiserver and kube-controller-manager are ready after {:.1} s.",
            started.elapsed().as_secs_f64()
        ));

        let kubectl = cluster.kubectl()?;
        let words = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
        say("The cluster's id, by which roles tell it from other clusters:");
        run(&kubectl, "kubectl", &words)?;
        let consent = format!("{}/{TEAM}", kubectl.run(words)?);

        heading("AWS: a sandbox that answers as IAM, STS and Bedrock do");
        let sandbox = SandboxProcess::start(&json!({"roles": [
            {"name": ROLE, "tags": {CONSENT: consent}},
        ]}))?;
        say(&format!("AWS_ENDPOINT_URL={} in place of amazonaws.com.", sandbox.endpoint()));
        say(&format!(
            "It holds the role {ROLE}, whose owner has consented, for this cluster's namespace {TEAM}, by a tag:"
        ));
        typed(&format!("aws iam tag-role --role-name {ROLE} --tags Key={CONSENT},Value={consent}"));

        heading("The platform team installs the operator");
        run(&cluster.helm()?, "helm", &INSTALL)?;
        say(
            "\nThere is no node to run its pod, so the operator runs beside the cluster, with exactly the rights",
        );
        say(&format!("of the chart's ServiceAccount {RELEASE}:"));
        typed("bedrock-access run");
        let operator = OperatorProcess::start(&OperatorSettings {
            kubeconfig: cluster.service_account_kubeconfig(RELEASE, RELEASE)?,
            aws_endpoint: sandbox.endpoint().to_owned(),
            arguments: vec![OsString::from("--log-format=json")],
        })?;
        say(&format!("  /readyz answers; its log is {}", operator.log().display()));
        Ok(Self { operator, sandbox, kubectl, cluster })
    }
}
