use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::consent::{OPEN, Tag};
use crate::faults::pick;
use crate::fleet::{self, Member, one_in};
use crate::foreign::ForeignWriter;
use crate::iam::Iam;
use crate::stage::{Stage, held};
use crate::targets::Owned;
use crate::windows::Windows;
use crate::{Counts, Outcome, count};

const LONGEST_ABSENCE: u64 = 8000;

/// Between the last policy and the role itself an operator may write one anew.
const ATTEMPTS: usize = 5;

/// Those whose roles and targets are used: they give consent and withdraw it, and delete roles.
pub(crate) struct Owners {
    iam: Iam,
    rng: Rng,
    roles: BTreeMap<String, Role>,
    targets: BTreeMap<Owned, &'static Tag>,
    /// When a namespace could not use a role.
    withdrawn: Windows,
    /// When it could not deny anything there.
    may_not_deny: Windows,
    /// When it could not use the target that its object names.
    target_withdrawn: Windows,
    pub(crate) counts: Counts,
}

struct Role {
    tag: &'static Tag,
    absent: Option<Absence>,
}

/// When the role is created again, if ever.
struct Absence(Option<Instant>);

impl Owners {
    pub(crate) fn new(stage: &Stage, rng: Rng) -> Outcome<Self> {
        let role = |member: Member| {
            let absent = member.tag().is_none().then_some(Absence(None));
            (member.role(), Role { tag: member.tag().unwrap_or(&OPEN), absent })
        };
        Ok(Self {
            iam: Iam::new(stage)?,
            rng,
            roles: fleet::members().map(role).collect(),
            targets: Owned::ALL.into_iter().map(|owned| (owned, &OPEN)).collect(),
            withdrawn: Windows::default(),
            may_not_deny: Windows::default(),
            target_withdrawn: Windows::default(),
            counts: Counts::new(),
        })
    }

    /// What the member's role says; `None` where there is no such role.
    pub(crate) fn tag(&self, member: Member) -> Option<&'static Tag> {
        let role = self.roles.get(&member.role())?;
        role.absent.is_none().then_some(role.tag)
    }

    /// Whether the target lets the member use it.
    pub(crate) fn lets_use(&self, owned: Owned, member: Member) -> bool {
        self.targets.get(&owned).is_some_and(|tag| tag.lets(member.namespace()))
    }

    /// Whether the member's policy may be removed at that place of its role's history, since consent was away.
    pub(crate) fn may_end(&self, member: Member, place: usize) -> bool {
        self.withdrawn.hold(&member.role(), member.namespace(), place)
    }

    /// Whether something may be taken out of it, so that one which someone edited goes as a whole.
    pub(crate) fn may_cut(&self, member: Member, place: usize) -> bool {
        let all = [&self.may_not_deny, &self.target_withdrawn];
        all.into_iter().any(|windows| windows.hold(&member.role(), member.namespace(), place))
    }

    /// A new value for a role's tag.
    pub(crate) fn tag_role(&mut self, stage: &Stage) -> Outcome<()> {
        let name = self.any_role();
        let new = Tag::draw(&mut self.rng);
        let Some(role) = self.roles.get_mut(&name).filter(|role| role.absent.is_none()) else {
            return Ok(());
        };
        let from = stage.history(&name)?.len();
        for namespace in fleet::NAMESPACES {
            follow(&mut self.withdrawn, new.lets(namespace), &name, namespace, from);
            follow(&mut self.may_not_deny, new.lets_deny(namespace), &name, namespace, from);
        }
        self.iam.tag_role(&name, new)?;
        role.tag = new;
        count(&mut self.counts, &format!("role tagged {}", new.value), 1);
        Ok(())
    }

    /// A new value for a target's tag.
    pub(crate) fn tag_target(&mut self, stage: &Stage) -> Outcome<()> {
        let owned = Owned::ALL[self.rng.usize(0..Owned::ALL.len())];
        let new = Tag::draw(&mut self.rng);
        for member in fleet::members().filter(|member| member.owned() == Some(owned)) {
            let (role, namespace) = (member.role(), member.namespace());
            let from = stage.history(&role)?.len();
            follow(&mut self.target_withdrawn, new.lets(namespace), &role, namespace, from);
        }
        stage.sandbox.set(&format!("tags/{}", owned.arn()), &serde_json::json!({"tags": new.tags()}))?;
        self.targets.insert(owned, new);
        let what = if *new == OPEN { "target opened" } else { "target withdrawn from some or all" };
        count(&mut self.counts, what, 1);
        Ok(())
    }

    /// Deletes a role with all that it holds, to be created again soon, or not.
    pub(crate) fn delete_role(&mut self, stage: &Stage, foreign: &mut ForeignWriter) -> Outcome<()> {
        let name = self.any_role();
        let Some(role) = self.roles.get_mut(&name).filter(|role| role.absent.is_none()) else {
            return Ok(());
        };
        for _ in 0..ATTEMPTS {
            for policy in held(&stage.history(&name)?).keys() {
                foreign.remove(stage, &name, policy)?;
            }
            if self.iam.delete_role(&name) {
                let after = Duration::from_millis(self.rng.u64(0..LONGEST_ABSENCE));
                let again = (!one_in(&mut self.rng, 4)).then(|| Instant::now() + after);
                role.absent = Some(Absence(again));
                count(&mut self.counts, "role deleted", 1);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Creates again what is due.
    pub(crate) fn tick(&mut self, stage: &Stage) -> Outcome<()> {
        let now = Instant::now();
        for (name, role) in &mut self.roles {
            if let Some(Absence(Some(again))) = role.absent
                && now >= again
            {
                self.iam.create_role(name, role.tag)?;
                role.absent = None;
                count(&mut self.counts, "role created again", 1);
            }
        }
        let all = [&mut self.withdrawn, &mut self.may_not_deny, &mut self.target_withdrawn];
        all.into_iter().try_for_each(|windows| windows.tick(stage))
    }

    /// One of the roles that owners care for.
    fn any_role(&mut self) -> String {
        let names: Vec<String> =
            fleet::members().filter(|member| member.is_cared_for()).map(Member::role).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        pick(&mut self.rng, &names).to_owned()
    }
}

/// Keeps the windows up with what an owner allows from now on.
fn follow(windows: &mut Windows, is_allowed: bool, role: &str, namespace: &'static str, from: usize) {
    if is_allowed {
        windows.close(role, namespace);
    } else {
        windows.open(role, namespace, from);
    }
}
