use bedrock_iam::orphan::{Orphan, Standing};
use serde_json::{Value, json};

use super::Done;
use super::cluster::Cluster;

const HEADER: [&str; 6] = ["ROLE", "POLICY", "OBJECT", "GRANTS", "STANDING", "WHY"];

/// A line for each policy, below each other.
pub(super) fn text(cluster: &Cluster, listed: &[(Orphan, Done)]) -> String {
    if listed.is_empty() {
        return format!("no policy without an object, looked at as cluster {}\n", cluster.id);
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
            why(cluster, orphan, done),
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
pub(super) fn json(cluster: &Cluster, listed: &[(Orphan, Done)]) -> String {
    let policies: Vec<Value> = listed
        .iter()
        .map(|(orphan, done)| {
            json!({
                "role": orphan.claim.role.as_str(),
                "policy": orphan.claim.identity.policy_name(),
                "clusterId": written_under(orphan),
                "namespace": orphan.object.namespace,
                "name": orphan.object.name,
                "grants": orphan.grants,
                "standing": word(orphan.standing),
                "why": why(cluster, orphan, done),
                "removed": matches!(done, Done::Removed | Done::CutOut(_)),
            })
        })
        .collect();
    json!({"clusterId": cluster.id, "policies": policies}).to_string()
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

/// The cluster id that wrote it, where that is known.
fn written_under(orphan: &Orphan) -> Option<&str> {
    match orphan.standing {
        Standing::Withdrawn | Standing::Consented | Standing::Retained => {
            Some(&orphan.claim.tenant.cluster_id)
        }
        Standing::Elsewhere | Standing::Unknown => None,
    }
}

fn why(cluster: &Cluster, orphan: &Orphan, done: &Done) -> String {
    let text = match done {
        Done::Removed => "removed",
        Done::CutOut(names) => return format!("our statements are removed; someone else's stay: {names}"),
        Done::LookedAfter => "left: its object is there",
        Done::Retained => "left: the role's tag has a retain: entry for it now",
        Done::Gone => "it is gone already",
        Done::Failed(message) => return format!("not removed: {message}"),
        Done::Nothing => return stays(cluster, orphan),
    };
    text.to_owned()
}

fn stays(cluster: &Cluster, orphan: &Orphan) -> String {
    let id = &orphan.claim.tenant.cluster_id;
    let cause = if cluster.is_former(id) {
        format!("it was written under the former cluster id {id}")
    } else {
        "its object is gone".to_owned()
    };
    let remedy =
        if *id == cluster.id { String::new() } else { format!("--cluster-id {id} ") } + "--delete removes it";
    match orphan.standing {
        Standing::Withdrawn => format!("{cause}, and the role does not consent any more: {remedy}"),
        Standing::Consented => format!("{cause}, and the role still consents: {remedy}"),
        Standing::Retained => format!("{cause}; the role's tag lets it stay by a retain: entry"),
        Standing::Elsewhere => "another cluster id wrote it: --cluster-id names that".to_owned(),
        Standing::Unknown => "its name is cut, so its object and cluster are unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bedrock_iam::consent::ConsentPolicy;
    use bedrock_iam::orphan::{Installation, ObjectName};
    use testing::world::account;

    use super::super::cluster::tests::cluster;
    use super::*;

    fn orphan(standing: Standing) -> Orphan {
        orphan_of("now", standing)
    }

    fn orphan_of(cluster_id: &str, standing: Standing) -> Orphan {
        let object = ObjectName { namespace: "team-a".to_owned(), name: "assistant".to_owned() };
        let claim = Installation::new(cluster_id, &account(), ConsentPolicy::Tag, [])
            .claim(&object, &"a-role".parse().unwrap());
        Orphan { claim, object, grants: 2, standing }
    }

    #[test]
    fn columns_stand_below_each_other_and_every_line_says_why() {
        let listed =
            [(orphan(Standing::Consented), Done::Nothing), (orphan(Standing::Withdrawn), Done::Removed)];
        let text = text(&cluster("now", None), &listed);
        let lines: Vec<&str> = text.lines().collect();
        let at = |line: &str, word: &str| line.find(word).unwrap();
        assert_eq!(at(lines[0], "OBJECT"), at(lines[1], "team-a/assistant"));
        assert_eq!(at(lines[0], "STANDING"), at(lines[2], "Withdrawn"));
        assert!(lines[1].ends_with("--delete removes it") && lines[2].ends_with("removed"), "{text}");
    }

    #[test]
    fn json_says_what_was_removed() {
        let listed = [(orphan(Standing::Consented), Done::Removed)];
        let value: Value = serde_json::from_str(&json(&cluster("now", None), &listed)).unwrap();
        assert_eq!(value["clusterId"], "now");
        assert_eq!(value["policies"][0]["clusterId"], "now");
        assert_eq!(
            (&value["policies"][0]["removed"], &value["policies"][0]["grants"]),
            (&json!(true), &json!(2))
        );
    }

    #[test]
    fn what_a_former_cluster_id_wrote_says_so_and_how_it_is_removed() {
        let listed = |id| stays(&cluster(id, None), &orphan_of("former", Standing::Consented));
        let written = "it was written under the former cluster id former, and the role still consents: ";
        assert_eq!(listed("now"), format!("{written}--cluster-id former --delete removes it"));
        assert_eq!(listed("former"), format!("{written}--delete removes it"));
    }
}
