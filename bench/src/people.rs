//! People who create an object each, while the operator is busy with others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use aws_sdk_iam::types::Tag;
use bedrock_access_api::v1alpha1::BedrockAccess;
use futures::TryStreamExt;
use kube::Api;
use kube::ResourceExt;
use kube::api::{PostParams, WatchEvent, WatchParams};
use local_cluster::SandboxProcess;
use tokio::task::JoinSet;

use crate::comparison::Scene;
use crate::objects::is_ready;
use crate::{Outcome, fleet};

const LABEL: &str = "bench.example.com/people";

/// Whom a role trusts is nothing to the operator.
const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;

/// For the last of them, once the others' work is done.
const LIMIT: Duration = Duration::from_mins(2);

const PAUSE: Duration = Duration::from_millis(20);

/// How they come.
#[derive(Clone, Copy)]
pub(crate) struct People {
    /// Where.
    pub(crate) namespace: &'static str,
    /// Part of their objects' names.
    pub(crate) when: &'static str,
    /// From one to the next, whether or not the one before is served.
    pub(crate) pace: Duration,
    pub(crate) at_least: usize,
}

type Moments = Arc<Mutex<BTreeMap<String, Instant>>>;

impl People {
    /// Seconds from sending each object until a watch shows it Ready, of those who come while the work is done.
    pub(crate) fn come_while<T>(
        self,
        scene: &Scene,
        work: impl FnOnce() -> Outcome<T>,
    ) -> Outcome<(T, Vec<f64>)> {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let coming = scope.spawn(|| {
                scene.stage.runtime.block_on(self.come(
                    &Api::namespaced(scene.stage.admin.clone(), self.namespace),
                    &scene.sandbox,
                    &is_over,
                ))
            });
            let done = work();
            is_over.store(true, Ordering::Relaxed);
            let waited = coming.join().map_err(|_| "the people broke off")?;
            Ok((done?, waited?))
        })
    }

    async fn come(
        self,
        objects: &Api<BedrockAccess>,
        sandbox: &SandboxProcess,
        is_over: &AtomicBool,
    ) -> Result<Vec<f64>, String> {
        let (sent, seen) = (Moments::default(), Moments::default());
        let watching = tokio::spawn(watch(objects.clone(), self.when, Arc::clone(&seen)));
        let mut creating = JoinSet::new();
        let mut next = tokio::time::interval(self.pace);
        let mut came = 0;
        while came < self.at_least || !is_over.load(Ordering::Relaxed) {
            next.tick().await;
            let name = format!("{}-{came:03}", self.when);
            creating.spawn(self.create(objects.clone(), sandbox.iam(), name, Arc::clone(&sent)));
            came += 1;
        }
        while let Some(created) = creating.join_next().await {
            created.map_err(|error| error.to_string())??;
        }
        let deadline = Instant::now() + LIMIT;
        while lock(&seen).len() < came && Instant::now() < deadline && !watching.is_finished() {
            tokio::time::sleep(PAUSE).await;
        }
        watching.abort();
        let (sent, seen) = (lock(&sent), lock(&seen));
        let waited = sent.iter().map(|(name, sent)| {
            let ready = seen.get(name).ok_or_else(|| format!("{name} did not become Ready"))?;
            Ok(ready.duration_since(*sent).as_secs_f64())
        });
        waited.collect()
    }

    async fn create(
        self,
        objects: Api<BedrockAccess>,
        iam: aws_sdk_iam::Client,
        name: String,
        sent: Moments,
    ) -> Result<(), String> {
        let tag = Tag::builder().key("bedrockaccess.io/namespaces").value("@any").build();
        let tag = tag.map_err(|error| error.to_string())?;
        let role = iam.create_role().role_name(&name).assume_role_policy_document(TRUST).tags(tag);
        role.send().await.map_err(|error| format!("CreateRole of {name}: {error:?}"))?;
        let manifests = fleet::manifests(std::iter::once(name.clone())).map_err(|error| error.to_string())?;
        for mut object in manifests {
            object.metadata.namespace = Some(self.namespace.to_owned());
            object.labels_mut().insert(LABEL.to_owned(), self.when.to_owned());
            lock(&sent).insert(name.clone(), Instant::now());
            objects.create(&PostParams::default(), &object).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// Until it is aborted, or the watch breaks.
async fn watch(objects: Api<BedrockAccess>, when: &str, seen: Moments) -> Result<(), kube::Error> {
    let of_people = WatchParams::default().labels(&format!("{LABEL}={when}"));
    let mut changes = Box::pin(objects.watch(&of_people, "0").await?);
    while let Some(change) = changes.try_next().await? {
        if let WatchEvent::Added(object) | WatchEvent::Modified(object) = change
            && is_ready(&object)
        {
            lock(&seen).entry(object.name_any()).or_insert_with(Instant::now);
        }
    }
    Ok(())
}

fn lock(moments: &Moments) -> std::sync::MutexGuard<'_, BTreeMap<String, Instant>> {
    moments.lock().unwrap_or_else(PoisonError::into_inner)
}
