use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use local_cluster::SandboxProcess;
use serde_json::Value;

use crate::Outcome;

/// What was asked of AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    by_operation: BTreeMap<String, u64>,
    iam: u64,
    most_about_a_role: u64,
    /// (source Region, profile) pairs.
    asked: BTreeSet<(String, String)>,
}

/// Every call that reached the sandbox, oldest first.
pub(crate) fn log(sandbox: &SandboxProcess) -> Outcome<Vec<Value>> {
    let calls = sandbox.inspect("calls")?;
    Ok(calls.as_array().cloned().unwrap_or_default())
}

/// When the first call of `operation` was seen in the log.
pub(crate) fn wait_for(
    sandbox: &SandboxProcess,
    operation: &str,
    limit: Duration,
) -> Result<Instant, String> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        let calls = log(sandbox).map_err(|error| error.to_string())?;
        if calls.iter().any(|call| call["operation"] == operation) {
            return Ok(Instant::now());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(format!("no {operation} reached the sandbox within {} s", limit.as_secs()))
}

impl Calls {
    pub(crate) fn of(log: &[Value]) -> Self {
        let mut calls = Self::default();
        let mut per_role = BTreeMap::<&str, u64>::new();
        for call in log {
            let text = |field: &str| call[field].as_str().unwrap_or_default();
            *calls.by_operation.entry(text("operation").to_owned()).or_default() += 1;
            if text("service") == "iam" {
                calls.iam += 1;
                if !text("target").is_empty() {
                    *per_role.entry(text("target")).or_default() += 1;
                }
            } else if text("operation") == "GetInferenceProfile" {
                calls.asked.insert((text("region").to_owned(), text("target").to_owned()));
            }
        }
        calls.most_about_a_role = per_role.into_values().max().unwrap_or_default();
        calls
    }

    pub(crate) fn by_operation(&self) -> &BTreeMap<String, u64> {
        &self.by_operation
    }

    pub(crate) fn total(&self) -> u64 {
        self.by_operation.values().sum()
    }

    /// Calls of IAM.
    pub(crate) fn iam(&self) -> u64 {
        self.iam
    }

    /// The most IAM calls about one role.
    pub(crate) fn most_about_a_role(&self) -> u64 {
        self.most_about_a_role
    }

    /// GetInferenceProfile calls; fails when they are not about these pairs.
    pub(crate) fn questions(&self, pairs: &BTreeSet<(String, String)>) -> Outcome<u64> {
        if self.asked != *pairs {
            return Err(format!("Bedrock was asked about {:?} instead of {pairs:?}", self.asked).into());
        }
        Ok(self.by_operation.get("GetInferenceProfile").copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_are_counted_by_operation_and_by_role() {
        let iam =
            |operation: &str, role: Value| json!({"service": "iam", "operation": operation, "target": role});
        let calls = Calls::of(&[
            iam("GetRole", json!("a")),
            iam("PutRolePolicy", json!("a")),
            iam("GetRole", json!("b")),
            iam("GetAccountAuthorizationDetails", Value::Null),
            json!({"service": "bedrock", "operation": "GetInferenceProfile", "region": "r", "target": "p"}),
        ]);
        assert_eq!((calls.total(), calls.iam(), calls.most_about_a_role()), (5, 4, 2));
        assert_eq!(calls.by_operation()["GetRole"], 2);
        let pairs = BTreeSet::from([("r".to_owned(), "p".to_owned())]);
        assert_eq!(calls.questions(&pairs).unwrap(), 1);
        assert!(calls.questions(&BTreeSet::new()).is_err());
    }
}
