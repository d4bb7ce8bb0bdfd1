//! What the role may do beside calling what it is granted.

use std::collections::BTreeSet;

use crate::bedrock::project::DefaultProjectArn;
use crate::names::identifier::Region;

/// What is wanted beside the invoke actions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// The source Regions in which the role may ask which models and profiles there are.
    pub discovery: BTreeSet<Region>,
    /// Whether it may have the tokens of a prompt counted by the models that it is granted.
    pub count_tokens: bool,
    /// The default projects whose stored responses it may read, cancel and delete.
    pub stored_responses: BTreeSet<DefaultProjectArn>,
    /// Whether it may be used through short-term API keys.
    pub api_keys: bool,
}
