//! XML as the query protocol answers it.

use std::fmt::Write;

use crate::error::AwsError;

/// `<NAME>TEXT</NAME>`, the text escaped.
pub(crate) fn text(name: &str, text: &str) -> String {
    let mut out = format!("<{name}>");
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
    // Writing to a String cannot fail.
    let _ = write!(out, "</{name}>");
    out
}

/// `<NAME>INNER</NAME>`, the inside already being XML.
pub(crate) fn group(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

/// `<NAME><member>…</member>…</NAME>`, the members already being XML.
pub(crate) fn members(name: &str, members: impl IntoIterator<Item = String>) -> String {
    let inner: String = members.into_iter().map(|member| group("member", &member)).collect();
    group(name, &inner)
}

/// The document of a success; an empty `result` is left out.
pub(crate) fn answer(operation: &str, namespace: &str, result: &str, request_id: &str) -> String {
    let result = match result {
        "" => String::new(),
        result => group(&format!("{operation}Result"), result),
    };
    let metadata = group("ResponseMetadata", &text("RequestId", request_id));
    format!("<{operation}Response xmlns=\"{namespace}\">{result}{metadata}</{operation}Response>")
}

/// The document of an error.
pub(crate) fn failure(error: &AwsError, namespace: &str, request_id: &str) -> String {
    let origin = if error.status >= 500 { "Receiver" } else { "Sender" };
    let inner = text("Type", origin) + &text("Code", error.code) + &text("Message", &error.message);
    let error = group("Error", &inner);
    format!("<ErrorResponse xmlns=\"{namespace}\">{error}{}</ErrorResponse>", text("RequestId", request_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(text("Value", "a<b>&\"c\""), "<Value>a&lt;b&gt;&amp;\"c\"</Value>");
    }

    #[test]
    fn an_operation_without_result_answers_its_metadata_only() {
        let answer = answer("TagRole", "urn:x", "", "7");
        assert_eq!(
            answer,
            "<TagRoleResponse xmlns=\"urn:x\"><ResponseMetadata><RequestId>7</RequestId></ResponseMetadata></TagRoleResponse>"
        );
    }
}
