//! What happens to an object, one change each, after everything had come to rest.

use serde_json::json;

use super::history::{BESIDE, Disturbances};
use super::world::{CONSENT, ROLE, World, filler, manifest, policy_name, role};

pub(crate) const TEAM: &str = "team-a";
pub(crate) const US: &str = "us.amazon.nova-2-lite-v1:0";
pub(crate) const GLOBAL: &str = "global.amazon.nova-2-lite-v1:0";
pub(crate) const MICRO: &str = "us.amazon.nova-micro-v1:0";
const RECONCILE: &str = "bedrockaccess.io/reconcile-at";

/// A change, and what must hold while it is followed.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What stands before the operator first starts.
    pub(crate) prepare: fn(&World),
    /// What happens first, and is followed undisturbed.
    pub(crate) first: fn(&World),
    /// The change; answers which entries of the role's history it made to our own policy.
    pub(crate) act: fn(&World) -> Disturbances,
    /// Profiles that are wanted before the change and after it, with the routes that they have before it.
    pub(crate) throughout: &'static [&'static str],
    /// Profiles that are wanted after the change, with the routes that they have then.
    pub(crate) afterwards: &'static [&'static str],
    /// Whether the undisturbed end is the one that the scenario is about.
    pub(crate) ends_well: fn(&World) -> bool,
}

pub(crate) fn all() -> Vec<Scenario> {
    [manifests(), drift(), routes(), crowds(), endings()].into_iter().flatten().collect()
}

/// What users write.
fn manifests() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "create",
            prepare: a_role,
            first: nothing,
            act: |world| {
                world.cluster.create(&manifest(TEAM, ROLE));
                Disturbances::new()
            },
            throughout: &[],
            afterwards: &[US, GLOBAL],
            ends_well: |world| world.is_ready(TEAM) && policy(world).is_some(),
        },
        Scenario {
            name: "change",
            prepare: an_object,
            first: nothing,
            act: |world| {
                world.cluster.edit(TEAM, ROLE, |object| {
                    object["spec"]["routing"]["scopes"] = json!(["us"]);
                    object["spec"]["models"] =
                        json!([{"modelId": "amazon.nova-2-lite-v1:0"}, {"modelId": "amazon.nova-micro-v1:0"}]);
                });
                Disturbances::new()
            },
            throughout: &[US],
            afterwards: &[US, MICRO],
            ends_well: |world| world.is_ready(TEAM) && !policy(world).unwrap().contains("global."),
        },
    ]
}

/// What someone else does to our policy.
fn drift() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "drift: edited",
            prepare: an_object,
            first: nothing,
            act: edit_ours,
            throughout: &[US, GLOBAL],
            afterwards: &[US, GLOBAL],
            ends_well: |world| world.is_ready(TEAM) && !policy(world).unwrap().contains("eu-west-1"),
        },
        Scenario {
            name: "drift: edited, with a statement beside ours",
            prepare: an_object,
            first: a_statement_beside,
            act: edit_ours,
            throughout: &[US, GLOBAL],
            afterwards: &[US, GLOBAL],
            ends_well: |world| {
                let told = world.condition(TEAM, "Ready");
                told == Some(("False".to_owned(), "ForeignStatements".to_owned()))
                    && !policy(world).unwrap().contains("eu-west-1")
            },
        },
        Scenario {
            name: "drift: removed",
            prepare: an_object,
            first: nothing,
            act: |world| {
                world.sandbox.delete_role_policy(ROLE, &policy_name(TEAM)).unwrap();
                disturbed_and_told(world)
            },
            throughout: &[US, GLOBAL],
            afterwards: &[US, GLOBAL],
            ends_well: |world| world.is_ready(TEAM) && policy(world).is_some(),
        },
    ]
}

/// What Bedrock changes.
fn routes() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "profile widened",
            prepare: |world| {
                world.sandbox.set_profile("us-east-1", US, Some(&["us-east-1", "us-east-2"]));
                an_object(world);
            },
            first: nothing,
            act: |world| {
                world.sandbox.set_profile("us-east-1", US, Some(&["us-east-1", "us-east-2", "us-west-1"]));
                reconcile_now(world);
                Disturbances::new()
            },
            throughout: &[US, GLOBAL],
            afterwards: &[US, GLOBAL],
            ends_well: |world| world.is_ready(TEAM) && policy(world).unwrap().contains("us-west-1"),
        },
        Scenario {
            name: "profile shrunk",
            prepare: an_object,
            first: nothing,
            act: |world| {
                world.sandbox.set_profile("us-east-1", US, Some(&["us-east-1"]));
                reconcile_now(world);
                Disturbances::new()
            },
            throughout: &[US, GLOBAL],
            afterwards: &[US, GLOBAL],
            ends_well: |world| {
                let told = world.condition(TEAM, "Ready");
                told == Some(("False".to_owned(), "ProfileShrunk".to_owned()))
            },
        },
        Scenario {
            name: "shrink released",
            prepare: an_object,
            first: |world| {
                world.sandbox.set_profile("us-east-1", US, Some(&["us-east-1"]));
                reconcile_now(world);
            },
            act: |world| {
                let accepted = format!("{US}@us-east-1");
                world.cluster.annotate(TEAM, ROLE, "bedrockaccess.io/accept-shrink", &accepted);
                Disturbances::new()
            },
            throughout: &[GLOBAL],
            afterwards: &[US, GLOBAL],
            ends_well: |world| world.is_ready(TEAM) && !policy(world).unwrap().contains("us-west-2"),
        },
    ]
}

