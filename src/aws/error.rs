//! From the SDK's errors to a class that decides and a message that stays the same.

use aws_sdk_iam::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use bedrock_iam::{Class, Fault};

use super::operations::Operation;
use crate::fence::Closed;

/// The same whether or not the call was sent, so that a status comes to rest while nothing answers.
const UNANSWERED: &str = "AWS does not answer; it is tried again";

/// A call that is not sent, because the circuit breaker is open.
pub(super) fn not_sent(operation: Operation, subject: &str) -> Fault {
    Fault { class: Class::Unanswered, message: format!("{operation} of {subject}: {UNANSWERED}") }
}

/// A call that is not waited for any longer, because others get no answer either.
pub(super) fn not_answered(operation: Operation, subject: &str) -> Fault {
    let (service, name) = (operation.service(), operation.name());
    tracing::warn!(service, operation = name, subject, "call to AWS given up: the service does not answer");
    not_sent(operation, subject)
}

/// Classifies a failed call. The message names operation, subject and code, and for a denial what AWS said of it; the rest goes to
/// the log, because it may hold request ids, and a message that changes would never let a status come to rest.
pub(super) fn fault<E>(operation: Operation, subject: &str, error: &SdkError<E>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (class, code) = classify(error);
    if class != Class::NotFound {
        let (service, name) = (operation.service(), operation.name());
        tracing::warn!(service, operation = name, subject, code, error = %DisplayErrorContext(error), "call to AWS failed");
    }
    let explanation = match class {
        Class::Denied => {
            let said = said_by(error).map(|said| format!(": {said}")).unwrap_or_default();
            format!(
                "access denied ({code}){said}; grant the operator {operation}, unless a policy above it denies that"
            )
        }
        Class::NotFound => format!("not found ({code})"),
        Class::Protected => format!("only AWS may modify it ({code})"),
        Class::Quota => format!("a quota would be exceeded ({code})"),
        Class::Rejected => format!("AWS refused the request ({code})"),
        Class::Throttled => format!("AWS limits the account's requests ({code}); it is tried again"),
        Class::Unanswered => UNANSWERED.to_owned(),
        Class::Unavailable => format!("AWS cannot answer ({code}); it is tried again"),
    };
    Fault { class, message: format!("{operation} of {subject}: {explanation}") }
}

/// Of what AWS says, in characters.
const LONGEST_SENTENCE: usize = 400;

/// AWS's own sentence: which principal, action and resource, and which kind of policy denies it.
fn said_by<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<String> {
    let SdkError::ServiceError(failure) = error else { return None };
    let sentence = stable(failure.err().message()?);
    (!sentence.is_empty()).then_some(sentence)
}

/// Without what differs from call to call and from pod to pod: request ids, encoded details, the session's name.
fn stable(sentence: &str) -> String {
    const ENDS: [&str; 4] = ["Encoded authorization failure message", "(Service:", "Request ID", "RequestId"];
    let end = ENDS.iter().filter_map(|end| sentence.find(end)).min().unwrap_or(sentence.len());
    let words = sentence[..end].split_whitespace().map(|word| match word.split_once(":assumed-role/") {
        Some((before, assumed)) => {
            let role = assumed.split('/').next().unwrap_or_default();
            format!("{before}:assumed-role/{role}")
        }
        None => word.to_owned(),
    });
    let text = words.collect::<Vec<_>>().join(" ");
    let printable = text.chars().filter(|c| !c.is_control()).take(LONGEST_SENTENCE);
    printable.collect::<String>().trim_end_matches(['.', ' ', ';']).to_owned()
}

/// A write that may have been sent, but is not sent again.
pub(super) fn given_up(operation: Operation, subject: &str, closed: Closed) -> Fault {
    let (service, name) = (operation.service(), operation.name());
    tracing::warn!(service, operation = name, subject, error = %closed, "write to AWS given up");
    let message = format!("{operation} of {subject}: given up, since {closed}; it is tried again");
    Fault { class: Class::Unavailable, message }
}

fn classify<E: ProvideErrorMetadata>(error: &SdkError<E>) -> (Class, &str) {
    match error {
        SdkError::ConstructionFailure(_) => (Class::Unavailable, "the request could not be built"),
        SdkError::TimeoutError(_) => (Class::Unanswered, "time limit exceeded"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            (Class::Unanswered, "time limit exceeded")
        }
        SdkError::DispatchFailure(failure) if failure.is_io() => (Class::Unanswered, "connection failed"),
        SdkError::DispatchFailure(_) => (Class::Unavailable, "no usable credentials or endpoint"),
        // The SDK takes a success that it cannot read for an error of the service.
        SdkError::ServiceError(failure) if failure.raw().status().is_success() => {
            (Class::Unavailable, "unreadable answer")
        }
        SdkError::ServiceError(failure) => {
            let status = failure.raw().status().as_u16();
            let code = failure.err().code().unwrap_or("unknown error");
            (of_code(code, status), code)
        }
        _ => (Class::Unavailable, "unreadable answer"),
    }
}

/// Codes: IAM and Bedrock API references, "Errors" and "Common errors". IAM throttles with status 400.
fn of_code(code: &str, status: u16) -> Class {
    match code {
        // Bedrock rejects an id that it has never heard of (ValidationException) as it denies knowing another.
        "NoSuchEntity" | "ResourceNotFoundException" | "ValidationException" => Class::NotFound,
        "UnmodifiableEntity" => Class::Protected,
        "LimitExceeded" => Class::Quota,
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequestsException" => {
            Class::Throttled
        }
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "OptInRequired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Class::Denied,
        _ if status == 429 => Class::Throttled,
        _ if status >= 500 => Class::Unavailable,
        _ => Class::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_says_is_shown_without_what_differs_from_call_to_call() {
        let user = "User: arn:aws:sts::111122223333:assumed-role/bedrock-access/eks-pod-7f9 is not authorized to perform: \
                    iam:PutRolePolicy on resource: role app with an explicit deny in a service control policy";
        let expected = "User: arn:aws:sts::111122223333:assumed-role/bedrock-access is not authorized to perform: \
                        iam:PutRolePolicy on resource: role app with an explicit deny in a service control policy";
        for end in [
            "",
            ".",
            " (Service: Iam, Status Code: 403, Request ID: 1-2)",
            ". RequestId: 3",
            " Encoded authorization failure message: x",
        ] {
            assert_eq!(stable(&format!("{user}{end}")), expected, "{end}");
        }
        assert_eq!(stable("a\n\tb\u{7}"), "a b");
        assert!(stable(&"é".repeat(1000)).chars().count() <= LONGEST_SENTENCE);
    }

    #[test]
    fn codes_decide_before_the_status() {
        assert_eq!(of_code("Throttling", 400), Class::Throttled);
        assert_eq!(of_code("NoSuchEntity", 404), Class::NotFound);
        assert_eq!(of_code("UnmodifiableEntity", 400), Class::Protected);
        assert_eq!(of_code("LimitExceeded", 409), Class::Quota);
        assert_eq!(of_code("AccessDeniedException", 403), Class::Denied);
        assert_eq!(of_code("MalformedPolicyDocument", 400), Class::Rejected);
        assert_eq!(of_code("ServiceFailure", 500), Class::Unavailable);
        assert_eq!(of_code("SlowDown", 429), Class::Throttled);
        assert_eq!(of_code("ValidationException", 400), Class::NotFound);
        assert_eq!(of_code("InvalidSignatureException", 403), Class::Denied);
    }
}
