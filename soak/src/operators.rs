use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use fastrand::Rng;
use local_cluster::{OperatorProcess, OperatorSettings, RELEASE};

use crate::memory::Memory;
use crate::stage::{OPERATORS_REGIONS, Stage};
use crate::{Counts, Outcome, count, fleet};

const FLAGS: [&str; 8] = [
    "--interval=1m",
    "--sweep-interval=20s",
    "--iam-lag=5s",
    "--iam-rate=200",
    "--bedrock-rate=200",
    "--lease-duration=5s",
    "--lease-renew-deadline=4s",
    "--lease-retry-period=500ms",
];

/// Longer than the lease, so that one who wakes up finds another leading.
const LONGEST_PAUSE: u64 = 9000;
const LONGEST_ABSENCE: u64 = 5000;
const ALL_ABSENT: Duration = Duration::from_millis(500);

/// By then a process that has just begun ends by SIGTERM as it wants to, and not as the kernel does.
const HANDLES_SIGNALS: Duration = Duration::from_secs(1);

enum Seat {
    Running(OperatorProcess),
    Paused(OperatorProcess, Instant),
    Empty(Instant),
}

/// Two operators that share a lease, and what happens to them.
pub(crate) struct Operators<'a> {
    stage: &'a Stage,
    settings: OperatorSettings,
    seats: [Seat; 2],
    saved: u32,
    launched: Instant,
    pub(crate) slowest_end: Duration,
    pub(crate) memory: Memory,
    pub(crate) counts: Counts,
    pub(crate) problems: Vec<String>,
}

impl<'a> Operators<'a> {
    pub(crate) fn start(stage: &'a Stage) -> Outcome<Self> {
        let mut arguments: Vec<_> = FLAGS.map(Into::into).to_vec();
        arguments.push(format!("--cluster-id={}", fleet::CLUSTER_ID).into());
        // A pod knows its namespace; whoever runs elsewhere finds it by a right that an API server which has just started denies.
        arguments.push(format!("--lease-namespace={RELEASE}").into());
        let aws_endpoint = stage.sandbox.endpoint().to_owned();
        let settings = OperatorSettings { kubeconfig: stage.kubeconfig.clone(), aws_endpoint, arguments };
        let empty = || Seat::Empty(Instant::now());
        let mut operators = Self {
            stage,
            settings,
            seats: [empty(), empty()],
            saved: 0,
            launched: Instant::now(),
            slowest_end: Duration::ZERO,
            memory: Memory::default(),
            counts: Counts::new(),
            problems: Vec::new(),
        };
        operators.all_back()?;
        Ok(operators)
    }

    /// Resumes and starts whatever is due.
    pub(crate) fn tick(&mut self) -> Outcome<()> {
        let now = Instant::now();
        for index in 0..self.seats.len() {
            let seat = std::mem::replace(&mut self.seats[index], Seat::Empty(now));
            self.seats[index] = match seat {
                Seat::Paused(operator, until) if now >= until => {
                    operator.resume();
                    Seat::Running(operator)
                }
                Seat::Empty(until) if now >= until => Seat::Running(self.launch(index)?),
                Seat::Running(mut operator) => match operator.exit_status() {
                    None => Seat::Running(operator),
                    Some(status) => {
                        self.problems.push(format!(
                            "an operator ended by itself with {status}; its log ends with:\n{}",
                            operator.log_tail()
                        ));
                        self.save(File::open(operator.log())?)?;
                        Seat::Empty(now)
                    }
                },
                waiting => waiting,
            };
        }
        Ok(())
    }

    /// SIGKILL or SIGTERM for one that runs.
    pub(crate) fn end_one(&mut self, rng: &mut Rng) -> Outcome<()> {
        let back = Instant::now() + Duration::from_millis(rng.u64(0..LONGEST_ABSENCE));
        let Some((index, operator)) = self.take_running(rng, back) else { return Ok(()) };
        self.memory.sample(index, &operator);
        if rng.bool() || self.age() < HANDLES_SIGNALS {
            count(&mut self.counts, "SIGKILL", 1);
            let log = File::open(operator.log())?;
            operator.kill();
            return self.save(log);
        }
        count(&mut self.counts, "SIGTERM", 1);
        let log = File::open(operator.log())?;
        let asked = Instant::now();
        let status = operator.terminate()?;
        self.slowest_end = self.slowest_end.max(asked.elapsed());
        if !status.success() {
            self.problems.push(format!("an operator ended with {status} after SIGTERM"));
        }
        self.save(log)
    }

