use local_cluster::{Error, Result, SandboxProcess, repository};
use tokio::signal::unix::{SignalKind, signal};

use crate::narration::{heading, say};
use crate::stage::{ROLE, Stage, TEAM};

/// Prints how to use what runs, and waits for an interrupt.
pub(crate) async fn until_interrupted(stage: &Stage) -> Result<()> {
    let (id, secret) = SandboxProcess::CREDENTIALS;
    heading("KEEP=1: everything stays up until Ctrl-C");
    say("\nIn another terminal, for kubectl:\n");
    say(&format!("  export PATH=\"{}:$PATH\"", repository().join(".tools/bin").display()));
    say(&format!("  export KUBECONFIG={}", stage.cluster.kubeconfig().display()));
    say(&format!("  kubectl apply -n {TEAM} -f examples/assistant.yaml"));
    say(&format!("  kubectl get bedrockaccess -n {TEAM} --watch"));
    say("\nand for the AWS CLI or any AWS SDK:\n");
    say(&format!("  export AWS_ENDPOINT_URL={}", stage.sandbox.endpoint()));
    say(&format!("  export AWS_REGION={0} AWS_DEFAULT_REGION={0}", SandboxProcess::REGION));
    say(&format!("  export AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}"));
    say(&format!("  aws iam list-role-policies --role-name {ROLE}"));
    say(&format!("\nThe operator's log: {}", stage.operator.log().display()));
    say(&format!("Its metrics: http://{}/metrics", stage.operator.http_address()));
    say(&format!("Every call that reached the sandbox: {}/_sandbox/calls", stage.sandbox.endpoint()));
    say_how_to_use_a_real_account();
    let cannot_wait = |source| Error::Io { what: "cannot wait for a signal".to_owned(), source };
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot_wait)?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(cannot_wait)?,
        _ = terminate.recv() => {}
    }
    say("\nEverything ends now.");
    Ok(())
}

pub(crate) fn say_how_to_use_a_real_account() {
    say("\nWith a real AWS account: without AWS_ENDPOINT_URL the operator talks to AWS itself, with the");
    say(
        "usual credentials (AWS_PROFILE, EKS Pod Identity, IRSA). Where the chart is installed, scale its Deployment",
    );
    say(
        "to 0 and `AWS_PROFILE=… bedrock-access run` takes its turn by the same lease, to serve the cluster from",
    );
    say("here. The README says which IAM rights it needs.");
}
