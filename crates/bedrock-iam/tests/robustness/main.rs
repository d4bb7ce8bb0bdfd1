//! Nothing that a text can say panics or widens a grant, and equal meaning is no drift: what the fuzzer looks for at
//! length, in seconds and from a seed that is printed on failure.

#![allow(clippy::unwrap_used, reason = "what a test makes itself is well-formed")]

mod rewriting;

use bedrock_iam::{CanonicalPolicy, Document};
use proptest::prelude::*;
use proptest::sample::select;
use testing::properties;

use rewriting::{Change, changed, documents, rewritten};

const REGIONS: [&str; 5] = ["us-east-1", "us-east-2", "us-west-2", "us-gov-west-1", "*"];

const MODELS: [&str; 4] =
    ["amazon.nova-2-lite-v1:0", "amazon.nova-micro-v1:0", "meta.llama3-3-70b-instruct-v1:0", "amazon.*"];

const SCOPES: [&str; 4] = ["us", "global", "us-gov", "*"];

/// What an answer must not be able to bring into a policy.
const HOSTILE: [&str; 10] = [
    "*",
    "",
    "arn:aws:bedrock:*::foundation-model/amazon.nova-2-lite-v1:0",
    "arn:aws:bedrock:us-east-1::foundation-model/*",
    "arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-3-70b-instruct-v1:0",
    "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.nova-2-lite-v1:0",
    "arn:aws:bedrock:us-east-1::foundation-model/${aws:username}",
    "arn:aws:bedrock:us-east-1:111122223333:foundation-model/amazon.nova-2-lite-v1:0",
    "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0\",\"*",
    "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6",
];

const KINDS: [&str; 8] = [
    "foundation-model/",
    "inference-profile/",
    "application-inference-profile/",
    "provisioned-model/",
    "guardrail/",
    "role/",
    "role/a/",
    "role//",
];

fn region() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(&REGIONS[..3]), 1 => select(&REGIONS[..])].prop_map(str::to_owned)
}

fn model() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(&MODELS[..2]), 1 => select(&MODELS[..])].prop_map(str::to_owned)
}

fn scope() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(&SCOPES[..2]), 1 => select(&SCOPES[..])].prop_map(str::to_owned)
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![3 => select(&HOSTILE[..]).prop_map(str::to_owned), 1 => "[^\t\n\r]{0,40}"]
}

/// One answer about a profile: right, or with something in it that is not.
fn answer(source: &str, scope: &str, model: &str) -> impl Strategy<Value = String> + use<> {
    let model = model.to_owned();
    let profile = format!("arn:aws:bedrock:{source}:111122223333:inference-profile/{scope}.{model}");
    let in_region = move |region: &str| format!("arn:aws:bedrock:{region}::foundation-model/{model}");
    let right = in_region.clone();
    let route = prop_oneof![
        8 => region().prop_map(move |region| right(&region)),
        1 => Just(in_region("")),
        1 => hostile(),
    ];
    let given = prop_oneof![15 => Just(profile), 1 => hostile()];
    prop_oneof![
        8 => (given, prop::collection::vec(route, 0..5))
            .prop_map(|(given, routes)| format!("profile\t{given}\t{}", routes.join("\t"))),
        1 => Just("missing".to_owned()),
        1 => hostile().prop_map(|message| format!("fault\t{message}")),
        1 => region().prop_map(move |region| format!("model\t{}\tON_DEMAND", in_region(&region))),
    ]
}

/// One target with its answer.
fn targets() -> impl Strategy<Value = String> {
    let profile = (region(), scope(), model()).prop_flat_map(|(source, scope, model)| {
        let line = format!("profile\t{source}\t{scope}.{model}");
        answer(&source, &scope, &model).prop_map(move |answer| format!("{line}\t{answer}"))
    });
    let on_demand = (region(), model(), select(&["ON_DEMAND", "INFERENCE_PROFILE"][..])).prop_map(
        |(source, model, kind)| {
            let arn = format!("arn:aws:bedrock:{source}::foundation-model/{model}");
            format!("model\t{source}\t{model}\tmodel\t{arn}\t{kind}")
        },
    );
    let application = (region(), scope(), model(), hostile()).prop_flat_map(|(source, scope, model, id)| {
        let system = format!("inference-profile/{scope}.{model}");
        let line = format!("application\t{source}\t");
        answer(&source, &scope, &model).prop_map(move |answer| {
            // A wrong answer speaks of a profile whose id is anything at all.
            let id = if answer.contains(&system) { "a1b2c3d4e5f6" } else { id.as_str() };
            format!(
                "{line}{id}\t{}",
                answer.replacen(&system, &format!("application-inference-profile/{id}"), 1)
            )
        })
    });
    let own = (select(&["provisioned-model", "imported-model", "custom-model-deployment"][..]), region())
        .prop_map(|(kind, source)| format!("{kind}\t{source}\tabcdefghijkl\tmissing"));
    let target = prop_oneof![4 => profile, 1 => on_demand, 2 => application, 1 => own];
    (select(&["wanted", "wanted", "answered"][..]), target)
        .prop_map(|(role, target)| format!("{role}\t{target}"))
}

