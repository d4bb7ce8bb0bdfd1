//! Use through API keys.

use bedrock_iam::*;

use super::world::*;

#[test]
fn short_term_keys_are_let_in_where_they_are_asked_for_and_long_term_ones_never() {
    for api_keys in [true, false] {
        let document = written(Extras { api_keys, ..Extras::default() });
        assert_eq!(calls_with_key(&document, Some("SHORT_TERM")), api_keys);
        assert!(!calls_with_key(&document, Some("LONG_TERM")) && !calls_with_key(&document, None));
    }
}

#[test]
fn a_statement_that_was_widened_to_long_term_keys_is_put_right() {
    let wanted = wanting(Extras { api_keys: true, ..Extras::default() });
    let document = written(wanted.terms.extras.clone());
    let widened = document.to_json().replace("\"SHORT_TERM\"", "[\"SHORT_TERM\",\"LONG_TERM\"]");
    let widened = Document::parse(&widened).unwrap();
    assert!(calls_with_key(&widened, Some("LONG_TERM")));
    let plan = plan(&wanted, &answer(), Some(&widened));
    assert_eq!(testing::world::put(&plan).document, document);
}
