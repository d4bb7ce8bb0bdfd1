//! The stage of the end-to-end tests: one control plane with the chart installed, one sandbox, one operator under the
//! chart's own rights. Each test gets a namespace and a role of its own.

use std::ffi::OsString;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use local_cluster::{
    ControlPlane, OperatorProcess, OperatorSettings, SandboxProcess, install_chart, wait_until,
};
use serde_json::json;

/// With a lease that is soon free again after the operator was killed.
const ARGUMENTS: [&str; 5] = [
    "--log-level=info",
    "--log-format=text",
    "--lease-duration=5s",
    "--lease-renew-deadline=4s",
    "--lease-retry-period=500ms",
];

pub(crate) struct World {
    pub(crate) cluster: ControlPlane,
    pub(crate) sandbox: SandboxProcess,
    settings: OperatorSettings,
    operator: Mutex<Option<OperatorProcess>>,
}

impl World {
    /// The world of all tests that disturb nobody.
    pub(crate) fn shared() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(|| Self::start(&[]))
    }

    /// A world for the tests that stop things, which take turns.
    pub(crate) fn for_interruptions() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(|| Self::start(&[]))
    }

    /// A world whose operator looks for orphans every few seconds.
    pub(crate) fn for_orphans() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(|| Self::start(&["--sweep-interval=3s", "--iam-lag=1s"]))
    }

    pub(crate) fn metrics(&self) -> String {
        self.operator().as_ref().unwrap().get("/metrics").unwrap()
    }

    pub(crate) fn start_operator(&self) {
        self.start_operator_with(&[]);
    }

    pub(crate) fn start_operator_with(&self, further: &[&str]) {
        *self.operator() = Some(OperatorProcess::start(&self.settings_with(further)).unwrap());
    }

    /// What the operator says before it ends by itself, having refused to run.
    pub(crate) fn refusal(&self, further: &[&str]) -> String {
        let settings = self.settings_with(further);
        let mut operator = OperatorProcess::launch_in(SandboxProcess::REGION, &settings).unwrap();
        wait_until("the operator to refuse", Duration::from_secs(30), || {
            operator.exit_status().map(drop).ok_or("it runs")
        })
        .unwrap();
        operator.log_tail()
    }

    fn settings_with(&self, further: &[&str]) -> OperatorSettings {
        let mut settings = self.settings.clone();
        settings.arguments.extend(further.iter().map(OsString::from));
        settings
    }

    /// SIGKILL: whatever it was doing stays half-done.
    pub(crate) fn kill_operator(&self) {
        self.take_operator().kill();
    }

    /// SIGTERM, as a node that is drained sends it: it ends by itself, with success.
    pub(crate) fn terminate_operator(&self) {
        let status = self.take_operator().terminate().unwrap();
        assert!(status.success(), "{status}");
    }

    pub(crate) fn operator_log(&self) -> String {
        self.operator().as_ref().map_or_else(|| "no operator runs".to_owned(), OperatorProcess::log_tail)
    }

    fn start(further: &[&str]) -> Self {
        let cluster = ControlPlane::start().unwrap();
        let sandbox = SandboxProcess::start(&json!({})).unwrap();
        let kubeconfig = install_chart(&cluster).unwrap();
        let settings = OperatorSettings {
            kubeconfig,
            aws_endpoint: sandbox.endpoint().to_owned(),
            arguments: ARGUMENTS.iter().chain(further).map(OsString::from).collect(),
        };
        let world = Self { cluster, sandbox, settings, operator: Mutex::default() };
        world.start_operator();
        world
    }

    fn take_operator(&self) -> OperatorProcess {
        self.operator().take().unwrap()
    }

    fn operator(&self) -> MutexGuard<'_, Option<OperatorProcess>> {
        self.operator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
