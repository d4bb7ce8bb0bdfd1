//! From the entries of a manifest to single targets.

use std::collections::BTreeMap;

use crate::bedrock::answer::{Answer, Answers};
use crate::bedrock::family::Family;
use crate::bedrock::target::Target;
use crate::names::fault::Fault;
use crate::policy::current::CurrentGrants;
use crate::say::finding::Finding;
use crate::say::reason::Reason;
use crate::want::intent::Intent;

/// What the entries of a manifest come to.
pub(super) struct Expansion {
    /// Every target with its answer.
    pub(super) targets: BTreeMap<Target, Answer>,
    /// Every family, and what stands against it.
    pub(super) families: Vec<(Family, Option<Finding>)>,
}

/// Every target of the intent with its answer: those that are named, the members of families, and the members that the role
/// holds though Bedrock no longer lists them.
pub(super) fn expand(intent: &Intent, answers: &Answers, held: &CurrentGrants) -> Expansion {
    let answered = |target: &Target| (target.clone(), answers.of(target));
    let mut targets: BTreeMap<Target, Answer> = intent.targets.iter().map(answered).collect();
    let mut families = Vec::new();
    let held_targets: Vec<Target> = held.targets().collect();
    for family in &intent.families {
        let listed = family.members(answers);
        let unlisted = listed.as_ref().err().cloned().map_or(Answer::NotFound, Answer::Fault);
        let mut members: BTreeMap<Target, Answer> = listed.iter().flatten().map(answered).collect();
        // What someone added to the policy is no member that vanished.
        let may_have_vanished = !held.is_edited() || listed.is_err();
        let vanished = held_targets.iter().filter(|target| may_have_vanished && family.contains(target));
        for target in vanished {
            members.entry(target.clone()).or_insert_with(|| unlisted.clone());
        }
        let finding = match listed {
            Ok(_) if members.is_empty() => Some(unmatched(family)),
            Ok(_) => None,
            Err(fault) => Some(not_listed(family, &fault)),
        };
        families.push((family.clone(), finding));
        for (target, answer) in members {
            targets.entry(target).or_insert(answer);
        }
    }
    Expansion { targets, families }
}

/// Nothing that Bedrock lists belongs to the family.
fn unmatched(family: &Family) -> Finding {
    match family {
        Family::Profiles { source, scope, prefix } => {
            let message = format!(
                "no inference profile of scope {scope} in {source} begins with {prefix}; \
                 check the family, the scope and the Region"
            );
            Finding::new(Reason::ProfileNotFound, message)
        }
        Family::OnDemand { source, prefix } => {
            let message = format!(
                "no model that can be called on demand in {source} begins with {prefix}; \
                 use a scope such as us or global, or check the family and the Region"
            );
            Finding::new(Reason::ModelNotFound, message)
        }
    }
}

/// Bedrock did not list what may belong to the family.
fn not_listed(family: &Family, fault: &Fault) -> Finding {
    let (source, prefix) = match family {
        Family::Profiles { source, prefix, .. } | Family::OnDemand { source, prefix } => (source, prefix),
    };
    let message = format!("the family {prefix}* in {source}: {}", fault.message);
    Finding::new(Reason::of_bedrock_fault(fault.class), message)
}
