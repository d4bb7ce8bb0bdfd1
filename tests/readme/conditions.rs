//! The table of conditions and reasons, and the list of what is Stalled.

use std::collections::BTreeSet;

use bedrock_iam::conditions::{Condition, Status, SuccessMessages, verdict};
use bedrock_iam::{Finding, Reason};

use crate::between;

/// Condition, status, reason.
type Row = (String, String, String);

/// Every cell of the table, but what only refers to the cells above.
fn documented() -> BTreeSet<Row> {
    let table = between("| type | True | False | Unknown |", "While `Ready` is not True");
    let lines = table.into_iter().filter(|line| line.starts_with("| "));
    let mut rows = BTreeSet::new();
    for line in lines {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [kind, good, bad, unknown] = cells[..] else { panic!("{line}") };
        for (status, cell) in [("True", good), ("False", bad), ("Unknown", unknown)] {
            let reasons =
                cell.split(',').map(str::trim).filter(|reason| !reason.starts_with("else the first"));
            rows.extend(reasons.map(|reason| (kind.to_owned(), status.to_owned(), reason.to_owned())));
        }
    }
    rows
}

fn judged(reasons: &[Reason]) -> Vec<Condition> {
    let findings: Vec<Finding> = reasons.iter().map(|reason| Finding::new(*reason, "m")).collect();
    let good = || "good".to_owned();
    verdict(&findings, SuccessMessages { role: good(), profiles: good(), policy: good() }).conditions
}

fn row(condition: &Condition) -> Row {
    (condition.kind.to_owned(), condition.status.as_str().to_owned(), condition.reason.to_owned())
}

/// What is shown of an object with this one finding: in the condition that it belongs to, or in `Ready` alone.
fn shown(reason: Reason) -> Vec<Row> {
    let conditions = judged(&[reason]);
    let unmet: Vec<&Condition> =
        conditions.iter().filter(|condition| condition.status != Status::True).collect();
    let (ready, parts): (Vec<&Condition>, Vec<&Condition>) =
        unmet.into_iter().partition(|condition| condition.kind == "Ready");
    assert_eq!(ready.len(), 1, "{reason:?}");
    if parts.is_empty() { ready.into_iter().map(row).collect() } else { parts.into_iter().map(row).collect() }
}

fn is_stalled(reason: Reason) -> bool {
    judged(&[reason]).iter().any(|condition| condition.kind == "Stalled")
}

#[test]
fn every_reason_stands_in_the_table_and_the_table_has_no_other() {
    let good = judged(&[]);
    let good = good.iter().map(row);
    let shown: BTreeSet<Row> = Reason::ALL.iter().copied().flat_map(shown).chain(good).collect();
    let documented = documented();
    let missing: Vec<&Row> = shown.difference(&documented).collect();
    let unknown: Vec<&Row> = documented.difference(&shown).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "not in README: {missing:?}\nnot in the code: {unknown:?}"
    );
}

#[test]
fn stalled_is_what_the_list_says_and_nothing_else() {
    let text = between("While `Ready` is not True", "An object whose policy was proven").join(" ");
    let list = text.split_once("policy (").unwrap().1.split_once(')').unwrap().0;
    let (always, sometimes) = list.split_once(", and ").unwrap();
    let always: BTreeSet<&str> = always.split(", ").collect();
    let sometimes = BTreeSet::from([sometimes.split(' ').next().unwrap()]);

    let (stalled, moving): (Vec<Reason>, Vec<Reason>) =
        Reason::ALL.iter().partition(|reason| is_stalled(**reason));
    let texts = |reasons: Vec<Reason>| reasons.into_iter().map(Reason::as_str).collect::<BTreeSet<&str>>();
    let (stalled, moving) = (texts(stalled), texts(moving));
    assert_eq!(&stalled - &moving, always);
    assert_eq!(&stalled & &moving, sometimes);
}
