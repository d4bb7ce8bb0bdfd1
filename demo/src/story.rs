use crate::aws;
use crate::narration::{heading, run, say};
use crate::stage::{ROLE, Stage, TEAM};

const CONDITIONS: &str =
    r#"--output=jsonpath={range .status.conditions[*]}{.type}={.status} ({.reason}): {.message}{"\n"}{end}"#;
const TYPO: &str = r#"--output=jsonpath={.status.conditions[?(@.type=="Ready")].message}"#;

type Outcome = Result<(), Box<dyn std::error::Error>>;

pub(crate) async fn tell(stage: &Stage) -> Outcome {
    an_application_team_asks(stage)?;
    let policy = what_the_role_got(stage).await?;
    someone_deletes_the_policy(stage, &policy).await?;
    a_second_manifest_has_a_typo(stage)?;
    the_team_is_done(stage).await
}

fn an_application_team_asks(stage: &Stage) -> Outcome {
    heading("An application team asks for a model");
    let kubectl = &stage.kubectl;
    run(kubectl, "kubectl", &["create", "namespace", TEAM])?;
    run(kubectl, "kubectl", &["apply", "-n", TEAM, "-f", "examples/assistant.yaml"])?;
    wait_ready(stage)?;
    run(kubectl, "kubectl", &["get", "bedrockaccess", "-n", TEAM])?;
    run(kubectl, "kubectl", &["get", "bedrockaccess", "assistant", "-n", TEAM, "-o", "yaml"])?;
    run(kubectl, "kubectl", &["get", "bedrockaccess", "assistant", "-n", TEAM, CONDITIONS])?;
    run(kubectl, "kubectl", &["events", "-n", TEAM, "--for=bedrockaccess/assistant"])?;
    Ok(())
}

/// Shows the policy and gives its name.
async fn what_the_role_got(stage: &Stage) -> Result<String, Box<dyn std::error::Error>> {
    heading("What the role has got");
    let names = aws::list_role_policies(stage, ROLE).await?;
    let name = names.first().ok_or("the role has no policy")?;
    aws::get_role_policy(stage, ROLE, name).await?;
    Ok(name.clone())
}

async fn someone_deletes_the_policy(stage: &Stage, policy: &str) -> Outcome {
    heading("Someone deletes the policy in AWS");
    aws::delete_role_policy(stage, ROLE, policy).await?;
    aws::list_role_policies(stage, ROLE).await?;
    say("\nThe operator looks by itself every 10 minutes. Who does not want to wait, asks:");
    let now = unix_seconds();
    let asked = format!("bedrockaccess.io/reconcile-at={now}");
    run(&stage.kubectl, "kubectl", &["annotate", "bedrockaccess", "assistant", "-n", TEAM, &asked])?;
    let handled = format!("--for=jsonpath={{.status.lastHandledReconcileAt}}={now}");
    run(
        &stage.kubectl,
        "kubectl",
        &["wait", "bedrockaccess/assistant", "-n", TEAM, &handled, "--timeout=60s"],
    )?;
    let names = aws::list_role_policies(stage, ROLE).await?;
    if names != [policy] {
        return Err(format!("the policy {policy} did not come back").into());
    }
    run(&stage.kubectl, "kubectl", &["events", "-n", TEAM, "--for=bedrockaccess/assistant"])?;
    Ok(())
}

fn a_second_manifest_has_a_typo(stage: &Stage) -> Outcome {
    heading("A second manifest has a typo");
    let kubectl = &stage.kubectl;
    run(kubectl, "kubectl", &["apply", "-n", TEAM, "-f", "examples/typo.yaml"])?;
    run(
        kubectl,
        "kubectl",
        &["wait", "bedrockaccess/typo", "-n", TEAM, "--for=condition=Stalled", "--timeout=60s"],
    )?;
    run(kubectl, "kubectl", &["get", "bedrockaccess", "-n", TEAM])?;
    run(kubectl, "kubectl", &["get", "bedrockaccess", "typo", "-n", TEAM, TYPO])?;
    Ok(())
}

async fn the_team_is_done(stage: &Stage) -> Outcome {
    heading("The team is done: the policies go with the manifests");
    run(
        &stage.kubectl,
        "kubectl",
        &["delete", "bedrockaccess", "assistant", "typo", "-n", TEAM, "--timeout=60s"],
    )?;
    let left = aws::list_role_policies(stage, ROLE).await?;
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("policies were left on the role: {}", left.join(", ")).into())
    }
}

fn wait_ready(stage: &Stage) -> Outcome {
    let words = ["wait", "bedrockaccess/assistant", "-n", TEAM, "--for=condition=Ready", "--timeout=60s"];
    Ok(run(&stage.kubectl, "kubectl", &words)?)
}

fn unix_seconds() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map(|now| now.as_secs()).unwrap_or_default()
}
