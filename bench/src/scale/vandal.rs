//! Someone who deletes policies of the operator.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::comparison::Scene;
use crate::{Outcome, fleet};

pub(super) const DELETED: usize = 50;

const LIMIT: Duration = Duration::from_mins(5);

const PAUSE: Duration = Duration::from_millis(250);

/// Deletes some, evenly spread over all roles, and gives the seconds from the last deletion until all are back.
pub(super) fn delete(scene: &Scene, objects: usize) -> Outcome<f64> {
    let mut bare: Vec<String> = fleet::role_names(objects).step_by(objects / DELETED).collect();
    let iam = scene.sandbox.iam();
    for role in &bare {
        let policy = last_change(scene, role)?["policy"].as_str().unwrap_or_default().to_owned();
        let deletion = iam.delete_role_policy().role_name(role).policy_name(policy).send();
        scene.stage.runtime.block_on(deletion).map_err(|_| format!("DeleteRolePolicy of {role} failed"))?;
    }
    let deleted = Instant::now();
    while deleted.elapsed() < LIMIT {
        let mut left = Vec::new();
        for role in bare {
            if last_change(scene, &role)?["document"] == Value::Null {
                left.push(role);
            }
        }
        if left.is_empty() {
            return Ok(deleted.elapsed().as_secs_f64());
        }
        bare = left;
        thread::sleep(PAUSE);
    }
    Err(format!("the policies of {bare:?} did not come back").into())
}

fn last_change(scene: &Scene, role: &str) -> Outcome<Value> {
    let history = scene.sandbox.inspect(&format!("history/{role}"))?;
    Ok(history.as_array().and_then(|changes| changes.last().cloned()).unwrap_or_default())
}