    /// SIGSTOP for one that runs, and SIGCONT later.
    pub(crate) fn pause_one(&mut self, rng: &mut Rng) {
        let until = Instant::now() + Duration::from_millis(rng.u64(500..LONGEST_PAUSE));
        if let Some((index, operator)) = self.take_running(rng, until) {
            operator.pause();
            count(&mut self.counts, "SIGSTOP and SIGCONT", 1);
            self.seats[index] = Seat::Paused(operator, until);
        }
    }

    /// SIGSTOP for all that run, and SIGCONT soon: meanwhile nobody does an operator's work.
    pub(crate) fn pause_all(&mut self) {
        let until = Instant::now() + ALL_ABSENT;
        for seat in &mut self.seats {
            *seat = match std::mem::replace(seat, Seat::Empty(until)) {
                Seat::Running(operator) => {
                    operator.pause();
                    Seat::Paused(operator, until)
                }
                waiting => waiting,
            };
        }
        count(&mut self.counts, "SIGSTOP of both and SIGCONT", 1);
    }

    /// Resumes and starts both, whatever was to come.
    pub(crate) fn all_back(&mut self) -> Outcome<()> {
        let now = Instant::now();
        for seat in &mut self.seats {
            if let Seat::Paused(_, until) | Seat::Empty(until) = seat {
                *until = now;
            }
        }
        self.tick()
    }

    /// For how long all that run have been running.
    pub(crate) fn age(&self) -> Duration {
        self.launched.elapsed()
    }

    /// From now on memory must stay flat, since nobody is ended any more.
    pub(crate) fn begin_memory(&mut self) {
        self.look();
        self.memory.begin();
    }

    /// Keeps the logs of those that still run.
    pub(crate) fn keep_logs(&mut self) -> Outcome<()> {
        let logs: Vec<File> = self
            .seats
            .iter()
            .filter_map(|seat| match seat {
                Seat::Running(operator) | Seat::Paused(operator, _) => Some(File::open(operator.log())),
                Seat::Empty(_) => None,
            })
            .collect::<io::Result<_>>()?;
        logs.into_iter().try_for_each(|log| self.save(log))
    }

    /// Takes the memory of whoever runs.
    pub(crate) fn look(&mut self) {
        for (index, seat) in self.seats.iter().enumerate() {
            if let Seat::Running(operator) = seat {
                self.memory.sample(index, operator);
            }
        }
    }

    fn launch(&mut self, index: usize) -> Outcome<OperatorProcess> {
        count(&mut self.counts, "operators started", 1);
        self.launched = Instant::now();
        Ok(OperatorProcess::launch_in(OPERATORS_REGIONS[index], &self.settings)?)
    }

    fn take_running(&mut self, rng: &mut Rng, back: Instant) -> Option<(usize, OperatorProcess)> {
        let index = rng.usize(0..self.seats.len());
        match std::mem::replace(&mut self.seats[index], Seat::Empty(back)) {
            Seat::Running(operator) => Some((index, operator)),
            other => {
                self.seats[index] = other;
                None
            }
        }
    }

    /// An open log can be read after its process and its folder are gone.
    fn save(&mut self, mut log: File) -> Outcome<()> {
        let mut text = String::new();
        io::Read::read_to_string(&mut log, &mut text)?;
        if let Some(line) = text.lines().find(|line| line.contains("panicked")) {
            self.problems.push(format!("an operator's code panicked: {line}"));
        }
        self.saved += 1;
        let name = format!("operator-{:03}.log", self.saved);
        std::fs::write(self.stage.logs.join(name), text)?;
        Ok(())
    }
}
