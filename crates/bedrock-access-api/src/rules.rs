//! What the API server refuses, in CEL, each rule with the words that say what to write instead.
//!
//! No rule knows which Regions, scopes or models exist: AWS adds to them, and only Bedrock can answer. The sizes in the
//! schema bound what the rules may cost (Kubernetes estimates it from `maxItems` and `maxLength`).

use kube::core::Rule;

const REGION: &str = "[a-z]{2,6}(-[a-z]+)+-[0-9]{1,2}";
const PARTITION: &str = "aws(-[a-z]+)*";
const ROLE_NAME: &str = "[A-Za-z0-9_+=,.@-]{1,64}";

/// In the ARN of an application inference profile, and of nothing else.
pub(super) const APPLICATION: &str = ":application-inference-profile/";

/// Prefixes seen so far. Used only to recognise a profile's id where a model's id belongs, never to refuse another prefix.
const KNOWN_PREFIXES: &str = "us|us-gov|eu|apac|jp|au|ca|in|global";

/// On the whole spec: what one field says about another.
///
/// The messages cannot name the entry: Kubernetes takes what `filter` finds for unboundedly long, and refuses the cost.
pub(super) fn spec() -> Vec<Rule> {
    let scoped = "(has(m.scopes) ? size(m.scopes) > 0 \
                  : has(self.routing) && has(self.routing.scopes) && size(self.routing.scopes) > 0)";
    let denied = "self.routing.deniedScopes";
    let wanted = "self.models.exists(m, (has(m.scopes) && d in m.scopes) \
                  || (has(m.inferenceProfile) && (m.inferenceProfile.startsWith(d + '.') \
                  || m.inferenceProfile.contains(':inference-profile/' + d + '.'))))";
    let (profile, model, guardrail) =
        (in_source_region("m.inferenceProfile"), in_source_region("m.modelArn"), in_source_region("g.arn"));
    vec![
        about(
            "models",
            format!("self.models.all(m, !has(m.modelId) || {scoped})"),
            "a modelId has no scope: set routing.scopes, or scopes beside the modelId, to profile prefixes such as us \
             or global, or to in-region",
        ),
        about(
            "models",
            format!("!has(self.routing) || !has({denied}) || {denied}.all(d, !{wanted})"),
            "an entry wants a scope that routing.deniedScopes denies: take the scope out of one of the two",
        ),
        about(
            "models",
            format!("self.models.all(m, !has(m.inferenceProfile) || {profile})"),
            "an inferenceProfile's ARN lies in a Region outside sourceRegions: add that Region to sourceRegions, or \
             name a profile of a source Region",
        ),
        about(
            "models",
            format!("self.models.all(m, !has(m.modelArn) || {model})"),
            "a modelArn lies in a Region outside sourceRegions: add that Region to sourceRegions, or name a model of \
             a source Region",
        ),
        about(
            "guardrails",
            format!("!has(self.guardrails) || self.guardrails.all(g, {guardrail})"),
            "a guardrail lies in a Region outside sourceRegions: add that Region to sourceRegions, or name a \
             guardrail of a source Region",
        ),
        about(
            "operations",
            "!has(self.operations) || !('CountTokens' in self.operations) || !has(self.routing) \
             || !has(self.routing.allowedDestinationRegions) \
             || self.sourceRegions.all(source, source in self.routing.allowedDestinationRegions)"
                .to_owned(),
            "CountTokens runs in the source Region, and routing.allowedDestinationRegions leaves one out: add it there, \
             or take CountTokens out of operations",
        ),
        about(
            "responses",
            format!(
                "!has(self.responses) || !self.responses \
                 || self.models.all(m, !has(m.inferenceProfile) || !m.inferenceProfile.contains('{APPLICATION}'))"
            ),
            "the Responses API takes no application inference profile: name a system profile or a model in its place, or leave \
             responses out",
        ),
    ]
}

fn about(field: &str, expression: String, message: &str) -> Rule {
    Rule::new(expression).field_path(format!(".{field}")).message(message)
}

/// What has no Region at all, such as an id, passes here.
fn in_source_region(arn: &str) -> String {
    format!("(!{arn}.matches('^arn:[^:]*:bedrock:[^:]+:') || {arn}.split(':')[3] in self.sourceRegions)")
}

/// On the role as a whole.
pub(super) fn role() -> Vec<Rule> {
    vec![
        Rule::new("has(self.name) != has(self.arn)").message("set exactly one of name and arn"),
        Rule::new("self == oldSelf").message(
            "the role is immutable: create another BedrockAccess for another role, then delete this one",
        ),
    ]
}

/// On the role's name.
pub(super) fn role_name() -> Vec<Rule> {
    vec![Rule::new(format!("self.matches('^{ROLE_NAME}$')")).message(
        "a role name is 1 to 64 letters, digits or _+=,.@- without the path; write a role's ARN as arn, not as name",
    )]
}

