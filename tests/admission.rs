//! The rules on a real API server, which estimates what they cost and is the one that users meet.

#![allow(clippy::unwrap_used, reason = "a fixture may fail loudly")]

use bedrock_access_api::crd_yaml;
use local_cluster::{ControlPlane, Tool};
use serde_json::{Value, json};
use testing::refusals::{self, example, with};

#[test]
fn a_real_api_server_refuses_every_mistake_in_the_words_of_the_rules() {
    let control_plane = ControlPlane::start().unwrap();
    let kubectl = control_plane.kubectl().unwrap();
    kubectl.run_with_input(["create", "-f", "-"], &crd_yaml().unwrap()).unwrap();
    kubectl
        .run(["wait", "--for=condition=Established", "--timeout=30s", "crd/bedrockaccesses.bedrockaccess.io"])
        .unwrap();
    kubectl.run(["create", "namespace", "team-a"]).unwrap();

    refuses_every_mistake(&kubectl);
    refuses_the_same_scope_twice(&kubectl);
    admits_what_is_right(&kubectl);
    affords_the_largest_manifest(&kubectl);
    refuses_another_role(&kubectl);
}

fn refuses_every_mistake(kubectl: &Tool) {
    let manifests: Vec<Value> =
        refusals::all().iter().map(|refusal| named(refusal.name, refusal.wrong_manifest())).collect();
    let answer = create(kubectl, &manifests).unwrap_err();
    for refusal in refusals::all() {
        let name = refusal.name.replace('_', "-");
        let line =
            answer.lines().find(|line| line.contains(&format!("\"{name}\" is invalid"))).unwrap_or_default();
        let (field, message) = (refusal.field, refusal.message);
        assert!(
            line.contains(&format!("{field}: Invalid value: ")),
            "{name}: {field} is not blamed\n{answer}"
        );
        assert!(line.ends_with(message), "{name}: not told {message:?}\n{line}");
        assert_eq!(line.matches("Invalid value: ").count(), 1, "{name}: {line}");
    }
}

fn refuses_the_same_scope_twice(kubectl: &Tool) {
    let answer = create(kubectl, &[with("/routing/scopes", &json!(["us", "us"]))]).unwrap_err();
    assert!(answer.contains("spec.routing.scopes[1]: Duplicate value: \"us\""), "{answer}");
}

fn admits_what_is_right(kubectl: &Tool) {
    let mut manifests: Vec<Value> =
        refusals::all().iter().map(|refusal| named(refusal.name, refusal.right_manifest())).collect();
    manifests.push(example());
    create(kubectl, &manifests).unwrap();
}

/// As long as the schema allows, everywhere: the rules' cost at run time has a limit of its own.
fn affords_the_largest_manifest(kubectl: &Tool) {
    let letters: Vec<char> = ('a'..='z').collect();
    let words = |count: usize, length: usize| -> Vec<String> {
        (0..count)
            .map(|n| format!("{}{}{}", "x".repeat(length - 2), letters[n / 26], letters[n % 26]))
            .collect()
    };
    let regions: Vec<String> = words(32, 57).iter().map(|word| format!("us-{word}-01")).collect();
    let models: Vec<Value> = (0..100)
        .map(|n| match n % 3 {
            0 => json!({"modelId": format!("amazon.{}{n:03}", "x".repeat(246)), "scopes": words(16, 24)}),
            1 => json!({"inferenceProfile": arn(&regions[31], "inference-profile", n, 256)}),
            _ => json!({"modelArn": arn(&regions[31], "provisioned-model", n, 256)}),
        })
        .collect();
    let guardrails: Vec<Value> = (0..32)
        .map(|n| json!({"arn": arn(&regions[n], "guardrail", n, 256), "version": "12345678"}))
        .collect();
    let mut manifest = example();
    manifest["spec"]["routing"] = json!({
        "scopes": words(16, 24),
        "deniedScopes": words(16, 23),
        "allowedDestinationRegions": regions,
    });
    manifest["spec"]["models"] = json!(models);
    manifest["spec"]["guardrails"] = json!(guardrails);
    manifest["spec"]["sourceRegions"] = json!(regions);
    create(kubectl, &[manifest]).unwrap();
}

fn arn(region: &str, kind: &str, n: usize, length: usize) -> String {
    let start = format!("arn:aws:bedrock:{region}:123456789012:{kind}/");
    format!("{start}{}{n:03}", "x".repeat(length - start.len() - 3))
}

fn refuses_another_role(kubectl: &Tool) {
    kubectl.run_with_input(["create", "-f", "-"], &example().to_string()).unwrap();
    let other = with("/role", &json!({"name": "other"})).to_string();
    let answer = kubectl.run_with_input(["apply", "-f", "-"], &other).unwrap_err().to_string();
    assert!(answer.contains("spec.role: Invalid value: the role is immutable: "), "{answer}");
}

fn named(name: &str, mut manifest: Value) -> Value {
    manifest["metadata"]["name"] = json!(name.replace('_', "-"));
    manifest
}

fn create(kubectl: &Tool, manifests: &[Value]) -> Result<String, String> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": manifests}).to_string();
    kubectl
        .run_with_input(["create", "--dry-run=server", "-f", "-"], &list)
        .map_err(|error| error.to_string())
}
