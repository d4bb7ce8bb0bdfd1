//! Mistakes in `role`.

use super::refusals;

refusals! {
    a_role_with_both_name_and_arn_is_refused:
        "/role", {"name": "assistant", "arn": "arn:aws:iam::123456789012:role/assistant"}
        => {"arn": "arn:aws:iam::123456789012:role/team/assistant"},
        "spec.role": "set exactly one of name and arn";
    a_role_with_neither_name_nor_arn_is_refused:
        "/role", {} => {"name": "assistant"},
        "spec.role": "set exactly one of name and arn";
    a_role_name_with_a_path_is_refused:
        "/role/name", "team/assistant" => "assistant",
        "spec.role.name": "a role name is 1 to 64 letters, digits or _+=,.@- without the path; write a role's ARN as arn, not as name";
    a_role_name_that_is_an_arn_is_refused:
        "/role", {"name": "arn:aws:iam::123456789012:role/assistant"} => {"arn": "arn:aws:iam::123456789012:role/assistant"},
        "spec.role.name": "a role name is 1 to 64 letters, digits or _+=,.@- without the path; write a role's ARN as arn, not as name";
    a_role_name_longer_than_iam_allows_is_refused:
        "/role/name", "x2345678901234567890123456789012345678901234567890123456789012345"
        => "x234567890123456789012345678901234567890123456789012345678901234",
        "spec.role.name": "a role name is 1 to 64 letters, digits or _+=,.@- without the path; write a role's ARN as arn, not as name";
    a_role_arn_with_a_wildcard_is_refused:
        "/role", {"arn": "arn:aws:iam::123456789012:role/*"} => {"arn": "arn:aws-us-gov:iam::123456789012:role/assistant"},
        "spec.role.arn": "write out the one role's ARN: no '*', '?' or '$'";
    the_arn_of_an_assumed_role_is_refused:
        "/role", {"arn": "arn:aws:sts::123456789012:assumed-role/assistant/session"}
        => {"arn": "arn:aws:iam::123456789012:role/assistant"},
        "spec.role.arn": "write the role's whole ARN, path included, such as arn:aws:iam::123456789012:role/team/assistant; the ARN of an assumed role (sts) is not it";
}
