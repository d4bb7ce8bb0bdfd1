use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use bedrock_iam::Document;
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::fleet::{self, Member, one_in};
use crate::stage::{Change, Stage, held};
use crate::{Counts, Outcome, count};

/// The names of the policies that the foreign writer has on roles; one of them looks like one of ours.
const OWN: [&str; 3] = ["theirs", "theirs-too", "bedrock-access.soak-a.assistant-001"];

/// Someone else who writes on the same roles, and remembers what.
pub(crate) struct ForeignWriter {
    iam: Client,
    runtime: Runtime,
    rng: Rng,
    /// By role: the places of its writes in the role's history.
    writes: BTreeMap<String, BTreeSet<usize>>,
    /// By role and name: the documents of its own policies, as it last wrote them.
    own: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) counts: Counts,
}

impl ForeignWriter {
    pub(crate) fn new(stage: &Stage, rng: Rng) -> Outcome<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let iam = stage.sandbox.iam();
        let (writes, own) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { iam, runtime, rng, writes, own, counts: Counts::new() })
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
        let (what, document) = match self.rng.u8(0..12) {
            _ if !current.contains(&member.identity().marker()) => ("our name set free", None),
            0..=3 => ("ours removed", None),
            4..=6 => ("ours cut", Some(self.cut(&current)?)),
            7..=8 => ("ours widened", Some(self.widened(&current)?)),
            9..=10 => ("ours set back", self.earlier(&history, &policy)),
            _ => ("our name taken", Some(self.document())),
        };
        if self.write(stage, &role, &policy, document.as_deref())? {
            count(&mut self.counts, what, 1);
        }
        Ok(())
    }

    /// Whether the change at this place of the role's history was its doing.
    pub(crate) fn wrote(&self, role: &str, place: usize) -> bool {
        self.writes.get(role).is_some_and(|places| places.contains(&place))
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
        let taken = if let Some(document) = document {
            let put =
                self.iam.put_role_policy().role_name(role).policy_name(policy).policy_document(document);
            self.runtime.block_on(put.send()).is_ok()
        } else {
            let delete = self.iam.delete_role_policy().role_name(role).policy_name(policy);
            self.runtime.block_on(delete.send()).is_ok()
        };
        if !taken {
            return Ok(false);
        }
        // Someone else may have written in the same instant.
        let mine = Change { policy: policy.to_owned(), document: document.map(str::to_owned) };
        let place = stage.history(role)?.iter().skip(before).position(|change| *change == mine);
        let place =
            place.ok_or_else(|| format!("the history of {role} does not show the write of {policy}"))?;
        self.writes.entry(role.to_owned()).or_default().insert(before + place);
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

    /// With one more resource, which nobody asked for.
    fn widened(&mut self, current: &str) -> Outcome<String> {
        let mut document: Value = serde_json::from_str(current)?;
        let model = format!("arn:aws:bedrock:us-east-1::foundation-model/acme.chat-{}", self.rng.u32(..));
        let statement = json!({"Sid": "BedrockAccessMore", "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": model});
        document["Statement"].as_array_mut().ok_or("a policy without a list of statements")?.push(statement);
        self.marked(&document)
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