/// On the role's ARN.
pub(super) fn role_arn() -> Vec<Rule> {
    let arn = format!("^arn:{PARTITION}:iam::[0-9]{{12}}:role/([!-~]*/)?{ROLE_NAME}$");
    vec![
        exact("write out the one role's ARN: no '*', '?' or '$'"),
        Rule::new(format!("{WILD} || self.matches('{arn}')")).message(
            "write the role's whole ARN, path included, such as arn:aws:iam::123456789012:role/team/assistant; the \
             ARN of an assumed role (sts) is not it",
        ),
    ]
}

/// On one Region.
pub(super) fn region() -> Vec<Rule> {
    vec![
        Rule::new(format!("self.matches('^{REGION}$')"))
            .message("not shaped like an AWS Region: write its code, such as us-east-1 or eu-central-1"),
    ]
}

/// On one scope.
pub(super) fn scope() -> Vec<Rule> {
    vec![Rule::new("self.matches('^[a-z][a-z0-9]*(-[a-z0-9]+)*$')").message(
        "a scope is lower case: us, eu, apac, global and other prefixes of a system profile's id, or in-region",
    )]
}

/// On one denied scope, besides what holds for every scope.
pub(super) fn denied_scope() -> Vec<Rule> {
    let mut rules = scope();
    rules.push(Rule::new("self != 'in-region'").message(
        "deniedScopes holds profile prefixes such as apac or global; calls in the Region itself cannot be denied here",
    ));
    rules
}

/// On the routing as a whole.
pub(super) fn routing() -> Vec<Rule> {
    vec![
        Rule::new(
            "!has(self.scopes) || !has(self.deniedScopes) || !self.scopes.exists(s, s in self.deniedScopes)",
        )
        .message("a scope stands in both scopes and deniedScopes: take it out of one of the two"),
    ]
}

/// On the list of models.
pub(super) fn models() -> Vec<Rule> {
    vec![
        Rule::new("self.all(entry, self.exists_one(other, other == entry))")
            .message("two entries of models are the same: take one out"),
    ]
}

/// On one entry of the list of models.
pub(super) fn model() -> Vec<Rule> {
    vec![
        Rule::new("[has(self.modelId), has(self.inferenceProfile), has(self.modelArn)].filter(set, set).size() == 1")
            .message("set exactly one of modelId, inferenceProfile and modelArn"),
        Rule::new("!has(self.scopes) || has(self.modelId)").message(
            "scopes belongs beside a modelId: an inferenceProfile has its scope already, a modelArn has none",
        ),
    ]
}

/// On a model's id or family.
pub(super) fn model_id() -> Vec<Rule> {
    vec![
        Rule::new("self.matches('^[^*?$]*[*]?$')").message(
            "a modelId holds no '*', '?' or '$', but for one '*' as the last character of a family, such as \
             anthropic.claude-haiku-*",
        ),
        Rule::new("!self.startsWith('arn:')").message(
            "a modelId is no ARN: write a foundation model by its id (with scopes [in-region] for calls without a \
             profile), a profile's ARN as inferenceProfile, a model of your own as modelArn",
        ),
        Rule::new(format!("!self.matches('^({KNOWN_PREFIXES})[.][^.]+[.].')")).message(
            "a modelId has no profile prefix: write the whole id as inferenceProfile, or take the prefix off and \
             name it in scopes",
        ),
        Rule::new("self.startsWith('arn:') || self.matches('[?$]') || self.matches('^[A-Za-z0-9_-]+[.][A-Za-z0-9._:*-]+$')")
            .message("a modelId is a provider, a dot and a model, such as amazon.nova-2-lite-v1:0"),
    ]
}

/// On an inference profile's id or ARN.
pub(super) fn inference_profile() -> Vec<Rule> {
    let without_account = "self.matches('^arn:[^:]*:bedrock:[^:]*::')";
    let arn = format!(
        "^arn:{PARTITION}:bedrock:{REGION}:[0-9]{{12}}:(application-)?inference-profile/[A-Za-z0-9._:-]+$"
    );
    vec![
        exact("an inferenceProfile is one profile: no '*', '?' or '$'; a family of models is a modelId"),
        Rule::new(format!("!{without_account}")).message(
            "a profile's ARN carries an account id, a system profile's too: \
             arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0",
        ),
        Rule::new(format!("!self.startsWith('arn:') || {without_account} || {WILD} || self.matches('{arn}')")).message(
            "write a profile's whole ARN, such as arn:aws:bedrock:us-east-1:123456789012:inference-profile/ID or \
             with application-inference-profile in its place; a model of your own belongs in modelArn",
        ),
        Rule::new(format!("self.startsWith('arn:') || {WILD} || self.matches('^[A-Za-z0-9_-]+[.][A-Za-z0-9._:-]+$')"))
            .message(
                "an inferenceProfile is a system profile's id, such as us.amazon.nova-micro-v1:0, or a profile's ARN; an \
             application profile is named by its ARN",
            ),
    ]
}

