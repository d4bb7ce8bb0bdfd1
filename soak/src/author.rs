//! Who wrote what on every role, from the first write to the last, and what no operator may have written.

use std::collections::BTreeSet;

use crate::fleet::{self, Member};
use crate::foreign::our_names;
use crate::lineage::{Entry, Lineage, Removal};
use crate::replies::Replies;
use crate::routes::Routes;
use crate::stage::Stage;
use crate::storm::Storm;
use crate::{Counts, Outcome, count};

/// What the histories of all roles tell.
pub(crate) struct Authors {
    pub(crate) counts: Counts,
    pub(crate) problems: Vec<String>,
}

impl Authors {
    /// The operators may change no policy of others, take no wanted grant away, lose no statement of a stranger's, and remove a
    /// policy only for a deletion or for an owner who does not consent.
    pub(crate) fn read(stage: &Stage, storm: &Storm<'_>) -> Outcome<Self> {
        let routes = Routes::ask(&stage.sandbox)?;
        let replies = Replies::of(&stage.calls()?);
        let mut authors = Self { counts: Counts::new(), problems: Vec::new() };
        let roles: BTreeSet<String> = fleet::members().map(Member::role).collect();
        for role in &roles {
            let history = stage.history(role)?;
            let ours = our_names(role);
            for (place, change) in history.iter().enumerate() {
                if !ours.contains(&change.policy) && !storm.foreign.wrote(role, place) {
                    authors.problems.push(format!(
                        "role {role}, write {place}: an operator changed the foreign policy {}",
                        change.policy
                    ));
                }
            }
            let lost = replies.lost(role, history.len());
            for member in fleet::members().filter(|member| member.role() == *role) {
                let policy = member.policy();
                let of_member = history.iter().enumerate().filter(|(_, change)| change.policy == policy);
                let entries = of_member.map(|(place, change)| Entry {
                    place,
                    document: change.document.as_deref(),
                    foreign: storm.foreign.write_at(role, place),
                    is_reply_lost: lost.contains(&place),
                });
                let lineage = Lineage::follow(member, entries, &routes)?;
                authors.judge(member, &lineage, storm);
            }
        }
        Ok(authors)
    }

    fn judge(&mut self, member: Member, lineage: &Lineage, storm: &Storm<'_>) {
        for (what, times) in &lineage.counts {
            count(&mut self.counts, what, *times);
        }
        let (role, name) = (member.role(), member.name());
        self.problems
            .extend(lineage.problems.iter().map(|problem| format!("{name} on role {role}, {problem}")));
        let is_withdrawal = |removal: &&Removal| {
            storm.owners.may_end(member, removal.place)
                || (removal.was_foreigners && storm.owners.may_cut(member, removal.place))
        };
        let (withdrawals, removals): (Vec<&Removal>, Vec<&Removal>) =
            lineage.removals.iter().partition(is_withdrawal);
        count(&mut self.counts, "of the removed, while consent was away", withdrawals.len() as u64);
        let deletions = storm.deletions.get(&member).copied().unwrap_or_default();
        if removals.len() > deletions {
            let told: Vec<String> = removals.iter().map(ToString::to_string).collect();
            self.problems.push(format!(
                "{name} on role {role}: its policy was removed {} times, for {deletions} deletions of the object: {}",
                removals.len(),
                told.join("; ")
            ));
        }
    }
}