/// What others' policies leave room for.
fn crowds() -> Vec<Scenario> {
    vec![Scenario {
        name: "factored form",
        prepare: |world| {
            a_role(world);
            world.sandbox.put_role_policy(ROLE, "theirs", &filler(8640)).unwrap();
            let mut object = manifest(TEAM, ROLE);
            object["spec"]["routing"]["scopes"] = json!(["global"]);
            world.cluster.create(&object);
        },
        first: nothing,
        act: |world| {
            world
                .cluster
                .edit(TEAM, ROLE, |object| object["spec"]["routing"]["scopes"] = json!(["us", "global"]));
            Disturbances::new()
        },
        throughout: &[GLOBAL],
        afterwards: &[US, GLOBAL],
        ends_well: |world| {
            let refused = world.sandbox.calls();
            let refused = refused.iter().filter(|call| call.outcome.to_string() == "LimitExceeded");
            refused.count() == 1
                && world.is_ready(TEAM)
                && policy(world).unwrap().contains("bedrock:*::foundation-model")
        },
    }]
}

/// What ends a grant.
fn endings() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "delete",
            prepare: an_object,
            first: nothing,
            act: |world| {
                world.cluster.delete(TEAM, ROLE);
                Disturbances::new()
            },
            throughout: &[],
            afterwards: &[],
            ends_well: |world| world.cluster.objects().is_empty() && policy(world).is_none(),
        },
        Scenario {
            name: "retain",
            prepare: |world| {
                a_role(world);
                let mut object = manifest(TEAM, ROLE);
                object["spec"]["deletionPolicy"] = json!("Retain");
                world.sandbox.tag_role(ROLE, CONSENT, "retain:team-a").unwrap();
                world.cluster.create(&object);
            },
            first: nothing,
            act: |world| {
                world.cluster.delete(TEAM, ROLE);
                Disturbances::new()
            },
            throughout: &[US, GLOBAL],
            afterwards: &[US, GLOBAL],
            ends_well: |world| world.cluster.objects().is_empty() && policy(world).is_some(),
        },
        Scenario {
            name: "retain, without the owner's word",
            prepare: |world| {
                a_role(world);
                let mut object = manifest(TEAM, ROLE);
                object["spec"]["deletionPolicy"] = json!("Retain");
                world.cluster.create(&object);
            },
            first: nothing,
            act: |world| {
                world.cluster.delete(TEAM, ROLE);
                Disturbances::new()
            },
            throughout: &[],
            afterwards: &[],
            ends_well: |world| world.cluster.objects().is_empty() && policy(world).is_none(),
        },
        Scenario {
            name: "consent withdrawn, with a statement beside ours",
            prepare: an_object,
            first: a_statement_beside,
            act: |world| {
                world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
                reconcile_now(world);
                Disturbances::new()
            },
            throughout: &[],
            afterwards: &[],
            ends_well: |world| {
                let told = world.condition(TEAM, "Ready");
                holds_theirs_alone(world) && told == Some(("False".to_owned(), "ConsentMissing".to_owned()))
            },
        },
        Scenario {
            name: "delete, with a statement beside ours",
            prepare: an_object,
            first: a_statement_beside,
            act: |world| {
                world.cluster.delete(TEAM, ROLE);
                Disturbances::new()
            },
            throughout: &[],
            afterwards: &[],
            ends_well: |world| world.cluster.objects().is_empty() && holds_theirs_alone(world),
        },
        Scenario {
            name: "consent withdrawn",
            prepare: an_object,
            first: nothing,
            act: |world| {
                world.sandbox.tag_role(ROLE, CONSENT, "@none").unwrap();
                reconcile_now(world);
                Disturbances::new()
            },
            throughout: &[],
            afterwards: &[],
            ends_well: |world| {
                let told = world.condition(TEAM, "Ready");
                policy(world).is_none() && told == Some(("False".to_owned(), "ConsentMissing".to_owned()))
            },
        },
    ]
}

/// The text of our policy.
pub(crate) fn policy(world: &World) -> Option<String> {
    world.sandbox.role_policy(ROLE, &policy_name(TEAM))
}

/// Someone opens another Region than the one that we wrote.
fn edit_ours(world: &World) -> Disturbances {
    let edited =
        policy(world).unwrap().replacen("arn:aws:bedrock:us-east-2::", "arn:aws:bedrock:eu-west-1::", 1);
    world.sandbox.put_role_policy(ROLE, &policy_name(TEAM), &edited).unwrap();
    disturbed_and_told(world)
}

/// Someone adds a statement of their own to our policy, as the console makes easy.
fn a_statement_beside(world: &World) {
    let beside = format!(r#""Statement":[{BESIDE},"#);
    let edited = policy(world).unwrap().replacen(r#""Statement":["#, &beside, 1);
    world.sandbox.put_role_policy(ROLE, &policy_name(TEAM), &edited).unwrap();
    world.cluster.annotate(TEAM, ROLE, RECONCILE, "beside");
}

fn holds_theirs_alone(world: &World) -> bool {
    policy(world).is_some_and(|text| text.contains(BESIDE) && !text.contains("BedrockAccess"))
}

fn a_role(world: &World) {
    world.sandbox.create_role(role(ROLE));
}

pub(crate) fn an_object(world: &World) {
    a_role(world);
    world.cluster.create(&manifest(TEAM, ROLE));
}

pub(crate) fn nothing(_: &World) {}

fn disturbed_and_told(world: &World) -> Disturbances {
    reconcile_now(world);
    Disturbances::from([world.sandbox.history(ROLE).len() - 1])
}

fn reconcile_now(world: &World) {
    world.cluster.annotate(TEAM, ROLE, RECONCILE, "now");
}
