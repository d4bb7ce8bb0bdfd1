//! What is granted beside the invoke actions, each in statements of its own: written, and read back.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon Bedrock": which of these actions are asked
//! of a resource, and which of none (`*`).

use std::collections::{BTreeMap, BTreeSet};

use crate::bedrock::project::DefaultProjectArn;
use crate::iam::document::{Document, Effect, Statement};
use crate::names::arn::FoundationModelArn;
use crate::names::identifier::Region;
use crate::policy::grant::Grant;
use crate::policy::write::{self, Form, REQUESTED_REGION, STRING_EQUALS, restrict, statement};
use crate::want::terms::Terms;

/// What is asked of no resource, so that only the Region of the call bounds it.
pub(crate) const LIST: [&str; 3] = [
    "bedrock:ListFoundationModels",
    "bedrock:ListInferenceProfiles",
    "bedrock:GetFoundationModelAvailability",
];

pub(crate) const GET_FOUNDATION_MODEL: &str = "bedrock:GetFoundationModel";

/// Asked of the foundation model in the source Region alone: through a profile nothing is counted.
pub(crate) const COUNT_TOKENS: &str = "bedrock:CountTokens";

/// Asked of the project in which a response was made (Bedrock User Guide, "Responses API").
pub(crate) const STORED_RESPONSES: [&str; 3] =
    ["bedrock:GetInvoke", "bedrock:CancelInvoke", "bedrock:DeleteInvoke"];

pub(crate) const CALL_WITH_BEARER_TOKEN: &str = "bedrock:CallWithBearerToken";

/// The condition key that tells keys that expire with a session from those of an IAM user.
pub(crate) const BEARER_TOKEN_TYPE: &str = "bedrock:BearerTokenType";

pub(crate) const SHORT_TERM: &str = "SHORT_TERM";

const ANYTHING: &str = "*";

/// One thing that a policy allows beside calling a target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extra {
    /// To ask in a source Region which models and profiles there are.
    Discovery {
        /// The source Region.
        source: Region,
        /// The granted models there, about each of which more may be asked.
        models: BTreeSet<FoundationModelArn>,
    },
    /// To have a granted model count the tokens of a prompt, in a source Region.
    CountTokens {
        /// The model there.
        model: FoundationModelArn,
    },
    /// To read, cancel and delete the responses that a default project stored.
    StoredResponses {
        /// The project, in a source Region.
        project: DefaultProjectArn,
    },
    /// To be used through short-term API keys.
    ApiKeys,
}

impl Extra {
    /// Of all that the grants and terms come to.
    pub fn of(grants: &[Grant], terms: &Terms) -> BTreeSet<Self> {
        let called = called(grants);
        let discovery = terms.extras.discovery.iter().map(|source| Self::Discovery {
            source: source.clone(),
            models: called.iter().filter(|model| model.region.as_ref() == Some(source)).cloned().collect(),
        });
        let counting = called.iter().filter(|_| terms.extras.count_tokens);
        let counting = counting.map(|model| Self::CountTokens { model: model.clone() });
        let stored = terms.extras.stored_responses.iter();
        let stored = stored.map(|project| Self::StoredResponses { project: project.clone() });
        let api_keys = terms.extras.api_keys.then_some(Self::ApiKeys);
        discovery.chain(counting).chain(stored).chain(api_keys).collect()
    }

    /// Of all that stands in a document.
    pub(crate) fn in_document(document: &Document) -> BTreeSet<Self> {
        let allowing = || document.statement.iter().filter(|statement| statement.effect == Effect::Allow);
        let models = |action: &'static str| {
            allowing().filter(move |statement| has(statement, action)).flat_map(write::models)
        };
        let of_nothing =
            |statement: &&Statement| statement.resource.iter().any(|resource| resource == ANYTHING);
        let listing = allowing()
            .filter(of_nothing)
            .filter(|statement| LIST.iter().all(|action| has(statement, action)));
        let sources: BTreeSet<Region> = listing.flat_map(requested_regions).collect();
        let about: BTreeSet<FoundationModelArn> = models(GET_FOUNDATION_MODEL).collect();
        let discovery = sources.into_iter().map(|source| {
            let models =
                about.iter().filter(|model| model.region.as_ref() == Some(&source)).cloned().collect();
            Self::Discovery { source, models }
        });
        let counting = models(COUNT_TOKENS).map(|model| Self::CountTokens { model });
        let storing =
            allowing().filter(|statement| STORED_RESPONSES.iter().all(|action| has(statement, action)));
        let projects = storing.flat_map(|statement| &statement.resource).filter_map(|arn| arn.parse().ok());
        let stored = projects.map(|project| Self::StoredResponses { project });
        let short_term = |statement: &&Statement| {
            has(statement, CALL_WITH_BEARER_TOKEN)
                && statement.values(STRING_EQUALS, BEARER_TOKEN_TYPE).iter().any(|kind| kind == SHORT_TERM)
        };
        let api_keys = allowing().filter(of_nothing).find(short_term).map(|_| Self::ApiKeys);
        discovery.chain(counting).chain(stored).chain(api_keys).collect()
    }

    /// The same where no more than `grants` is left; `None` where it was about what is gone.
    pub(crate) fn beside(self, grants: &[Grant]) -> Option<Self> {
        let called = called(grants);
        match self {
            Self::Discovery { source, mut models } => {
                models.retain(|model| called.contains(model));
                Some(Self::Discovery { source, models })
            }
            Self::StoredResponses { .. } | Self::ApiKeys => Some(self),
            Self::CountTokens { model } => called.contains(&model).then_some(Self::CountTokens { model }),
        }
    }
}

