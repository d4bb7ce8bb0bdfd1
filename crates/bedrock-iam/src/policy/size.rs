//! What does not fit, by how much, and what would.

use std::collections::BTreeSet;

use crate::bedrock::target::Target;
use crate::policy::grant::Grant;
use crate::policy::write::{self, Form, INLINE_QUOTA};
use crate::say::finding::Finding;
use crate::say::reason::Reason;
use crate::want::intent::Claim;
use crate::want::terms::Terms;

const REMEDY: &str = "use fewer models, scopes or source Regions for this role, or a second role";

/// Refuses, before Bedrock is asked about them, so many targets that their ARNs alone exceed the quota.
pub fn cannot_fit(targets: &BTreeSet<Target>) -> Option<Finding> {
    // The shortest of `arn:aws:bedrock:REGION:ACCOUNT:TYPE/ID` and `arn:aws:bedrock:REGION::TYPE/ID`, with quotes and a
    // comma; the other partitions only add to it.
    const ARN: usize = "arn:aws:bedrock:::foundation-model/".len() + 3;
    let least: usize =
        targets.iter().map(|target| ARN + target.source().as_str().len() + target.id().len()).sum();
    (least > INLINE_QUOTA).then(|| {
        let message = format!(
            "the policy needs at least {least} characters for {} targets; a role's inline policies may have {INLINE_QUOTA} \
             together: {REMEDY}",
            targets.len()
        );
        Finding::new(Reason::PolicyTooLarge, message)
    })
}

/// For a policy that exceeds the quota by itself.
pub(crate) fn too_large(claim: &Claim, grants: &[Grant], terms: &Terms) -> String {
    format!(
        "the policy needs {} characters for {} grants; a role's inline policies may have {INLINE_QUOTA} together, \
         into which {} of the grants fit: {REMEDY}",
        smallest(claim, grants, terms),
        grants.len(),
        fitting(claim, grants, terms, INLINE_QUOTA)
    )
}

/// For a policy that IAM has no room for beside others on the role.
pub(crate) fn no_room(claim: &Claim, grants: &[Grant], terms: &Terms, others: Option<usize>) -> String {
    let ours = smallest(claim, grants, terms);
    let role = &claim.role;
    let Some(others) = others else {
        return format!(
            "the policy's {ours} characters do not fit beside the other inline policies of role {role}, \
             which may have {INLINE_QUOTA} together: remove some of those, or {REMEDY}"
        );
    };
    format!(
        "the policy's {ours} characters and the {others} of the other inline policies of role {role} are {} together, \
         of {INLINE_QUOTA} that a role may have; {} of the {} grants fit: remove some of the other policies, or {REMEDY}",
        ours + others,
        fitting(claim, grants, terms, INLINE_QUOTA.saturating_sub(others)),
        grants.len()
    )
}

/// The size of the factored form, which is never the larger one.
fn smallest(claim: &Claim, grants: &[Grant], terms: &Terms) -> usize {
    write::characters(&claim.identity, &claim.account, grants, terms, Form::Factored)
}

/// How many of the grants, in their order, fit into so many characters.
fn fitting(claim: &Claim, grants: &[Grant], terms: &Terms, room: usize) -> usize {
    let counts: Vec<usize> = (1..=grants.len()).collect();
    counts.partition_point(|count| smallest(claim, &grants[..*count], terms) <= room)
}
