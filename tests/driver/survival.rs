//! The real controller in process, killed at every request and under every fault of Kubernetes and of AWS.
//!
//! The clock is paused, so that backoffs and intervals cost no time. Nothing goes over a socket: Kubernetes is
//! [`cluster`], AWS is the sandbox, and every request of the operator passes [`wire`], which counts it, lets it take a random
//! time, and may fail it. Seeds are printed; `SURVIVAL_SEED` sets the first one.

use std::sync::Mutex;

mod absent;
mod adoption;
mod ages;
mod attacks;
mod aws;
mod aws_faults;
mod cluster;
mod crash;
mod frugal;
mod hanging;
mod history;
mod kubernetes_faults;
mod orphans;
mod outage;
mod owners;
mod scan;
mod scenarios;
mod shards;
mod watch_faults;
mod wire;
mod world;

/// The first seed of a test: random, and printed, unless it is set.
fn seed() -> u64 {
    let seed = std::env::var("SURVIVAL_SEED")
        .ok()
        .map_or_else(|| fastrand::u64(..1 << 32), |text| text.parse().unwrap());
    println!("SURVIVAL_SEED={seed}");
    seed
}

/// Runs under a paused clock; what is random in the operator follows the seed.
fn paused<T>(seed: u64, work: impl Future<Output = T>) -> T {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.unwrap().block_on(work)
}

/// Runs under a paused clock, from a seed of its own.
fn run<F: Future<Output = ()>>(work: impl FnOnce(u64) -> F) {
    let seed = seed();
    paused(seed, work(seed));
}

/// Does the work on every processor; what it answers, in the order of the tasks.
fn in_parallel<T: Send, R: Send>(tasks: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let (tasks, done) = (Mutex::new(tasks.into_iter().enumerate()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                while let Some((number, task)) = { tasks.lock().unwrap().next() } {
                    let result = work(task);
                    done.lock().unwrap().push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}
