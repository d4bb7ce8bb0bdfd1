//! The line over which every request of the operator goes: it counts, delays, and fails them.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// The longest time that a request or its answer is under way.
const LONGEST_WAY: u64 = 20;

/// Hardly any test needs more requests: what sends more is a hot loop, and would go on for ever under the paused clock.
const MOST_REQUESTS: usize = 4_000;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// `list`, `watch`, `get`, `finalizer`, `status`, `event`, of the record `read`, `note` and `part`, or the
    /// AWS operation.
    pub(crate) kind: String,
    /// The namespace, or the Region; empty where there is none.
    pub(crate) place: String,
}

impl Call {
    pub(crate) fn new(kind: &str, place: &str) -> Self {
        Self { kind: kind.to_owned(), place: place.to_owned() }
    }

    /// Whether it is meant to change something.
    pub(crate) fn is_write(&self) -> bool {
        const WRITES: [&str; 7] =
            ["finalizer", "status", "event", "note", "part", "PutRolePolicy", "DeleteRolePolicy"];
        WRITES.contains(&self.kind.as_str())
    }
}

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection; nothing is done.
    Refused,
    /// Never answered; nothing is done.
    Hang,
    /// Done, and answered only after three seconds. Only for AWS.
    Slow,
    /// Done, and then the connection is closed without an answer.
    LostReply,
    /// Done, and then the connection is closed in the middle of the answer.
    Truncated,
    /// Done, and what is answered is unreadable.
    Malformed,
    /// Answered by an error of this HTTP status; nothing is done.
    Status(u16),
    /// Answered by the service's own throttling error; nothing is done. Only for AWS.
    Throttled,
    /// Answered by the service's own access error; nothing is done. Only for AWS.
    Denied,
    /// The code that sends it panics; nothing is done. Only for AWS.
    Panic,
}

/// Where the operator dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The server never saw the request.
    BeforeApplied,
    /// The server did what was asked; nobody is there to hear of it.
    ReplyLost,
}

/// What the server has to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    Serve,
    Fail(Failure),
    Die(Crash),
}

type Matches = Box<dyn Fn(&Call) -> bool + Send>;

/// Clones are the same line.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    died: Notify,
}

struct State {
    rng: fastrand::Rng,
    sent: Vec<(Instant, Call)>,
    failing: Option<(Matches, Failure)>,
    dying: Option<(usize, Crash)>,
    most: usize,
}

impl Wire {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        let state = State { rng, sent: Vec::new(), failing: None, dying: None, most: MOST_REQUESTS };
        Self(Arc::new(Shared { state: Mutex::new(state), died: Notify::new() }))
    }

    /// The requests so far, with their times.
    pub(crate) fn sent(&self) -> Vec<(Instant, Call)> {
        self.state().sent.clone()
    }

    /// How many requests there were, watches not counted.
    pub(crate) fn count(&self) -> usize {
        self.state().sent.iter().filter(|(_, call)| call.kind != "watch").count()
    }

    /// So many requests may be needed.
    pub(crate) fn expect(&self, most: usize) {
        self.state().most = most;
    }

    /// Lets every matching request fail from now on.
    pub(crate) fn fail(&self, matches: impl Fn(&Call) -> bool + Send + 'static, failure: Failure) {
        self.state().failing = Some((Box::new(matches), failure));
    }

    /// Ends the fault.
    pub(crate) fn heal(&self) {
        self.state().failing = None;
    }

    /// Lets the operator die at the `number`th request from now on, the first being 1.
    pub(crate) fn die_at(&self, number: usize, crash: Crash) {
        let mut state = self.state();
        let at = state.sent.len() + number;
        state.dying = Some((at, crash));
    }

    /// Ends when the request has come at which the operator dies.
    pub(crate) async fn death(&self) {
        self.0.died.notified().await;
    }

    /// A request sets out: after its way it is counted, and it is decided what becomes of it.
    pub(crate) async fn send(&self, call: Call) -> Treatment {
        self.travel().await;
        let mut state = self.state();
        state.sent.push((Instant::now(), call.clone()));
        if state.sent.len() > state.most {
            return Treatment::Fail(Failure::Hang);
        }
        if let Some((at, crash)) = state.dying
            && at == state.sent.len()
        {
            state.dying = None;
            return Treatment::Die(crash);
        }
        match &state.failing {
            Some((matches, failure)) if matches(&call) => Treatment::Fail(*failure),
            _ => Treatment::Serve,
        }
    }

    /// The way of a request or of its answer.
    pub(crate) async fn travel(&self) {
        let way = self.state().rng.u64(1..=LONGEST_WAY);
        sleep(Duration::from_millis(way)).await;
    }

    /// The operator is dead: it hears of nothing any more.
    pub(crate) async fn die<T>(&self) -> T {
        self.0.died.notify_one();
        std::future::pending().await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }
}
