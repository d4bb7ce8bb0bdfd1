use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use aws_sdk_iam::Client;
use local_cluster::SandboxProcess;
use tokio::task::JoinSet;

use crate::fleet::{self, Fleet, OBJECTS, role_names};
use crate::{Outcome, progress};

/// The write that the operator sent for one object.
struct Write {
    role: String,
    policy: String,
    document: String,
}

/// How many seconds the operator's IAM requests take when nothing else is done: for each object GetRole, GetRolePolicy,
/// PutRolePolicy with the operator's document and GetRolePolicy, `concurrency` objects at once, to a fresh sandbox.
pub(crate) fn measure(fleet: &Fleet, concurrency: usize) -> Outcome<f64> {
    progress("sending the same IAM requests without any logic");
    let writes = role_names(OBJECTS).map(|role| write_of(&fleet.sandbox, role));
    let writes = Arc::new(writes.collect::<Outcome<Vec<Write>>>()?);
    let sandbox = fleet::sandbox()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let started = Instant::now();
    runtime.block_on(send_all(&sandbox.iam(), &writes, concurrency))?;
    Ok(started.elapsed().as_secs_f64())
}

fn write_of(sandbox: &SandboxProcess, role: String) -> Outcome<Write> {
    let history = sandbox.inspect(&format!("history/{role}"))?;
    let [change] = history.as_array().map_or(&[][..], Vec::as_slice) else {
        return Err(format!("role {role} was not written exactly once: {history}").into());
    };
    let text = |field: &str| change[field].as_str().unwrap_or_default().to_owned();
    Ok(Write { role, policy: text("policy"), document: text("document") })
}

async fn send_all(iam: &Client, writes: &Arc<Vec<Write>>, concurrency: usize) -> Result<(), String> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::<Result<(), String>>::new();
    for _ in 0..concurrency {
        let (iam, writes, next) = (iam.clone(), Arc::clone(writes), Arc::clone(&next));
        workers.spawn(async move {
            while let Some(write) = writes.get(next.fetch_add(1, Ordering::Relaxed)) {
                send(&iam, write).await?;
            }
            Ok(())
        });
    }
    while let Some(finished) = workers.join_next().await {
        finished.map_err(|error| error.to_string())??;
    }
    Ok(())
}

async fn send(iam: &Client, write: &Write) -> Result<(), String> {
    let read = || iam.get_role_policy().role_name(&write.role).policy_name(&write.policy);
    let failed = |operation: &str| format!("{operation} of role {} failed", write.role);
    iam.get_role().role_name(&write.role).send().await.map_err(|_| failed("GetRole"))?;
    let absent = read().send().await;
    if !absent.is_err_and(|error| error.into_service_error().is_no_such_entity_exception()) {
        return Err(format!("role {} already holds the policy", write.role));
    }
    let put = iam.put_role_policy().role_name(&write.role).policy_name(&write.policy);
    put.policy_document(&write.document).send().await.map_err(|_| failed("PutRolePolicy"))?;
    read().send().await.map_err(|_| failed("GetRolePolicy"))?;
    Ok(())
}
