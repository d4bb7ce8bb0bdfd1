use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use bedrock_iam::Document;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::fleet::{self, Member, one_in};
use crate::iam::Iam;
use crate::lineage::Foreign;
use crate::stage::{Change, Stage, held};
use crate::windows::MEMORY;
use crate::{Counts, Outcome, count, strangers};

/// More of them in one policy would cost the operators the room for theirs.
const MOST_STRANGERS: usize = 2;

/// The names of the policies that the foreign writer has on roles; one of them looks like one of ours.
const OWN: [&str; 3] = ["theirs", "theirs-too", "bedrock-access.soak-a.assistant-001"];

/// Someone else who writes on the same roles, and remembers what.
pub(crate) struct ForeignWriter {
    iam: Iam,
    rng: Rng,
    /// By role: the places of its writes in the role's history, and when they were made.
    writes: BTreeMap<String, BTreeMap<usize, Write>>,
    /// By role and name: the documents of its own policies, as it last wrote them.
    own: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) counts: Counts,
}

/// One of its writes.
struct Write {
    at: Instant,
    /// From which place of the role's history on no reconcile can have missed it.
    known_from: Option<usize>,
}

impl ForeignWriter {
    pub(crate) fn new(stage: &Stage, rng: Rng) -> Outcome<Self> {
        let (writes, own) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { iam: Iam::new(stage)?, rng, writes, own, counts: Counts::new() })
    }

    /// Notes which of its writes every reconcile has seen by now.
    pub(crate) fn tick(&mut self, stage: &Stage) -> Outcome<()> {
        for (role, writes) in &mut self.writes {
            let is_over = |write: &&mut Write| write.known_from.is_none() && write.at.elapsed() > MEMORY;
            let mut over = writes.values_mut().filter(is_over).peekable();
            if over.peek().is_some() {
                let place = stage.history(role)?.len();
                over.for_each(|write| write.known_from = Some(place));
            }
        }
        Ok(())
    }

    /// Writes, replaces or removes a policy of its own.
    pub(crate) fn tend(&mut self, stage: &Stage) -> Outcome<()> {
        let role = fleet::any(&mut self.rng).role();
        let policy = OWN[self.rng.usize(0..OWN.len())];
        let document = if one_in(&mut self.rng, 4) { None } else { Some(self.document()) };
        if self.write(stage, &role, policy, document.as_deref())? {
            let own = self.own.entry(role).or_default();
            match document {
                Some(document) => own.insert(policy.to_owned(), document),
                None => own.remove(policy),
            };
            count(&mut self.counts, "policies of its own", 1);
        }
        Ok(())
    }

    /// Removes, edits, sets back or replaces a policy of ours, if there is one.
    pub(crate) fn meddle(&mut self, stage: &Stage) -> Outcome<()> {
        let member = fleet::any(&mut self.rng);
        let (role, policy) = (member.role(), member.policy());
        let history = stage.history(&role)?;
        let Some(current) = held(&history).remove(&policy) else { return Ok(()) };
        let (what, document) = match self.rng.u8(0..14) {
            _ if !current.contains(&member.identity().marker()) => ("our name set free", None),
            0..=3 => ("ours removed", None),
            4..=6 => ("ours cut", Some(self.cut(&current)?)),
            7..=10 => self.widen(&current)?,
            11..=12 => ("ours set back", self.earlier(&history, &policy)),
            _ => ("our name taken", Some(self.document())),
        };
        if self.write(stage, &role, &policy, document.as_deref())? {
            count(&mut self.counts, what, 1);
        }
        Ok(())
    }

    /// Removes any policy, for whoever deletes the role.
    pub(crate) fn remove(&mut self, stage: &Stage, role: &str, policy: &str) -> Outcome<()> {
        if self.write(stage, role, policy, None)?
            && let Some(own) = self.own.get_mut(role)
        {
            own.remove(policy);
        }
        Ok(())
    }

    /// Whether the change at this place of the role's history was its doing.
    pub(crate) fn wrote(&self, role: &str, place: usize) -> bool {
        self.writes.get(role).is_some_and(|writes| writes.contains_key(&place))
    }

    /// Its write at that place of the role's history, if it is one of its own.
    pub(crate) fn write_at(&self, role: &str, place: usize) -> Option<Foreign> {
        let write = self.writes.get(role)?.get(&place)?;
        Some(Foreign { known_from: write.known_from })
    }

    /// Whether it was the last to write the policy.
    pub(crate) fn wrote_last(&self, role: &str, history: &[Change], policy: &str) -> bool {
        history
            .iter()
            .rposition(|change| change.policy == policy)
            .is_some_and(|place| self.wrote(role, place))
    }

    /// What of this role's policies is its own.
    pub(crate) fn own(&self, role: &str) -> BTreeMap<String, String> {
        self.own.get(role).cloned().unwrap_or_default()
    }

    /// False when AWS refused.
    fn write(&mut self, stage: &Stage, role: &str, policy: &str, document: Option<&str>) -> Outcome<bool> {
        let before = stage.history(role)?.len();
        let taken = match document {
            Some(document) => self.iam.put_policy(role, policy, document),
            None => self.iam.delete_policy(role, policy),
        };
        if !taken {
            return Ok(false);
        }
        // Someone else may have written in the same instant.
        let mine = Change { policy: policy.to_owned(), document: document.map(str::to_owned) };
        let place = stage.history(role)?.iter().skip(before).position(|change| *change == mine);
        let place =
            place.ok_or_else(|| format!("the history of {role} does not show the write of {policy}"))?;
        let write = Write { at: Instant::now(), known_from: None };
        self.writes.entry(role.to_owned()).or_default().insert(before + place, write);
        Ok(true)
    }

    /// A policy unlike any other; every other one has a Sid like ours.
    fn document(&mut self) -> String {
        let bucket = format!("arn:aws:s3:::bucket-{:08x}/*", self.rng.u32(..));
        let sid = if self.rng.bool() { "BedrockAccess1" } else { "Theirs" };
        let statement = json!({"Sid": sid, "Effect": "Allow", "Action": "s3:GetObject", "Resource": bucket});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    }

    /// Without one of its statements, or of the first one's resources.
    fn cut(&mut self, current: &str) -> Outcome<String> {
        let mut document: Value = serde_json::from_str(current)?;
        let statements =
            document["Statement"].as_array_mut().ok_or("a policy without a list of statements")?;
        if statements.len() > 1 {
            statements.remove(self.rng.usize(1..statements.len()));
        } else if let Some(resources) = statements[0]["Resource"].as_array_mut().filter(|all| all.len() > 1) {
            resources.pop();
        }
        self.marked(&document)
    }

    /// With one more statement, which nobody asked for, or without one of those.
    fn widen(&mut self, current: &str) -> Outcome<(&'static str, Option<String>)> {
        let mut document: Value = serde_json::from_str(current)?;
        let statements =
            document["Statement"].as_array_mut().ok_or("a policy without a list of statements")?;
        let strangers: Vec<usize> =
            (0..statements.len()).filter(|place| strangers::is_one(&statements[*place])).collect();
        let what = if strangers.len() < MOST_STRANGERS {
            // Ours are known by their Sids, wherever they stand.
            let place = self.rng.usize(0..=statements.len());
            statements.insert(place, strangers::draw(&mut self.rng));
            "a statement put beside ours"
        } else {
            statements.remove(strangers[0]);
            "a statement beside ours taken out"
        };
        Ok((what, Some(self.marked(&document)?)))
    }

    /// White space that differs from every other write's, and means nothing.
    fn marked(&mut self, document: &Value) -> Outcome<String> {
        let text = document.to_string();
        Document::parse(&text)?;
        let blanks = " ".repeat(self.rng.usize(1..400));
        Ok(format!("{{{blanks}{}", &text[1..]))
    }

    /// What once stood under the name, written by whomever.
    fn earlier(&mut self, history: &[Change], policy: &str) -> Option<String> {
        let written = history.iter().filter(|change| change.policy == policy);
        let documents: Vec<&String> = written.filter_map(|change| change.document.as_ref()).collect();
        documents.get(self.rng.usize(0..documents.len().max(1))).map(|document| (*document).clone())
    }
}

/// Every name that belongs to the operators on this role.
pub(crate) fn our_names(role: &str) -> BTreeSet<String> {
    fleet::members().filter(|member| member.role() == role).map(Member::policy).collect()
}
