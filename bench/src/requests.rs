//! What the API server was asked, by its own count.

use std::collections::BTreeMap;

/// What the operator works with; the cluster's own controllers ask for none of it.
const RESOURCES: [&str; 3] = ["bedrockaccesses", "configmaps", "events"];

/// Requests by verb and resource, such as `PATCH bedrockaccesses/status`. A watch counts when it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requests(BTreeMap<String, u64>);

impl Requests {
    /// From `apiserver_request_total` of the API server's metrics.
    pub(crate) fn parse(metrics: &str) -> Self {
        let mut counts = BTreeMap::new();
        for (key, count) in metrics.lines().filter_map(counted) {
            *counts.entry(key).or_default() += count;
        }
        Self(counts)
    }

    pub(crate) fn since(&self, before: &Self) -> Self {
        let more = self.0.iter().map(|(key, count)| {
            (key.clone(), count - before.0.get(key).copied().unwrap_or_default().min(*count))
        });
        Self(more.filter(|(_, count)| *count > 0).collect())
    }

    pub(crate) fn counts(&self) -> &BTreeMap<String, u64> {
        &self.0
    }

    /// To objects, their Events and the record.
    pub(crate) fn writes(&self) -> u64 {
        let is_write = |key: &str| !["GET ", "LIST ", "WATCH "].iter().any(|verb| key.starts_with(verb));
        self.0.iter().filter(|(key, _)| is_write(key)).map(|(_, count)| count).sum()
    }

    /// Those to the record alone: objects share them.
    pub(crate) fn writes_of_the_record(&self) -> u64 {
        let is_write = |key: &str| ["PATCH configmaps", "POST configmaps"].contains(&key);
        self.0.iter().filter(|(key, _)| is_write(key)).map(|(_, count)| count).sum()
    }
}

fn counted(line: &str) -> Option<(String, u64)> {
    let (labels, count) = line.strip_prefix("apiserver_request_total{")?.split_once("} ")?;
    let label = |name: &str| {
        labels.split(',').find_map(|label| label.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"'))
    };
    let (verb, resource, part) = (label("verb")?, label("resource")?, label("subresource")?);
    if !RESOURCES.contains(&resource) {
        return None;
    }
    // "APPLY" is a PATCH of the type server-side apply.
    let verb = if verb == "APPLY" { "PATCH" } else { verb };
    let slash = if part.is_empty() { "" } else { "/" };
    Some((format!("{verb} {resource}{slash}{part}"), count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(verb: &str, resource: &str, part: &str, code: u16, count: u64) -> String {
        format!(
            "apiserver_request_total{{code=\"{code}\",component=\"apiserver\",dry_run=\"\",group=\"g\",\
             resource=\"{resource}\",scope=\"resource\",subresource=\"{part}\",verb=\"{verb}\",version=\"v1\"}} {count}\n"
        )
    }

    #[test]
    fn requests_are_summed_by_verb_and_resource_whatever_was_answered() {
        let before = Requests::parse(&line("GET", "bedrockaccesses", "", 200, 5));
        let text = [
            line("GET", "bedrockaccesses", "", 200, 7),
            line("GET", "bedrockaccesses", "", 404, 1),
            line("APPLY", "bedrockaccesses", "status", 200, 10),
            line("POST", "events", "", 201, 4),
            line("PUT", "leases", "", 200, 99),
        ];
        let since = Requests::parse(&text.concat()).since(&before);
        let expected = [("GET bedrockaccesses", 3), ("PATCH bedrockaccesses/status", 10), ("POST events", 4)];
        assert_eq!(since.counts(), &expected.map(|(key, count)| (key.to_owned(), count)).into());
        assert_eq!(since.writes(), 14);
        let record =
            [line("PATCH", "configmaps", "", 200, 3), line("POST", "configmaps", "", 409, 1)].concat();
        assert_eq!(Requests::parse(&record).writes_of_the_record(), 4);
    }
}
