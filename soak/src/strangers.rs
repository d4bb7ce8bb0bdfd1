//! Statements that someone puts into the operators' policies, beside their own: they are kept, in meaning.

use std::collections::BTreeMap;

use bedrock_iam::Document;
use fastrand::Rng;
use serde_json::{Value, json};

/// No other statement names such a model.
const MODEL: &str = "arn:aws:bedrock:us-east-1::foundation-model/acme.chat-";

/// Two of them look like the operators' own.
const SIDS: [Option<&str>; 5] =
    [Some("BedrockAccess9"), Some("BedrockAccess12"), Some("BedrockAccessMore"), Some("Theirs"), None];

/// Each stranger's statement in a policy, without its Sid, and the Sid.
pub(crate) type Strangers = BTreeMap<String, Option<String>>;

/// One that is unlike any other.
pub(crate) fn draw(rng: &mut Rng) -> Value {
    let model = format!("{MODEL}{}", rng.u32(..));
    let mut statement = json!({"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": model});
    if let Some(sid) = SIDS[rng.usize(0..SIDS.len())] {
        statement["Sid"] = sid.into();
    }
    statement
}

/// Whether a statement is a stranger's.
pub(crate) fn is_one(statement: &Value) -> bool {
    statement["Resource"].as_str().is_some_and(|resource| resource.starts_with(MODEL))
}

/// Those in a policy; none in what is no policy.
pub(crate) fn of(text: &str) -> Strangers {
    let Ok(document) = Document::parse(text) else { return Strangers::new() };
    let theirs = document.statement.into_iter().filter(|statement| {
        !statement.resource.is_empty()
            && statement.resource.iter().all(|resource| resource.starts_with(MODEL))
    });
    let apart = theirs.map(|mut statement| {
        let sid = statement.sid.take();
        (json!(statement).to_string(), sid)
    });
    apart.collect()
}

/// Whether a Sid is one that the operators may have given.
pub(crate) fn looks_like_ours(sid: Option<&String>) -> bool {
    let number = sid.and_then(|sid| sid.strip_prefix("BedrockAccess"));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_s_statement_is_known_by_its_model_whatever_its_sid_is() {
        let mut rng = Rng::with_seed(1);
        let (first, second) = (draw(&mut rng), draw(&mut rng));
        let ours = json!({"Sid": "BedrockAccess1", "Effect": "Allow", "Action": "a:b", "Resource": "*"});
        let policy =
            |statements: &[&Value]| json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let found = of(&policy(&[&ours, &first, &second]));
        assert_eq!(found.len(), 2);
        let mut renamed = first.clone();
        renamed["Sid"] = "Other".into();
        let again = of(&policy(&[&renamed]));
        assert!(again.keys().all(|statement| found.contains_key(statement)));
        assert!(of(&policy(&[&ours])).is_empty() && of("").is_empty());
        assert!(is_one(&first) && !is_one(&ours));
    }

    #[test]
    fn only_a_number_behind_the_prefix_looks_like_ours() {
        let looks = |sid: &str| looks_like_ours(Some(&sid.to_owned()));
        assert!(looks("BedrockAccess9") && !looks("BedrockAccessMore") && !looks("Theirs"));
        assert!(!looks_like_ours(None));
    }
}
