//! What Prometheus can scrape. Every label is one of a closed set, so the number of series is bounded.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bedrock_iam::{Class, Reason};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use crate::fairness::Urgency;

/// All metrics of the operator; clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<ReconcileLabels, Counter>,
    reconcile_seconds: Histogram,
    errors: Family<ErrorLabels, Counter>,
    aws_calls: Family<CallLabels, Counter>,
    aws_seconds: Family<OperationLabels, Histogram, fn() -> Histogram>,
    policy_writes: Family<WriteLabels, Counter>,
    findings: Family<FindingLabels, Counter>,
    watch_errors: Counter,
    lease_errors: Counter,
    leader: Gauge,
    orphaned_policies: Gauge,
    objects_at_rest: Gauge,
    queue_wait: Family<UrgencyLabels, Histogram, fn() -> Histogram>,
    queue_oldest_due: Gauge<f64, AtomicU64>,
    /// Since when it has been due; its age is told whenever it is asked for.
    oldest_due: Arc<Mutex<Option<Instant>>>,
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Ending {
    /// `Ready` is True.
    Ready,
    /// `Ready` is False or Unknown; the condition says why.
    NotReady,
    /// The object is suspended.
    Suspended,
    /// The object is being deleted, and our policy is gone.
    Removed,
    /// The outcome could not even be reported.
    Failed,
}

/// What kind of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// A failed call to AWS.
    Aws(Class),
    /// The Kubernetes API failed.
    Kubernetes,
    /// A reconcile took longer than its deadline.
    Deadline,
    /// The code panicked.
    Panic,
}

impl ErrorClass {
    fn as_str(self) -> &'static str {
        match self {
            Self::Aws(class) => class.as_str(),
            Self::Kubernetes => "Kubernetes",
            Self::Deadline => "Deadline",
            Self::Panic => "Panic",
        }
    }
}

/// A write to AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum PolicyWrite {
    /// A first policy.
    New,
    /// After a change of the manifest or of a route.
    Changed,
    /// Repaired drift.
    Drift,
    /// The policy was removed.
    Removed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    ending: Ending,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    class: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FindingLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    service: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    service: &'static str,
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UrgencyLabels {
    urgency: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    cause: PolicyWrite,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("bedrock_access");
        let reconciles = Family::default();
        let reconcile_seconds = latency();
        let errors = Family::default();
        let aws_calls = Family::default();
        let aws_seconds = Family::new_with_constructor(latency as fn() -> Histogram);
        let policy_writes = Family::default();
        let findings = Family::default();
        let watch_errors = Counter::default();
        let lease_errors = Counter::default();
        let leader = Gauge::default();
        let orphaned_policies = Gauge::default();
        let objects_at_rest = Gauge::default();
        let queue_wait = Family::new_with_constructor(wait as fn() -> Histogram);
        let queue_oldest_due = Gauge::default();
        registry.register("reconciles", "Reconciles by how they ended", reconciles.clone());
        registry.register_with_unit(
            "reconcile_duration",
            "How long a reconcile took",
            Unit::Seconds,
            reconcile_seconds.clone(),
        );
        registry.register("errors", "Errors by class", errors.clone());
        registry.register("aws_calls", "Calls to AWS by service, operation and outcome", aws_calls.clone());
        registry.register_with_unit(
            "aws_call_duration",
            "How long a call to AWS took, retries included",
            Unit::Seconds,
            aws_seconds.clone(),
        );
        registry.register("policy_writes", "Writes of inline policies by cause", policy_writes.clone());
        registry.register(
            "findings",
            "What stood against an object when it was reconciled, by reason such as ProfileShrunk",
            findings.clone(),
        );
        registry.register(
            "watch_errors",
            "Interruptions of the watch on BedrockAccess",
            watch_errors.clone(),
        );
        registry.register("lease_errors", "Requests about the lease that failed", lease_errors.clone());
        registry.register("leader", "1 while this instance holds the lease, else 0", leader.clone());
        registry.register(
            "objects_at_rest",
            "Objects that need no look of their own, by the last look at all roles of the account",
            objects_at_rest.clone(),
        );
        registry.register(
            "orphaned_policies",
            "Policies of the operator whose object is gone and that stay on their roles",
            orphaned_policies.clone(),
        );
        registry.register_with_unit(
            "queue_wait",
            "How long an object was due before it was worked on, by what asked for it",
            Unit::Seconds,
            queue_wait.clone(),
        );
        registry.register_with_unit(
            "queue_oldest_due",
            "For how long the object has been due that waits longest for a worker; 0 while none waits",
            Unit::Seconds,
            queue_oldest_due.clone(),
        );
        Self {
            registry: Arc::new(registry),
            reconciles,
            reconcile_seconds,
            errors,
            aws_calls,
            aws_seconds,
            policy_writes,
            findings,
            watch_errors,
            lease_errors,
            leader,
            orphaned_policies,
            objects_at_rest,
            queue_wait,
            queue_oldest_due,
            oldest_due: Arc::default(),
        }
    }
}

