use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use local_cluster::SandboxProcess;
use serde_json::Value;

use crate::Outcome;

/// What a run asked of AWS.
pub(crate) struct Calls {
    /// The most IAM calls about one role.
    pub(crate) most_iam_calls: f64,
    /// GetInferenceProfile calls in all.
    pub(crate) questions: f64,
}

/// Every call that reached the sandbox, oldest first.
pub(crate) fn log(sandbox: &SandboxProcess) -> Outcome<Vec<Value>> {
    let calls = sandbox.inspect("calls")?;
    Ok(calls.as_array().cloned().unwrap_or_default())
}

/// When the first call of `operation` after the first `before` calls was seen.
pub(crate) fn wait_for(
    sandbox: &SandboxProcess,
    before: usize,
    operation: &str,
    limit: Duration,
) -> Result<Instant, String> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        let calls = log(sandbox).map_err(|error| error.to_string())?;
        if calls.iter().skip(before).any(|call| call["operation"] == operation) {
            return Ok(Instant::now());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(format!("no {operation} reached the sandbox within {} s", limit.as_secs()))
}

impl Calls {
    /// Fails when the questions are not about these (source Region, profile) pairs.
    pub(crate) fn of(log: &[Value], pairs: &BTreeSet<(String, String)>) -> Outcome<Self> {
        let mut per_role = BTreeMap::<&str, u32>::new();
        let mut asked = BTreeSet::new();
        let mut questions = 0;
        for call in log {
            let target = call["target"].as_str().unwrap_or_default();
            match (call["service"].as_str(), call["operation"].as_str()) {
                (Some("iam"), _) => *per_role.entry(target).or_default() += 1,
                (_, Some("GetInferenceProfile")) => {
                    questions += 1;
                    let region = call["region"].as_str().unwrap_or_default();
                    asked.insert((region.to_owned(), target.to_owned()));
                }
                _ => {}
            }
        }
        if asked != *pairs {
            return Err(format!("Bedrock was asked about {asked:?} instead of {pairs:?}").into());
        }
        let most = per_role.values().max().copied().unwrap_or_default();
        Ok(Self { most_iam_calls: f64::from(most), questions: f64::from(questions) })
    }
}
