use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::Value;

use crate::faults::Faults;
use crate::fleet::{self, Member};
use crate::foreign::ForeignWriter;
use crate::operators::Operators;
use crate::owners::Owners;
use crate::routes::Routes;
use crate::stage::Stage;
use crate::{Counts, Outcome, count, progress};

const TOLD: Duration = Duration::from_secs(20);
const LONGEST_OUTAGE: u64 = 8000;

/// What may happen, and in how many of all cases.
const WEIGHTS: [(Act, u32); 15] = [
    (Act::Edit, 60),
    (Act::Delete, 12),
    (Act::Vanish, 2),
    (Act::TagRole, 14),
    (Act::TagTarget, 5),
    (Act::DeleteRole, 3),
    (Act::Meddle, 60),
    (Act::Tend, 25),
    (Act::Strike, 40),
    (Act::Outage, 3),
    (Act::Reads, 4),
    (Act::Route, 20),
    (Act::End, 4),
    (Act::Pause, 4),
    (Act::StopApiServer, 1),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Edit,
    Delete,
    Vanish,
    TagRole,
    TagTarget,
    DeleteRole,
    Meddle,
    Tend,
    Strike,
    Outage,
    Reads,
    Route,
    End,
    Pause,
    StopApiServer,
}

/// Everything that goes on at once.
pub(crate) struct Storm<'a> {
    stage: &'a Stage,
    rng: Rng,
    api_server_is_back: Option<Instant>,
    faults_are_over: Option<Instant>,
    routes: Routes,
    edited: Option<Member>,
    pub(crate) deletions: BTreeMap<Member, usize>,
    /// Whose finalizer was taken off.
    pub(crate) vanished: BTreeSet<Member>,
    pub(crate) faults: Faults,
    pub(crate) foreign: ForeignWriter,
    pub(crate) owners: Owners,
    pub(crate) operators: Operators<'a>,
    pub(crate) counts: Counts,
}

impl<'a> Storm<'a> {
    /// All objects, the foreign writer's policies and both operators.
    pub(crate) fn brew(stage: &'a Stage, rng: &mut Rng) -> Outcome<Self> {
        let manifests: Vec<Value> = fleet::members().map(|member| member.manifest(rng)).collect();
        stage.apply(&manifests)?;
        let mut foreign = ForeignWriter::new(stage, rng.fork())?;
        for _ in 0..fleet::OBJECTS {
            foreign.tend(stage)?;
        }
        Ok(Self {
            stage,
            rng: rng.fork(),
            api_server_is_back: None,
            faults_are_over: None,
            routes: Routes::ask(&stage.sandbox)?,
            edited: None,
            deletions: BTreeMap::new(),
            vanished: BTreeSet::new(),
            faults: Faults::default(),
            foreign,
            owners: Owners::new(stage, rng.fork())?,
            operators: Operators::start(stage)?,
            counts: Counts::new(),
        })
    }

    /// One act after another. In the last third no operator is ended, so that its memory can be followed.
    pub(crate) fn rage(&mut self, time: Duration) -> Outcome<()> {
        let began = Instant::now();
        let (mut told, mut memory_begun) = (began, false);
        while began.elapsed() < time {
            self.tick()?;
            let is_late = began.elapsed() > time * 2 / 3;
            // Who was started a moment ago has not warmed up, and grows for good reason.
            let is_warm = self.operators.age() > time / 12;
            if !memory_begun && is_warm && began.elapsed() > time * 3 / 4 {
                self.operators.begin_memory();
                memory_begun = true;
            }
            match self.draw() {
                Act::End if is_late => {}
                act => self.perform(act)?,
            }
            self.operators.look();
            if told.elapsed() > TOLD {
                told = Instant::now();
                progress(&format!(
                    "  {} s: {:?} {:?}",
                    began.elapsed().as_secs(),
                    self.counts,
                    self.operators.counts
                ));
            }
            thread::sleep(Duration::from_millis(self.rng.u64(20..250)));
        }
        if !memory_begun {
            self.operators.begin_memory();
        }
        Ok(())
    }

    /// Nothing is wrong any more.
    pub(crate) fn calm(&mut self) -> Outcome<()> {
        if self.api_server_is_back.take().is_some() {
            self.stage.cluster.start_api_server()?;
        }
        self.stage.sandbox.clear("faults")?;
        self.stage.sandbox.clear("reads")?;
        self.routes.restore(&self.stage.sandbox)?;
        self.operators.all_back()
    }