/// Whether a statement of ours allows nothing else.
pub(crate) fn is_extra(statement: &Statement) -> bool {
    let others = [GET_FOUNDATION_MODEL, COUNT_TOKENS, CALL_WITH_BEARER_TOKEN];
    let is_extra =
        |action: &String| LIST.iter().chain(&STORED_RESPONSES).chain(&others).any(|extra| action == extra);
    let is_allowing = statement.effect == Effect::Allow && !statement.action.is_empty();
    is_allowing && statement.action.iter().all(is_extra)
}

/// The foundation models of the grants in their source Regions, where a call that names the model itself goes. A model of the account's
/// own has none.
fn called(grants: &[Grant]) -> BTreeSet<FoundationModelArn> {
    let of_grant = |grant: &Grant| match grant {
        Grant::Profile { arn, models } => {
            let in_source = |model: &FoundationModelArn| FoundationModelArn {
                region: Some(arn.region.clone()),
                ..model.clone()
            };
            models.iter().map(in_source).collect()
        }
        Grant::OnDemand { model } => BTreeSet::from([model.clone()]),
        Grant::OwnModel { .. } => BTreeSet::new(),
    };
    grants.iter().flat_map(of_grant).collect()
}

/// The statements that allow it all.
pub(crate) fn statements(extras: &BTreeSet<Extra>, form: Form) -> Vec<Statement> {
    let (mut sources, mut about, mut counting) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let mut projects = Vec::new();
    for extra in extras {
        match extra {
            Extra::Discovery { source, models } => {
                sources.push(source.to_string());
                about.extend(models);
            }
            Extra::CountTokens { model } => {
                counting.insert(model);
            }
            Extra::StoredResponses { project } => projects.push(project),
            Extra::ApiKeys => {}
        }
    }
    let mut statements = Vec::new();
    if !sources.is_empty() {
        let mut list = statement(Effect::Allow, &LIST, [ANYTHING]);
        restrict(&mut list.condition, STRING_EQUALS, REQUESTED_REGION, sources);
        statements.push(list);
    }
    if !projects.is_empty() {
        statements.push(statement(Effect::Allow, &STORED_RESPONSES, projects));
    }
    if extras.contains(&Extra::ApiKeys) {
        let mut keys = statement(Effect::Allow, &[CALL_WITH_BEARER_TOKEN], [ANYTHING]);
        restrict(&mut keys.condition, STRING_EQUALS, BEARER_TOKEN_TYPE, vec![SHORT_TERM.to_owned()]);
        statements.push(keys);
    }
    if about == counting {
        statements.extend(on_models(&[GET_FOUNDATION_MODEL, COUNT_TOKENS], &about, form));
    } else {
        statements.extend(on_models(&[GET_FOUNDATION_MODEL], &about, form));
        statements.extend(on_models(&[COUNT_TOKENS], &counting, form));
    }
    statements
}

/// Actions on models, each by its ARN; in the factored form models of the same Regions by one statement, where that is smaller.
fn on_models(actions: &[&str], models: &BTreeSet<&FoundationModelArn>, form: Form) -> Vec<Statement> {
    if models.is_empty() {
        return Vec::new();
    }
    let explicit = vec![statement(Effect::Allow, actions, models)];
    if form == Form::Explicit {
        return explicit;
    }
    let factored = factored(actions, models);
    if characters(&factored) < characters(&explicit) { factored } else { explicit }
}

fn factored(actions: &[&str], models: &BTreeSet<&FoundationModelArn>) -> Vec<Statement> {
    let mut regions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for model in models {
        regions.entry(write::in_any_region(model)).or_default().insert(write::requested_region(model));
    }
    let mut alike: BTreeMap<BTreeSet<String>, Vec<String>> = BTreeMap::new();
    for (resource, regions) in regions {
        alike.entry(regions).or_default().push(resource);
    }
    let of_alike = |(regions, resources): (BTreeSet<String>, Vec<String>)| {
        let mut factored = statement(Effect::Allow, actions, resources);
        restrict(&mut factored.condition, STRING_EQUALS, REQUESTED_REGION, regions.into_iter().collect());
        factored
    };
    alike.into_iter().map(of_alike).collect()
}

/// With the longest names that they may be given.
fn characters(statements: &[Statement]) -> usize {
    let named = statements
        .iter()
        .map(|statement| Statement { sid: Some("BedrockAccess999".to_owned()), ..statement.clone() });
    Document::new(named.collect()).characters()
}

fn has(statement: &Statement, action: &str) -> bool {
    statement.action.iter().any(|held| held == action)
}

fn requested_regions(statement: &Statement) -> Vec<Region> {
    let regions = statement.values(STRING_EQUALS, REQUESTED_REGION).iter();
    regions.filter_map(|region| region.parse().ok()).collect()
}
