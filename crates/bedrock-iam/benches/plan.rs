//! What one reconcile costs the core: all profiles that Bedrock serves in us-east-1, wanted at once.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bedrock_iam::policy::{self, Form};
use bedrock_iam::resolve::{Resolution, resolve};
use bedrock_iam::{Answers, Claim, CurrentGrants, Intent, Observed, Plan, PolicyState};
use divan::Bencher;
use testing::{real_profiles, world};

const SOURCE: &str = "us-east-1";

/// For the median of all profiles.
const LIMIT: Duration = Duration::from_millis(5);

fn main() -> ExitCode {
    divan::main();
    let scene = Scene::of_source_region();
    let median = median(|| scene.plan());
    let verdict = if median <= LIMIT { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    println!("decide, {} profiles: median {median:.2?}, limit {LIMIT:?}", scene.intent.targets.len());
    verdict
}

/// They exceed the quota by far, so that this includes the search for how many would fit.
#[divan::bench]
fn decide_all(bencher: Bencher) {
    let scene = Scene::of_source_region();
    bencher.bench(|| scene.plan());
}

#[divan::bench]
fn decide_what_fits(bencher: Bencher) {
    let scene = Scene::of_source_region().first(16);
    assert!(!scene.plan().steps().is_empty(), "these fit");
    bencher.bench(|| scene.plan());
}

#[divan::bench]
fn resolve_only(bencher: Bencher) {
    let scene = Scene::of_source_region();
    bencher.bench(|| scene.resolution());
}

#[divan::bench(args = [Form::Explicit, Form::Factored])]
fn resolve_and_write(bencher: Bencher, form: Form) {
    let scene = Scene::of_source_region();
    bencher.bench(|| {
        let Intent { claim: Claim { identity, account, .. }, terms, .. } = &scene.intent;
        policy::document(identity, account, &scene.resolution().grants, terms, form)
    });
}

struct Scene {
    intent: Intent,
    answers: Answers,
    observed: Observed,
}

impl Scene {
    fn of_source_region() -> Self {
        let mut answered = Vec::new();
        for (id, sources) in real_profiles() {
            if let Some(destinations) = sources.get(SOURCE) {
                let destinations: Vec<&str> = destinations.iter().map(String::as_str).collect();
                answered.push((world::profile(&id, SOURCE), world::routes(&id, SOURCE, &destinations)));
            }
        }
        Self {
            intent: world::intent(answered.iter().map(|(target, _)| target.clone())),
            answers: world::answers(answered),
            observed: world::observed(PolicyState::Absent),
        }
    }

    fn first(mut self, count: usize) -> Self {
        self.intent.targets = self.intent.targets.into_iter().take(count).collect();
        self
    }

    fn resolution(&self) -> Resolution {
        resolve(&self.intent, black_box(&self.answers), &CurrentGrants::default())
    }

    fn plan(&self) -> Plan {
        world::planned(&self.intent, black_box(&self.answers), &self.observed, None)
    }
}

fn median<T>(mut work: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}
