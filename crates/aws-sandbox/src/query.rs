//! Parameters of a request: a form body of the query protocol, or a URL's query.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// Parameters by name; of a name given twice the last value counts.
#[derive(Debug, Default)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads `name=value&…`, percent-encoded, `+` for a blank.
    pub(crate) fn parse(text: &str) -> Self {
        let decode =
            |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        )
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The values of `LIST.member.1`, `LIST.member.2` …, up to the first that is missing.
    pub(crate) fn list(&self, list: &str) -> Vec<&str> {
        (1..).map_while(|number| self.get(&format!("{list}.member.{number}"))).collect()
    }

    /// The pairs of `LIST.member.1.Key` and `LIST.member.1.Value` …, up to the first key that is missing.
    pub(crate) fn pairs(&self, list: &str) -> Vec<(&str, &str)> {
        (1..)
            .map_while(|number| {
                let key = self.get(&format!("{list}.member.{number}.Key"))?;
                Some((key, self.get(&format!("{list}.member.{number}.Value")).unwrap_or_default()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let form = Parameters::parse("Action=TagRole&RoleName=a%2Bb&Description=two+words&Empty=&Bare");
        assert_eq!(form.get("RoleName"), Some("a+b"));
        assert_eq!(form.get("Description"), Some("two words"));
        assert_eq!((form.get("Empty"), form.get("Bare"), form.get("None")), (Some(""), Some(""), None));
    }

    #[test]
    fn lists_are_read_in_their_order() {
        let form = Parameters::parse(
            "Tags.member.2.Key=b&Tags.member.2.Value=2&Tags.member.1.Key=a&Tags.member.1.Value=1&TagKeys.member.1=x",
        );
        assert_eq!(form.pairs("Tags"), [("a", "1"), ("b", "2")]);
        assert_eq!(form.list("TagKeys"), ["x"]);
    }
}
