//! The name under which one `BedrockAccess` writes, and the mark by which it knows its own policy again.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::iam::canonical::CanonicalPolicy;
use crate::iam::document::Document;
use crate::names::identifier::RoleName;

/// The prefix of every Sid that we write.
const SID_PREFIX: &str = "BedrockAccess";

/// 80 bits in base 32.
const HASH_LENGTH: usize = 16;

/// 40 bits in hexadecimal: enough to notice an edit; Sids cost quota.
const CHECKSUM_LENGTH: usize = 10;

/// 128 characters: PutRolePolicy, `PolicyName`.
const MAX_POLICY_NAME: usize = 128;

/// What stands before the hash, without the dot between them.
const LONGEST_READABLE: usize = MAX_POLICY_NAME - 1 - HASH_LENGTH;

/// RFC 4648 base 32 in lower case: the densest alphabet that both a Sid and a policy name allow without regard to case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

const POLICY_NAME_PREFIX: &str = "bedrock-access";

/// The inline policy's name and first Sid, derived from (cluster id, namespace, name).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyIdentity {
    name: String,
    hash: String,
}

impl PolicyIdentity {
    /// The same three strings always give the same identity; different ones differ in 80 bits of SHA-256.
    pub fn derive(cluster_id: &str, namespace: &str, name: &str) -> Self {
        let hash = base32(&Sha256::digest(format!("{cluster_id}\n{namespace}\n{name}"))[..10]);
        let readable: String = format!("{POLICY_NAME_PREFIX}.{namespace}.{name}")
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(*c))
            .take(LONGEST_READABLE)
            .collect();
        Self { name: format!("{readable}.{hash}"), hash }
    }

    /// The inline policy's name: readable, unique, at most 128 characters.
    pub fn policy_name(&self) -> &str {
        &self.name
    }

    /// Reads the name of a policy that an installation of this operator may have written, whichever that is.
    pub fn of_policy_name(name: &str) -> Option<Self> {
        let (readable, hash) = name.rsplit_once('.')?;
        let is_hash = hash.len() == HASH_LENGTH && hash.bytes().all(|byte| BASE32.contains(&byte));
        let is_ours = is_hash && readable.strip_prefix(POLICY_NAME_PREFIX)?.starts_with('.');
        is_ours.then(|| Self { name: name.to_owned(), hash: hash.to_owned() })
    }

    /// The namespace and name in the policy's name, and whether that name may have been cut: a namespace is short enough to
    /// stand there whole.
    pub(crate) fn object(&self) -> Option<(&str, &str, bool)> {
        let (readable, _) = self.name.rsplit_once('.')?;
        let (namespace, name) =
            readable.strip_prefix(POLICY_NAME_PREFIX)?.strip_prefix('.')?.split_once('.')?;
        Some((namespace, name, readable.len() == LONGEST_READABLE))
    }

    /// By what a policy on one role is known among all that were ever written, in letters and digits of base 32 and a dot. An object
    /// that was created anew may have named another role before. IAM tells no roles apart by case, and neither does the key.
    pub fn key_on(&self, role: &RoleName) -> String {
        self.key_of(&role.as_str().to_ascii_lowercase())
    }

    /// The keys by which it may be known: that of now, and that from when roles were told apart by case.
    pub fn keys_on(&self, role: &RoleName) -> BTreeSet<String> {
        [self.key_on(role), self.key_of(role.as_str())].into()
    }

    /// Whether a key is one by which it may be known.
    pub fn is_known_as(&self, key: &str, role: &RoleName) -> bool {
        key.starts_with(&self.hash) && self.keys_on(role).contains(key)
    }

    fn key_of(&self, role: &str) -> String {
        format!("{}.{}", self.hash, base32(&Sha256::digest(role)[..5]))
    }

    /// What the first Sid of our policy begins with, and no Sid of another.
    pub fn marker(&self) -> String {
        format!("{SID_PREFIX}{}", self.hash)
    }

    /// Names the statements. The first Sid carries the ownership marker and a checksum over what the policy means, so that an edit shows without
    /// anything being remembered; the others stay short for the quota's sake.
    pub(crate) fn sign(&self, document: &mut Document) {
        let checksum = CanonicalPolicy::of(document).digest().to_string();
        self.name_statements(document, &checksum[..CHECKSUM_LENGTH]);
    }

    /// Names the statements by Sids of the same length as the right ones, for a document that is only measured.
    pub(crate) fn measure(&self, document: &mut Document) {
        self.name_statements(document, &"0".repeat(CHECKSUM_LENGTH));
    }

    fn name_statements(&self, document: &mut Document, checksum: &str) {
        for (index, statement) in document.statement.iter_mut().enumerate() {
            statement.sid = Some(match index {
                0 => format!("{}{checksum}", self.marker()),
                _ => format!("{SID_PREFIX}{index}"),
            });
        }
    }

    /// Which statements of a document with our mark are ours, each by its place in it.
    ///
    /// The checksum tells: it covers the statement with our marker and those with the numbers behind it. Whatever else has a Sid like ours was put
    /// there by someone who wrote alike. Where the checksum covers no such row, one of ours was edited, and every Sid like ours counts.
    pub(crate) fn own_statements(&self, document: &Document) -> BTreeSet<usize> {
        let sid = |place: usize| document.statement[place].sid.as_deref().unwrap_or_default();
        let places = || 0..document.statement.len();
        let numbered: BTreeMap<usize, usize> =
            places().filter_map(|place| Some((number(sid(place))?, place))).collect();
        let row = (1..).map_while(|number| numbered.get(&number).copied());
        let row: Vec<usize> = row.collect();
        for head in places().filter(|place| self.is_marker(sid(*place))) {
            // The longest first: what adds nothing to the meaning is no one's concern.
            for length in (0..=row.len()).rev() {
                let own: BTreeSet<usize> = row[..length].iter().copied().chain([head]).collect();
                let covered = own.iter().map(|place| document.statement[*place].clone()).collect();
                if has_own_checksum(&Document::new(covered)) {
                    return own;
                }
            }
        }
        places().filter(|place| self.is_marker(sid(*place)) || number(sid(*place)).is_some()).collect()
    }

    /// Whether a Sid is the first one of our policy.
    pub(crate) fn is_marker(&self, sid: &str) -> bool {
        sid.strip_prefix(&self.marker()).is_some_and(|rest| rest.is_empty() || is_checksum(rest))
    }
}

