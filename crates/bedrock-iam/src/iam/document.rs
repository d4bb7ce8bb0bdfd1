//! IAM policy documents: what we write, and what GetRolePolicy returns.
//!
//! Grammar: IAM User Guide, "Grammar of the IAM JSON policy language". An element that an identity policy cannot have is
//! an error, so that nothing in a document is overlooked.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use percent_encoding::percent_decode_str;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The only version with which policy variables and our conditions mean what they should.
const VERSION: &str = "2012-10-17";

/// What IAM assumes where a document names no version (IAM User Guide, "IAM JSON policy elements: Version").
const DEFAULT_VERSION: &str = "2008-10-17";

/// A decimal number of so many digits is the same after it went through a 64-bit float.
const EXACT_DIGITS: usize = 15;

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Document {
    /// `2012-10-17` in what we write; an older document of someone else's may have `2008-10-17`, or none.
    #[serde(default = "default_version")]
    pub version: String,
    /// A name that IAM ignores; never written by us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The statements.
    #[serde(deserialize_with = "one_or_many")]
    pub statement: Vec<Statement>,
}

/// One statement; `action` and `not_action`, `resource` and `not_resource` exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Statement {
    /// The statement's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// The actions meant.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many",
        serialize_with = "short"
    )]
    pub action: Vec<String>,
    /// All actions but these; never written by us.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many",
        serialize_with = "short"
    )]
    pub not_action: Vec<String>,
    /// The resources meant.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many",
        serialize_with = "short"
    )]
    pub resource: Vec<String>,
    /// All resources but these; never written by us.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many",
        serialize_with = "short"
    )]
    pub not_resource: Vec<String>,
    /// Operator → condition key → values; all must hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "conditions")]
    pub condition: Conditions,
}

impl Statement {
    /// The values of a condition key under an operator; none where it is not conditioned by that.
    pub(crate) fn values(&self, operator: &str, key: &str) -> &[String] {
        let values = self.condition.get(operator).and_then(|keys| keys.get(key));
        values.map_or(&[], |Values(values)| values)
    }
}

/// Operator → condition key → values.
pub type Conditions = BTreeMap<String, BTreeMap<String, Values>>;

/// Allow or Deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Effect {
    /// Grants, unless something denies.
    Allow,
    /// Denies, whatever else grants.
    Deny,
}

/// The values of a condition key; numbers and booleans are read as the strings that IAM compares.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Values(#[serde(deserialize_with = "scalars")] pub Vec<String>);

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        short(&self.0, serializer)
    }
}

/// A text that is no identity policy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDocument {
    /// Percent-encoding that does not decode to UTF-8.
    #[error("the policy document is not UTF-8 once percent-decoded")]
    Encoding(#[source] std::str::Utf8Error),
    /// Something other than a JSON object.
    #[error("the policy document is not a JSON object")]
    NoObject,
    /// Not JSON, or not the elements of an identity policy.
    #[error("the policy document is not an identity policy: {0}")]
    Json(#[from] serde_json::Error),
}

impl Document {
    /// A document of these statements in the current policy version.
    pub fn new(statement: Vec<Statement>) -> Self {
        Self { version: VERSION.to_owned(), id: None, statement }
    }

    /// Reads what GetRolePolicy returns (percent-encoded, RFC 3986) as well as plain JSON.
    ///
    /// # Errors
    ///
    /// The text is no JSON object, or has an element that an identity policy does not.
    pub fn parse(text: &str) -> Result<Self, InvalidDocument> {
        if text.trim_start().starts_with('{') {
            return Ok(serde_json::from_str(text)?);
        }
        let decoded = percent_decode_str(text).decode_utf8().map_err(InvalidDocument::Encoding)?;
        if !decoded.trim_start().starts_with('{') {
            // serde would also read the elements in order from an array.
            return Err(InvalidDocument::NoObject);
        }
        Ok(serde_json::from_str(&decoded)?)
    }

    /// The compact JSON that PutRolePolicy takes.
    pub fn to_json(&self) -> String {
        // Strings and lists of strings always serialise; IAM would refuse the empty text.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The size as IAM counts it against a quota: characters without white space (IAM quotas page).
    pub fn characters(&self) -> usize {
        self.to_json().chars().filter(|c| !c.is_whitespace()).count()
    }
}

fn default_version() -> String {
    DEFAULT_VERSION.to_owned()
}

fn short<S: Serializer>(values: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match values {
        [only] => only.serialize(serializer),
        _ => values.serialize(serializer),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

/// A JSON object without a repeated key: serde would keep the last, and overlook the others.
struct Unambiguous<T>(BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unambiguous<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = BTreeMap<String, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut map = BTreeMap::new();
                while let Some((key, value)) = entries.next_entry::<String, T>()? {
                    if map.contains_key(&key) {
                        return Err(A::Error::custom(format_args!("{key:?} appears twice")));
                    }
                    map.insert(key, value);
                }
                Ok(map)
            }
        }
        deserializer.deserialize_map(Entries(PhantomData)).map(Self)
    }
}

fn conditions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Conditions, D::Error> {
    let operators = Unambiguous::<Unambiguous<Values>>::deserialize(deserializer)?.0;
    Ok(operators.into_iter().map(|(operator, keys)| (operator, keys.0)).collect())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Flag(bool),
    Number(serde_json::Number),
}

fn scalars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let scalars: Vec<Scalar> = one_or_many(deserializer)?;
    let text = |scalar| match scalar {
        Scalar::Text(text) => Ok(text),
        Scalar::Flag(flag) => Ok(flag.to_string()),
        Scalar::Number(number) if is_exact(&number) => Ok(number.to_string()),
        Scalar::Number(number) => {
            Err(D::Error::custom(format_args!("the number {number} cannot be kept exactly")))
        }
    };
    scalars.into_iter().map(text).collect()
}

