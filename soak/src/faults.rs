use fastrand::Rng;
use local_cluster::SandboxProcess;
use serde_json::{Value, json};

use crate::fleet::{self, one_in};
use crate::stage::OPERATORS_REGIONS;
use crate::{Counts, Outcome, count};

const KINDS: [&str; 10] = [
    "Throttle",
    "Internal",
    "Unavailable",
    "AccessDenied",
    "Reset",
    "Hang",
    "HangAfter",
    "LostReply",
    "TruncatedBody",
    "MalformedBody",
];

/// Kinds that end the call at once, so that an outage of many calls is over when it is cleared.
const OUTAGES: [&str; 4] = ["Throttle", "Unavailable", "AccessDenied", "Reset"];

const IAM: [&str; 5] =
    ["GetRole", "GetRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "GetAccountAuthorizationDetails"];

const BEDROCK: [&str; 4] =
    ["GetInferenceProfile", "GetFoundationModel", "ListInferenceProfiles", "ListTagsForResource"];

/// What goes wrong in AWS for the operators; nobody else is struck.
#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) counts: Counts,
}

impl Faults {
    /// Some calls of one operation fail.
    pub(crate) fn strike(&mut self, sandbox: &SandboxProcess, rng: &mut Rng) -> Outcome<()> {
        let kind = pick(rng, &KINDS);
        let mut fault = json!({"kind": kind, "times": rng.u32(1..=6), "skip": rng.u32(0..4)});
        match rng.u8(0..10) {
            0 => set(&mut fault, &[("service", "sts"), ("region", pick(rng, &OPERATORS_REGIONS))]),
            1..=3 => set(&mut fault, &[("service", "bedrock"), ("operation", pick(rng, &BEDROCK))]),
            _ => {
                let region = pick(rng, &OPERATORS_REGIONS);
                set(&mut fault, &[("service", "iam"), ("operation", pick(rng, &IAM)), ("region", region)]);
                if one_in(rng, 3) {
                    set(&mut fault, &[("target", &fleet::any(rng).role())]);
                }
            }
        }
        self.arm(sandbox, &fault)
    }

    /// A whole service fails until the faults are cleared.
    pub(crate) fn break_out(&mut self, sandbox: &SandboxProcess, rng: &mut Rng) -> Outcome<()> {
        let kind = pick(rng, &OUTAGES);
        if one_in(rng, 2) {
            return self.arm(sandbox, &json!({"kind": kind, "service": "bedrock"}));
        }
        for region in OPERATORS_REGIONS {
            self.arm(sandbox, &json!({"kind": kind, "service": "iam", "region": region}))?;
        }
        Ok(())
    }

    /// IAM's reads lag its writes from now on, or flap, or no longer do.
    pub(crate) fn bend_reads(&mut self, sandbox: &SandboxProcess, rng: &mut Rng) -> Outcome<()> {
        let lag = rng.u64(500..4000);
        match rng.u8(0..3) {
            0 => sandbox.clear("reads")?,
            1 => sandbox.set("reads", &json!({"lagMilliseconds": lag}))?,
            _ => sandbox.set("reads", &json!({"lagMilliseconds": lag, "flappingSeed": rng.u32(..)}))?,
        }
        count(&mut self.counts, "reads bent", 1);
        Ok(())
    }

    fn arm(&mut self, sandbox: &SandboxProcess, fault: &Value) -> Outcome<()> {
        sandbox.fault(fault)?;
        count(&mut self.counts, fault["kind"].as_str().unwrap_or_default(), 1);
        Ok(())
    }
}

fn set(fault: &mut Value, fields: &[(&str, &str)]) {
    for (field, value) in fields {
        fault[*field] = Value::from(*value);
    }
}

pub(crate) fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(0..from.len())]
}