/// Whether the checksum on a policy of ours is that of what it means.
pub(crate) fn has_own_checksum(document: &Document) -> bool {
    was_written_as(document, &CanonicalPolicy::of(document)) == Some(true)
}

/// Whether `meaning` is what we last wrote, by the checksum in a policy of ours, which an edit leaves behind; `None` without one.
pub(crate) fn was_written_as(document: &Document, meaning: &CanonicalPolicy) -> Option<bool> {
    checksum(document).map(|checksum| meaning.digest().to_string().starts_with(checksum))
}

fn checksum(document: &Document) -> Option<&str> {
    let mut sids = document.statement.iter().filter_map(|statement| statement.sid.as_deref());
    sids.find_map(|sid| sid.strip_prefix(SID_PREFIX)?.get(HASH_LENGTH..).filter(|rest| is_checksum(rest)))
}

/// Far more than the statements of a policy; another policy's hash is longer.
const LONGEST_NUMBER: usize = 4;

/// The number in the Sid of a statement behind the first one.
fn number(sid: &str) -> Option<usize> {
    let digits = sid.strip_prefix(SID_PREFIX)?;
    let is_number = (1..=LONGEST_NUMBER).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

fn is_checksum(text: &str) -> bool {
    text.len() == CHECKSUM_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn base32(bytes: &[u8]) -> String {
    bytes
        .chunks(5)
        .flat_map(|chunk| {
            let bits = chunk.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            (0..chunk.len() * 8 / 5).rev().map(move |i| BASE32[(bits >> (5 * i) & 31) as usize] as char)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_readable_and_ends_with_eighty_bits_of_hash() {
        let identity = PolicyIdentity::derive("cluster", "team-a", "assistant");
        let hash = identity.marker()[SID_PREFIX.len()..].to_owned();
        assert_eq!(identity.policy_name(), format!("bedrock-access.team-a.assistant.{hash}"));
        assert_eq!(hash.len(), HASH_LENGTH);
    }

    #[test]
    fn the_seal_shows_an_edit_and_nothing_else() {
        let written = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"a:B","Resource":["r","s"]},{"Effect":"Deny","Action":"a:C","Resource":"*"}]}"#;
        let mut document = Document::parse(written).unwrap();
        assert!(!has_own_checksum(&document));
        let identity = PolicyIdentity::derive("cluster", "team-a", "assistant");
        identity.sign(&mut document);
        let sids: Vec<&str> =
            document.statement.iter().filter_map(|statement| statement.sid.as_deref()).collect();
        assert!(identity.is_marker(sids[0]) && sids[1] == "BedrockAccess1", "{sids:?}");
        document.statement.reverse();
        document.statement[1].resource.reverse();
        assert!(has_own_checksum(&document), "order is no edit");
        document.statement[0].resource = vec!["r".to_owned()];
        assert!(!has_own_checksum(&document));
    }

    #[test]
    fn the_longest_names_fit_and_still_differ() {
        let long = |last: &str| PolicyIdentity::derive("c", &"n".repeat(63), &("x".repeat(252) + last));
        assert_eq!(long("a").policy_name().len(), 128);
        assert_ne!(long("a").policy_name(), long("b").policy_name());
    }

    #[test]
    fn a_policy_name_is_read_back() {
        let identity = PolicyIdentity::derive("cluster", "team-a", "assistant.v2");
        assert_eq!(PolicyIdentity::of_policy_name(identity.policy_name()), Some(identity.clone()));
        assert_eq!(identity.object(), Some(("team-a", "assistant.v2", false)));
        let cut = PolicyIdentity::derive("cluster", &"n".repeat(63), &"x".repeat(33));
        assert_eq!(cut.object(), Some(("n".repeat(63).as_str(), "x".repeat(32).as_str(), true)));
        for name in ["bedrock-access", "bedrock-access.a.b.short", "other.a.b.aaaaaaaaaaaaaaaa", "a..b", ""] {
            assert_eq!(PolicyIdentity::of_policy_name(name), None, "{name}");
        }
    }

    #[test]
    fn the_key_of_a_policy_tells_roles_apart_and_suits_a_config_map() {
        let identity = PolicyIdentity::derive("cluster", "team-a", "assistant");
        let key = |role: &str| identity.key_on(&role.parse().unwrap());
        assert_ne!(key("one"), key("other"));
        assert_eq!(key("one"), key("oNe"), "IAM takes them for one role");
        let keys = |role: &str| identity.keys_on(&role.parse().unwrap());
        assert_eq!(keys("one"), [key("one")].into());
        assert!(keys("oNe").len() == 2 && keys("oNe").contains(&key("one")), "as it was written before");
        let odd = key("a+role=with,odd@characters_");
        assert!(
            odd.len() == 25 && odd.bytes().all(|byte| byte == b'.' || byte.is_ascii_alphanumeric()),
            "{odd}"
        );
    }

    #[test]
    fn cluster_namespace_and_name_each_count() {
        let names = [("c", "a", "b"), ("d", "a", "b"), ("c", "b", "a"), ("c", "a", "c")]
            .map(|(cluster, ns, name)| PolicyIdentity::derive(cluster, ns, name).policy_name().to_owned());
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }

    #[test]
    fn base32_is_the_standard_one() {
        assert_eq!(base32(b"fooba"), "mzxw6ytb");
        assert_eq!(base32(b"foobafooba"), "mzxw6ytbmzxw6ytb");
    }
}