/// Everything else that a manifest, Bedrock and a role may say.
fn surroundings() -> impl Strategy<Value = String> {
    prop_oneof![
        (scope(), region()).prop_map(|(scope, source)| format!("family\t{scope}\t{source}\tamazon.nova-")),
        region().prop_map(|source| format!("family\tin-region\t{source}\tamazon.")),
        (region(), scope(), prop::collection::vec(model(), 0..4)).prop_map(|(source, scope, models)| {
            let ids: Vec<String> = models.iter().map(|model| format!("{scope}.{model}")).collect();
            format!("profiles\t{source}\t{}", ids.join("\t"))
        }),
        (region(), prop::collection::vec(model(), 0..4))
            .prop_map(|(source, models)| format!("models\t{source}\t{}", models.join("\t"))),
        prop::collection::vec(region(), 0..4).prop_map(|regions| format!("lock\t{}", regions.join("\t"))),
        scope().prop_map(|scope| format!("deny\t{scope}")),
        (region(), 0..3_u32).prop_map(|(region, version)| {
            format!("guardrail\tarn:aws:bedrock:{region}:111122223333:guardrail/gr1\t{version}")
        }),
        (region(), select(&["team-a", "@any", "team-b"][..])).prop_map(|(region, namespaces)| {
            format!("guardrail-tags\tarn:aws:bedrock:{region}:111122223333:guardrail/gr1\t{namespaces}")
        }),
        region().prop_map(|source| format!("project\t{source}")),
        region().prop_map(|source| format!("discovery\t{source}")),
        Just("count-tokens".to_owned()),
        Just("api-keys".to_owned()),
        region().prop_map(|source| format!("responses\t{source}")),
        select(&["invoke", "stream"][..]).prop_map(|operation| format!("operations\t{operation}")),
        (scope(), model(), region())
            .prop_map(|(scope, model, source)| format!("shrink\t{scope}.{model}\t{source}")),
        (region(), select(&["team-a", "@any", "team-b", "@none", ""][..])).prop_map(
            |(source, namespaces)| format!("tags\tapplication\t{source}\ta1b2c3d4e5f6\t{namespaces}")
        ),
        (region(), select(&["team-a", "team-b"][..])).prop_map(|(source, namespaces)| {
            format!("tags\tprovisioned-model\t{source}\tabcdefghijkl\t{namespaces}")
        }),
        region().prop_map(|source| format!("shrink\ta1b2c3d4e5f6\t{source}")),
        Just("partition\taws-us-gov".to_owned()),
    ]
}

/// Someone else's statement.
const BESIDE: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;

/// The lines of a scene; what the role already holds was written for other targets, or edited since.
fn scenes() -> impl Strategy<Value = String> {
    let lines = || {
        let surroundings = prop_oneof![2 => Just(String::new()), 3 => surroundings()];
        (prop::collection::vec(targets(), 0..12), prop::collection::vec(surroundings, 0..4))
            .prop_map(|(targets, others)| [targets, others].concat().join("\n"))
    };
    (lines(), lines(), 0..5).prop_map(|(now, before, history)| {
        let Some(held) = properties::written_for(&before).filter(|_| history > 0) else { return now };
        match history {
            1 => format!("{now}\nheld\t{held}"),
            2 => format!("{now}\nheld\t{held}\nwritten"),
            3 => format!("{now}\nheld\t{}", held.replacen("us-east-1", "*", 1)),
            _ => format!(
                "{now}\nheld\t{}",
                held.replacen(r#""Statement":["#, &format!(r#""Statement":[{BESIDE},"#), 1)
            ),
        }
    })
}

/// Text that is nearly a policy document, so that reading goes deep.
fn nearly_documents() -> impl Strategy<Value = String> {
    let damaged = (documents(), any::<prop::sample::Index>(), hostile()).prop_map(|(document, at, piece)| {
        let mut text: Vec<char> = document.to_json().chars().collect();
        let at = at.index(text.len());
        text.splice(at..=at, piece.chars());
        text.into_iter().collect()
    });
    prop_oneof![documents().prop_map(|document| document.to_json()), damaged, any::<String>()]
}

fn nearly_arns() -> impl Strategy<Value = String> {
    let field = || prop_oneof![region(), model(), scope(), hostile(), Just("111122223333".to_owned())];
    let kind = select(&KINDS[..]);
    let service = select(&["bedrock", "iam", "s3"][..]);
    let account = prop_oneof![Just(String::new()), Just("111122223333".to_owned()), hostile()];
    let region = prop_oneof![Just(String::new()), region()];
    (service, region, account, kind, field()).prop_map(|(service, region, account, kind, resource)| {
        format!("arn:aws:{service}:{region}:{account}:{kind}{resource}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_answer_leads_to_exact_grants_that_stay_as_they_are(scene in scenes()) {
        properties::grants_are_exact_and_settle(&scene);
    }

    #[test]
    fn any_text_reads_as_a_document_that_keeps_its_meaning_or_not_at_all(text in nearly_documents()) {
        properties::a_document_keeps_its_meaning(&text);
    }

    #[test]
    fn an_arn_is_written_as_it_was_read(text in nearly_arns()) {
        properties::an_arn_is_written_as_it_was_read(&text);
    }

    #[test]
    fn equal_meaning_is_no_drift((document, text) in rewritten()) {
        let read = Document::parse(&text).unwrap();
        prop_assert_eq!(CanonicalPolicy::of(&read), CanonicalPolicy::of(&document));
        prop_assert_eq!(CanonicalPolicy::of(&read).digest(), CanonicalPolicy::of(&document).digest());
    }

    #[test]
    fn one_changed_atom_is_drift(
        document in documents(), at in any::<prop::sample::Index>(), change in select(Change::ALL),
    ) {
        let (before, after) = changed(&document, at.index(document.statement.len()), change);
        prop_assert_ne!(CanonicalPolicy::of(&after), CanonicalPolicy::of(&before));
        prop_assert_ne!(CanonicalPolicy::of(&after).digest(), CanonicalPolicy::of(&before).digest());
    }
}