/// Whether the number that was read is the one that was written: someone else's statement may be written back.
fn is_exact(number: &serde_json::Number) -> bool {
    let text = number.to_string();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    !number.is_f64() || (digits <= EXACT_DIGITS && !text.contains('e'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:B","Resource":"*",
        "Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"x:y":5}}}}"#;

    #[test]
    fn one_and_many_scalars_and_text_read_alike() {
        let document = Document::parse(ONE).unwrap();
        assert_eq!(document.statement[0].action, ["a:B"]);
        assert_eq!(document.statement[0].condition["Bool"]["aws:SecureTransport"].0, ["true"]);
        assert_eq!(document.statement[0].condition["NumericLessThan"]["x:y"].0, ["5"]);
    }

    #[test]
    fn the_percent_encoded_document_of_get_role_policy_reads_like_the_plain_one() {
        let encoded =
            percent_encoding::utf8_percent_encode(ONE, percent_encoding::NON_ALPHANUMERIC).to_string();
        assert_eq!(Document::parse(&encoded).unwrap(), Document::parse(ONE).unwrap());
    }

    #[test]
    fn unknown_elements_and_broken_text_are_errors_not_guesses() {
        for text in [
            "",
            "%ff",
            "[]",
            "{}",
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*"}]}"#,
        ] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_repeated_key_is_an_error_wherever_it_stands() {
        let whole = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:B","Resource":"*",
            "Condition":{"StringEquals":{"k":"1"},"Null":{"k":"true"}}}]}"#;
        assert!(Document::parse(whole).is_ok());
        for (from, to) in [
            (r#""k":"1""#, r#""k":"1","k":"2""#),
            (r#""Null""#, r#""StringEquals""#),
            (r#""Effect":"Allow""#, r#""Effect":"Allow","Effect":"Deny""#),
            (r#""Version":"2012-10-17""#, r#""Version":"2012-10-17","Version":"2012-10-17""#),
        ] {
            assert!(Document::parse(&whole.replace(from, to)).is_err(), "{to}");
        }
    }

    #[test]
    fn a_number_that_would_change_on_the_way_is_an_error() {
        let with = |number: &str| Document::parse(&ONE.replace(r#""x:y":5"#, &format!(r#""x:y":{number}"#)));
        for (number, read) in
            [("-5", "-5"), ("0.25", "0.25"), ("18446744073709551615", "18446744073709551615")]
        {
            assert_eq!(with(number).unwrap().statement[0].condition["NumericLessThan"]["x:y"].0, [read]);
        }
        for number in ["18446744073709551616", "1e300", "0.12345678901234567"] {
            assert!(with(number).is_err(), "{number}");
        }
    }

    #[test]
    fn a_document_without_a_version_has_the_one_that_iam_assumes() {
        let document = Document::parse(&ONE.replace(r#""Version":"2012-10-17","#, "")).unwrap();
        assert_eq!(document.version, "2008-10-17");
    }

    #[test]
    fn white_space_does_not_count() {
        let document = Document::parse(ONE).unwrap();
        assert_eq!(document.characters(), document.to_json().len());
    }
}
