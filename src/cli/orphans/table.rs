use bedrock_iam::orphan::{Orphan, Standing};
use serde_json::{Value, json};

use super::Done;

const HEADER: [&str; 6] = ["ROLE", "POLICY", "OBJECT", "GRANTS", "STANDING", "WHY"];

/// A line for each policy, below each other.
pub(super) fn text(cluster_id: &str, listed: &[(Orphan, Done)]) -> String {
    if listed.is_empty() {
        return format!("no policy without an object, looked at as cluster {cluster_id}\n");
    }
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(listed.iter().map(|(orphan, done)| {
        let object = format!("{}/{}", orphan.object.namespace, orphan.object.name);
        let policy = orphan.claim.identity.policy_name().to_owned();
        let standing = word(orphan.standing).to_owned();
        [
            orphan.claim.role.to_string(),
            policy,
            object,
            orphan.grants.to_string(),
            standing,
            why(orphan, done),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// The same for programs.
pub(super) fn json(cluster_id: &str, listed: &[(Orphan, Done)]) -> String {
    let policies: Vec<Value> = listed
        .iter()
        .map(|(orphan, done)| {
            json!({
                "role": orphan.claim.role.as_str(),
                "policy": orphan.claim.identity.policy_name(),
                "namespace": orphan.object.namespace,
                "name": orphan.object.name,
                "grants": orphan.grants,
                "standing": word(orphan.standing),
                "why": why(orphan, done),
                "removed": matches!(done, Done::Removed | Done::CutOut(_)),
            })
        })
        .collect();
    json!({"clusterId": cluster_id, "policies": policies}).to_string()
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Withdrawn => "Withdrawn",
        Standing::Consented => "Consented",
        Standing::Retained => "Retained",
        Standing::Elsewhere => "Elsewhere",
        Standing::Unknown => "Unknown",
    }
}

fn why(orphan: &Orphan, done: &Done) -> String {
    let text = match done {
        Done::Removed => "removed",
        Done::CutOut(names) => return format!("our statements are removed; someone else's stay: {names}"),
        Done::LookedAfter => "left: its object is there",
        Done::Retained => "left: the role's tag has a retain: entry for it now",
        Done::Gone => "it is gone already",
        Done::Failed(message) => return format!("not removed: {message}"),
        Done::Nothing => match orphan.standing {
            Standing::Withdrawn => {
                "its object is gone, and the role does not consent any more: --delete removes it"
            }
            Standing::Consented => "its object is gone, and the role still consents: --delete removes it",
            Standing::Retained => "its object is gone; the role's tag lets it stay by a retain: entry",
            Standing::Elsewhere => "another cluster id wrote it: --cluster-id names that",
            Standing::Unknown => "its name is cut, so its object and cluster are unknown",
        },
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use bedrock_iam::consent::Policy;
    use bedrock_iam::orphan::{Installation, ObjectName};

    use super::*;

    fn orphan(standing: Standing) -> Orphan {
        let object = ObjectName { namespace: "team-a".to_owned(), name: "assistant".to_owned() };
        let claim = Installation::new("cluster", Policy::Tag, []).claim(&object, &"a-role".parse().unwrap());
        Orphan { claim, object, grants: 2, standing }
    }

    #[test]
    fn columns_stand_below_each_other_and_every_line_says_why() {
        let listed =
            [(orphan(Standing::Consented), Done::Nothing), (orphan(Standing::Withdrawn), Done::Removed)];
        let text = text("cluster", &listed);
        let lines: Vec<&str> = text.lines().collect();
        let at = |line: &str, word: &str| line.find(word).unwrap();
        assert_eq!(at(lines[0], "OBJECT"), at(lines[1], "team-a/assistant"));
        assert_eq!(at(lines[0], "STANDING"), at(lines[2], "Withdrawn"));
        assert!(lines[1].ends_with("--delete removes it") && lines[2].ends_with("removed"), "{text}");
    }

    #[test]
    fn json_says_what_was_removed() {
        let listed = [(orphan(Standing::Consented), Done::Removed)];
        let value: Value = serde_json::from_str(&json("cluster", &listed)).unwrap();
        assert_eq!(value["clusterId"], "cluster");
        assert_eq!(
            (&value["policies"][0]["removed"], &value["policies"][0]["grants"]),
            (&json!(true), &json!(2))
        );
    }
}