impl Metrics {
    /// The metrics in the OpenMetrics text format.
    pub fn to_text(&self) -> Result<String, std::fmt::Error> {
        let since = *self.oldest_due.lock().unwrap_or_else(PoisonError::into_inner);
        self.queue_oldest_due.set(since.map_or(0.0, |since| since.elapsed().as_secs_f64()));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Counts how a reconcile ended.
    pub fn reconciled(&self, ending: Ending) {
        self.reconciles.get_or_create(&ReconcileLabels { ending }).inc();
    }

    /// Measures a reconcile, however it ended.
    pub fn took(&self, time: Duration) {
        self.reconcile_seconds.observe(time.as_secs_f64());
    }

    /// Counts an error.
    pub fn failed(&self, class: ErrorClass) {
        self.errors.get_or_create(&ErrorLabels { class: class.as_str() }).inc();
    }

    /// Counts a call to AWS; a failed one by its class.
    pub fn called(
        &self,
        service: &'static str,
        operation: &'static str,
        failure: Option<Class>,
        took: Duration,
    ) {
        let outcome = failure.map_or("Ok", Class::as_str);
        // A role or profile that is not there is an answer, not an error.
        if let Some(class) = failure.filter(|class| *class != Class::NotFound) {
            self.failed(ErrorClass::Aws(class));
        }
        self.aws_calls.get_or_create(&CallLabels { service, operation, outcome }).inc();
        self.aws_seconds.get_or_create(&OperationLabels { service, operation }).observe(took.as_secs_f64());
    }

    /// Counts a write of a policy.
    pub fn wrote(&self, cause: PolicyWrite) {
        self.policy_writes.get_or_create(&WriteLabels { cause }).inc();
    }

    /// Counts what stands against an object.
    pub fn found(&self, reason: Reason) {
        self.findings.get_or_create(&FindingLabels { reason: reason.as_str() }).inc();
    }

    /// Another instance holds the lease, or nobody does yet.
    pub fn follows(&self) {
        self.leader.set(0);
        self.orphaned_policies.set(0);
        self.objects_at_rest.set(0);
        self.oldest_due(None);
    }

    /// This instance holds the lease.
    pub fn leads(&self) {
        self.leader.set(1);
    }

    /// Counts a request about the lease that failed.
    pub fn lease_failed(&self) {
        self.lease_errors.inc();
    }

    /// How many objects the last look at all roles showed at rest.
    pub(crate) fn at_rest(&self, objects: usize) {
        self.objects_at_rest.set(i64::try_from(objects).unwrap_or(i64::MAX));
    }

    /// How many policies are known to have outlived their object, and stay for now.
    pub fn orphaned(&self, policies: usize) {
        self.orphaned_policies.set(i64::try_from(policies).unwrap_or(i64::MAX));
    }

    /// Measures how long an object was due before it was worked on.
    pub(crate) fn waited(&self, urgency: Urgency, time: Duration) {
        let labels = UrgencyLabels { urgency: urgency.as_str() };
        self.queue_wait.get_or_create(&labels).observe(time.as_secs_f64());
    }

    /// Since when the object has been due that waits longest for a worker, if any waits.
    pub(crate) fn oldest_due(&self, since: Option<Instant>) {
        *self.oldest_due.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// Counts an interruption of the watch.
    pub fn watch_failed(&self) {
        self.watch_errors.inc();
    }
}

/// From 10 ms to 20 s, the time limit of a call.
fn latency() -> Histogram {
    Histogram::new([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0])
}

/// From what nobody notices to an interval.
fn wait() -> Histogram {
    Histogram::new([0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_appears_with_service_operation_outcome_and_latency() {
        let metrics = Metrics::default();
        metrics.called("iam", "GetRole", Some(Class::Throttled), Duration::from_millis(20));
        let text = metrics.to_text().unwrap();
        for line in [
            r#"bedrock_access_aws_calls_total{service="iam",operation="GetRole",outcome="Throttled"} 1"#,
            r#"bedrock_access_errors_total{class="Throttled"} 1"#,
            r#"bedrock_access_aws_call_duration_seconds_bucket{le="0.025",service="iam",operation="GetRole"} 1"#,
        ] {
            assert!(text.contains(line), "{line}\nis missing in\n{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_age_of_the_oldest_due_object_grows_by_itself() {
        let metrics = Metrics::default();
        let is_told = |age: &str| {
            let line = format!("bedrock_access_queue_oldest_due_seconds {age}\n");
            metrics.to_text().unwrap().contains(&line)
        };
        assert!(is_told("0.0"));
        metrics.oldest_due(Some(Instant::now()));
        tokio::time::advance(Duration::from_secs(90)).await;
        assert!(is_told("90.0"), "{}", metrics.to_text().unwrap());
        metrics.follows();
        assert!(is_told("0.0"));
    }
}