/// On the ARN of a model of one's own.
pub(super) fn model_arn() -> Vec<Rule> {
    let foundation = "self.contains(':foundation-model/')";
    let arn = format!(
        "^arn:{PARTITION}:bedrock:{REGION}:[0-9]{{12}}:(provisioned-model|imported-model|custom-model-deployment)/\
         [A-Za-z0-9._:-]+$"
    );
    vec![
        exact("a modelArn is one model: no '*', '?' or '$'"),
        Rule::new(format!("!{foundation}")).message(
            "a foundation model is written by its id: modelId, with scopes [in-region] for calls without a profile",
        ),
        Rule::new(format!("{foundation} || {WILD} || self.matches('{arn}')")).message(
            "a modelArn is arn:aws:bedrock:us-east-1:123456789012:provisioned-model/ID, or imported-model or \
             custom-model-deployment in its place; a profile's ARN belongs in inferenceProfile",
        ),
    ]
}

/// On one operation.
pub(super) fn operation() -> Vec<Rule> {
    vec![Rule::new("self in ['InvokeModel', 'InvokeModelWithResponseStream', 'CountTokens']").message(
        "write InvokeModel, which authorises Converse too, InvokeModelWithResponseStream, which authorises \
         ConverseStream too, or CountTokens",
    )]
}

/// On the list of operations.
pub(super) fn operations() -> Vec<Rule> {
    vec![
        Rule::new("size(self) > 0").message("name an operation, or leave operations out to allow both"),
        Rule::new("size(self) == 0 || self.exists(operation, operation != 'CountTokens')").message(
            "CountTokens goes beside an operation that calls: add InvokeModel, InvokeModelWithResponseStream or both",
        ),
    ]
}

/// On a project.
pub(super) fn project() -> Vec<Rule> {
    vec![
        Rule::new("self == 'default'")
            .message("write default, the project of calls that name none, or [] to grant no project"),
    ]
}

/// On `apiKeys`.
pub(super) fn api_keys() -> Vec<Rule> {
    vec![Rule::new("self == 'ShortTerm'").message(
        "write ShortTerm, for keys that expire with a session of the role, or leave apiKeys out; long-term keys are never granted",
    )]
}

/// On the list of guardrails.
pub(super) fn guardrails() -> Vec<Rule> {
    let region = |arn: &str| format!("{arn}.find('^arn:[^:]*:bedrock:[^:]+:')");
    let (one, other) = (region("g.arn"), region("h.arn"));
    vec![
        Rule::new(format!("self.all(g, {one} == '' || self.filter(h, {one} == {other}).size() < 2)"))
            .message("two guardrails lie in the same Region: name at most one per source Region"),
    ]
}

/// On a guardrail's ARN.
pub(super) fn guardrail_arn() -> Vec<Rule> {
    let arn = format!("^arn:{PARTITION}:bedrock:{REGION}:[0-9]{{12}}:guardrail/[A-Za-z0-9-]+$");
    vec![
        exact("write out the one guardrail's ARN: no '*', '?' or '$'"),
        Rule::new(format!("{WILD} || self.matches('{arn}')")).message(
            "write the guardrail's whole ARN, such as arn:aws:bedrock:us-east-1:123456789012:guardrail/ID",
        ),
    ]
}

/// On a guardrail's version.
pub(super) fn guardrail_version() -> Vec<Rule> {
    vec![
        Rule::new("self.matches('^([1-9][0-9]{0,7}|DRAFT)$')")
            .message("a guardrail's version is a number in quotes, such as \"2\", or DRAFT"),
    ]
}

/// On `driftPolicy`.
pub(super) fn drift_policy() -> Vec<Rule> {
    vec![
        Rule::new("self in ['Enforce', 'Report']")
            .message("write Enforce, to repair the policy when it is changed, or Report, to only report it"),
    ]
}

/// On `deletionPolicy`.
pub(super) fn deletion_policy() -> Vec<Rule> {
    vec![
        Rule::new("self in ['Delete', 'Retain']").message(
            "write Delete, to remove the policy with this object, or Retain, to leave it on the role",
        ),
    ]
}

/// On `interval`.
pub(super) fn interval() -> Vec<Rule> {
    vec![
        Rule::new(
            "self != '' && self.matches('^([0-9]{1,5}h)?([0-9]{1,7}m)?([0-9]{1,9}s)?$') \
             && duration(self) >= duration('1m') && duration(self) <= duration('24h')",
        )
        .message(
            "an interval is at least 1m and at most 24h: write hours, minutes and seconds, such as 10m, 1h30m or 90s",
        ),
    ]
}

/// True of a value that [`exact`] already answers, so that one mistake gets one message.
const WILD: &str = "self.matches('[*?$]')";

fn exact(message: &str) -> Rule {
    Rule::new(format!("!{WILD}")).message(message)
}