    fn tick(&mut self) -> Outcome<()> {
        let now = Instant::now();
        if self.api_server_is_back.is_some_and(|time| now >= time) {
            self.api_server_is_back = None;
            self.stage.cluster.start_api_server()?;
        }
        if self.faults_are_over.is_some_and(|time| now >= time) {
            self.faults_are_over = None;
            self.stage.sandbox.clear("faults")?;
        }
        self.look_back()?;
        self.operators.tick()
    }

    /// What nobody can have missed any more is noted; to be called now and then, for as long as operators write.
    pub(crate) fn look_back(&mut self) -> Outcome<()> {
        self.owners.tick(self.stage)?;
        self.foreign.tick(self.stage)
    }

    fn draw(&mut self) -> Act {
        let all: u32 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut drawn = self.rng.u32(0..all);
        for (act, weight) in WEIGHTS {
            if drawn < weight {
                return act;
            }
            drawn -= weight;
        }
        Act::Edit
    }

    fn perform(&mut self, act: Act) -> Outcome<()> {
        let needs_api_server = matches!(act, Act::Edit | Act::Delete | Act::Vanish | Act::StopApiServer);
        if needs_api_server && self.api_server_is_back.is_some() {
            return Ok(());
        }
        let sandbox = &self.stage.sandbox;
        match act {
            Act::Edit => self.edit(),
            Act::Delete => self.delete(),
            Act::Vanish => self.vanish(),
            Act::TagRole => self.owners.tag_role(self.stage)?,
            Act::TagTarget => self.owners.tag_target(self.stage)?,
            Act::DeleteRole => self.owners.delete_role(self.stage, &mut self.foreign)?,
            Act::Meddle => self.foreign.meddle(self.stage)?,
            Act::Tend => self.foreign.tend(self.stage)?,
            Act::Strike => self.faults.strike(sandbox, &mut self.rng)?,
            Act::Outage => {
                self.faults.break_out(sandbox, &mut self.rng)?;
                self.faults_are_over = Some(Instant::now() + self.a_while());
                count(&mut self.counts, "outages of a service", 1);
            }
            Act::Reads => self.faults.bend_reads(sandbox, &mut self.rng)?,
            Act::Route => {
                let what = self.routes.shift(sandbox, &mut self.rng)?;
                count(&mut self.counts, what, 1);
            }
            Act::End => self.operators.end_one(&mut self.rng)?,
            Act::Pause => self.operators.pause_one(&mut self.rng),
            Act::StopApiServer => {
                self.stage.cluster.stop_api_server();
                self.api_server_is_back = Some(Instant::now() + self.a_while());
                count(&mut self.counts, "API server stopped", 1);
            }
        }
        Ok(())
    }

    /// New manifests for a few objects, whether they exist or not.
    fn edit(&mut self) {
        let rng = &mut self.rng;
        let members: Vec<Member> = (0..rng.usize(1..6)).map(|_| fleet::any(rng)).collect();
        let manifests: Vec<Value> = members.iter().map(|member| member.manifest(rng)).collect();
        self.edited = members.last().copied();
        let outcome = self.stage.apply(&manifests);
        self.tell("edits", manifests.len(), outcome);
    }

    fn delete(&mut self) {
        // What was created an instant ago is the harder case.
        let member = match self.edited {
            Some(edited) if self.rng.bool() => edited,
            _ => fleet::any(&mut self.rng),
        };
        // An answer that is lost may stand for a deletion all the same.
        *self.deletions.entry(member).or_default() += 1;
        let outcome = self.stage.delete(member.namespace(), &member.name());
        self.tell("deletions", 1, outcome);
    }

    /// While no operator looks, an object goes without its finalizer's work.
    fn vanish(&mut self) {
        let member = fleet::any(&mut self.rng);
        *self.deletions.entry(member).or_default() += 1;
        self.vanished.insert(member);
        self.operators.pause_all();
        let outcome = self.stage.vanish(member.namespace(), &member.name());
        self.tell("finalizers taken off", 1, outcome);
    }

    fn tell(&mut self, what: &str, requests: usize, outcome: Outcome<()>) {
        count(&mut self.counts, what, u64::try_from(requests).unwrap_or_default());
        if let Err(error) = outcome {
            let error = error.to_string();
            // What was deleted before is not there.
            if !error.contains("NotFound") {
                progress(&format!("  {what}: {error}"));
                count(&mut self.counts, "requests with an error", 1);
            }
        }
    }

    fn a_while(&mut self) -> Duration {
        Duration::from_millis(self.rng.u64(1000..LONGEST_OUTAGE))
    }
}
