//! Several operators that divide the objects, and how their number is changed while they run.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use local_cluster::{
    ControlPlane, OperatorProcess, OperatorSettings, RELEASE, SandboxProcess, Tool, install_chart_with,
    wait_until,
};
use serde_json::{Value, json};

use crate::SHORT;
use crate::pair::{LIMIT, is_write};
use crate::releases::{leads, wait_for_log, wait_until_leads};

/// Some of them fall to each of two shards, and of three.
const NAMESPACES: [&str; 6] = ["team-a", "team-b", "team-c", "team-d", "team-e", "team-f"];

/// Of two shards, the first one's; by the hash that is for ever.
const OF_THE_FIRST: &str = "team-a";
const OF_THE_SECOND: &str = "team-c";

/// In which Regions the operators of a division sign their calls; the next division has the other ones.
const REGIONS: [[&str; 3]; 2] =
    [["us-west-1", "eu-west-1", "ap-south-1"], ["us-west-2", "eu-central-1", "ap-northeast-1"]];

const ONE: &str = "sharding.bedrockaccess.io/key=one";
const REST: &str = "!sharding.bedrockaccess.io/key";

/// From the end of the last operator of one division to when all of the next lead: the lease in common runs out, and then their own
/// are had.
const TIME_TO_TAKE_OVER: Duration = Duration::from_secs(12);

struct Stage {
    cluster: ControlPlane,
    sandbox: SandboxProcess,
    kubectl: Tool,
    settings: OperatorSettings,
}

/// The operators of one number of shards.
struct Division {
    operators: Vec<OperatorProcess>,
    regions: [&'static str; 3],
}

impl Stage {
    fn new() -> Self {
        let cluster = ControlPlane::start().unwrap();
        // kubectl is to label objects that have a policy, and an operator of one of these selectors to have its lease.
        let also = "--set=admissionPolicy.alsoAllow.groups={system:masters}";
        let selector = format!("--set-string=shardSelector={ONE}");
        let kubeconfig = install_chart_with(&cluster, &["--set=shards.count=3", also, &selector]).unwrap();
        let further = ["install", "rest", "charts/bedrock-access", "--namespace", RELEASE];
        let settings = [
            &format!("--set-string=shardSelector={REST}"),
            "--set=crds.enabled=false,admissionPolicy.enabled=false,serviceAccount.create=false",
            "--set=serviceAccount.name=bedrock-access",
        ];
        cluster.helm().unwrap().run(further.iter().chain(&settings)).unwrap();
        let role = |name: &&str| json!({"name": name, "tags": {"bedrockaccess.io/namespaces": "@any"}});
        let roles: Vec<Value> = NAMESPACES.iter().map(role).collect();
        let sandbox = SandboxProcess::start(&json!({"roles": roles})).unwrap();
        let settings = OperatorSettings {
            kubeconfig,
            aws_endpoint: sandbox.endpoint().to_owned(),
            arguments: SHORT
                .iter()
                .chain(&["--sweep-interval=3s", "--iam-lag=1s"])
                .map(OsString::from)
                .collect(),
        };
        let kubectl = cluster.kubectl().unwrap();
        let stage = Self { cluster, sandbox, kubectl, settings };
        for namespace in NAMESPACES {
            stage.kubectl.run(["create", "namespace", namespace]).unwrap();
            let manifest = json!({
                "apiVersion": "bedrockaccess.io/v1alpha1", "kind": "BedrockAccess",
                "metadata": {"name": "assistant", "namespace": namespace},
                "spec": {"role": {"name": namespace}, "sourceRegions": ["us-east-1"], "models": models(false)},
            });
            stage.kubectl.run_with_input(["create", "-f", "-"], &manifest.to_string()).unwrap();
        }
        stage
    }

    fn start(&self, index: usize, count: usize, region: &str) -> OperatorProcess {
        self.start_with(&[&format!("--shard-index={index}"), &format!("--shard-count={count}")], region)
    }

    fn start_with(&self, arguments: &[&str], region: &str) -> OperatorProcess {
        let mut settings = self.settings.clone();
        settings.arguments.extend(arguments.iter().map(OsString::from));
        OperatorProcess::start_in(region, &settings).unwrap()
    }

    /// In which Regions the writes to a role were signed.
    fn writers_of(&self, role: &str) -> Vec<Value> {
        let calls = self.calls().into_iter();
        let of_role = calls.filter(|call| is_write(call) && call["target"] == role);
        of_role.map(|call| call["region"].clone()).collect()
    }

    fn divide(&self, count: usize, regions: [&'static str; 3]) -> Division {
        let operators = (0..count).map(|index| self.start(index, count, regions[index])).collect();
        Division { operators, regions }
    }

    fn calls(&self) -> Vec<Value> {
        self.sandbox.inspect("calls").unwrap().as_array().unwrap().clone()
    }

    fn edit(&self, namespace: &str, has_more: bool) {
        let patch = format!("--patch={}", json!({"spec": {"models": models(has_more)}}));
        let words = ["patch", "bedrockaccess", "assistant", "-n", namespace, "--type=merge", &patch];
        self.kubectl.run(words).unwrap();
    }

    fn edit_all(&self, has_more: bool) {
        for namespace in NAMESPACES {
            self.edit(namespace, has_more);
        }
    }

    fn objects(&self) -> Vec<Value> {
        let list = ["get", "bedrockaccesses", "--all-namespaces", "--output=json"];
        self.kubectl.json(list).unwrap()["items"].as_array().unwrap().clone()
    }

    /// How many entries the record of written policies has.
    fn entries(&self) -> usize {
        let list = ["get", "configmaps", "--namespace", RELEASE, "--output=json"];
        let maps = self.kubectl.json(list).unwrap();
        let of_record =
            maps["items"].as_array().unwrap().iter().filter(|map| {
                map["metadata"]["name"].as_str().unwrap().starts_with("bedrock-access-record-")
            });
        // No key of anything else holds a dot.
        let data = of_record.filter_map(|map| map["data"].as_object());
        data.flat_map(serde_json::Map::keys).filter(|key| key.contains('.')).count()
    }

    /// Waits until the objects of these namespaces are Ready at their newest generation.
    fn wait_until_ready(&self, namespaces: &[&str]) {
        wait_until("all to be Ready", LIMIT, || {
            let is_asked = |object: &Value| {
                namespaces.iter().any(|namespace| object["metadata"]["namespace"] == *namespace)
            };
            let objects = self.objects().into_iter().filter(is_asked);
            let waiting: Vec<Value> = objects.filter(|object| !is_ready(object)).collect();
            if waiting.is_empty() { Ok(()) } else { Err(Value::from(waiting)) }
        })
        .unwrap();
    }

    /// Once it was there, no policy was ever absent.
    fn assert_no_policy_was_absent(&self) {
        for role in NAMESPACES {
            let history = self.sandbox.inspect(&format!("history/{role}")).unwrap();
            let changes = history.as_array().unwrap();
            assert!(
                !changes.is_empty() && changes.iter().all(|change| change["document"].is_string()),
                "{history}"
            );
        }
    }

    /// Since the call of that number, which of two divisions wrote: the one before never after the first write of the next.
    fn writers(&self, begin: usize, before: [&str; 3], after: [&str; 3]) -> [bool; 2] {
        let calls = self.calls();
        let writes = calls[begin..].iter().filter(|call| is_write(call));
        let regions: Vec<&str> = writes.map(|call| call["region"].as_str().unwrap()).collect();
        let last = regions.iter().rposition(|region| before.contains(region));
        let first = regions.iter().position(|region| after.contains(region));
        assert!(first.is_none_or(|first| last.is_none_or(|last| last < first)), "{regions:?}");
        [last.is_some(), first.is_some()]
    }

    fn wait_for_write(&self, begin: usize) {
        let is_written =
            || self.calls()[begin..].iter().any(is_write).then_some(()).ok_or("nothing is written");
        wait_until("a write", LIMIT, is_written).unwrap();
    }

    /// Starts the operators of the next division, ends those of the last one after another, and waits until the new ones lead.
    fn change(&self, before: Division, count: usize, regions: [&'static str; 3]) -> Division {
        let after = self.divide(count, regions);
        for operator in &after.operators {
            wait_for_log(operator, &["standing by", "lease=\"bedrock-access\""]);
        }
        for operator in before.operators {
            assert!(!after.operators.iter().any(leads), "while one of the others is there");
            assert!(operator.terminate().unwrap().success());
        }
        let ended = Instant::now();
        after.operators.iter().for_each(wait_until_leads);
        let took = ended.elapsed();
        println!("{count}: all lead after {took:?}");
        assert!(took < TIME_TO_TAKE_OVER, "{took:?}");
        after
    }
}

/// Does `work` while every object is edited again and again.
fn while_edited<T>(stage: &Stage, work: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut has_more = false;
            while !is_over.load(Ordering::Relaxed) {
                has_more = !has_more;
                stage.edit_all(has_more);
            }
        });
        let done = catch_unwind(AssertUnwindSafe(work));
        is_over.store(true, Ordering::Relaxed);
        done.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn models(has_more: bool) -> Value {
    let lite = json!({"modelId": "amazon.nova-2-lite-v1:0", "scopes": ["us"]});
    let micro = json!({"modelId": "amazon.nova-micro-v1:0", "scopes": ["us"]});
    if has_more { json!([lite, micro]) } else { json!([lite]) }
}

fn is_ready(object: &Value) -> bool {
    let status = &object["status"];
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|condition| condition["type"] == "Ready");
    status["observedGeneration"] == object["metadata"]["generation"]
        && ready.any(|condition| condition["status"] == "True")
}

/// The numbers of shards, one after the other; `SHARD_CHANGES` sets how many changes there are.
fn counts() -> impl Iterator<Item = usize> {
    let changes = std::env::var("SHARD_CHANGES").map_or(3, |text| text.parse().unwrap());
    [2, 3, 1].into_iter().cycle().take(changes)
}

#[test]
fn the_number_of_shards_is_changed_at_rest_and_at_work_and_no_policy_is_ever_absent() {
    let stage = Stage::new();
    let mut division = stage.divide(1, REGIONS[0]);
    stage.wait_until_ready(&NAMESPACES);
    assert_eq!(stage.entries(), NAMESPACES.len());
    let mut regions = REGIONS.iter().cycle().skip(1);
    for (number, count) in counts().chain(counts()).enumerate() {
        let (begin, before, next) = (stage.calls().len(), division.regions, *regions.next().unwrap());
        let is_busy = number >= counts().count();
        if is_busy {
            division = while_edited(&stage, || {
                stage.wait_for_write(begin);
                stage.change(division, count, next)
            });
        } else {
            division = stage.change(division, count, next);
        }
        // Something for those that lead now.
        let is_short = stage.objects()[0]["spec"]["models"].as_array().unwrap().len() == 1;
        stage.edit_all(is_short);
        stage.wait_until_ready(&NAMESPACES);
        assert_eq!(stage.writers(begin, before, next), [is_busy, true]);
    }
    stage.assert_no_policy_was_absent();

    stage.kubectl.run(["delete", "bedrockaccesses", "--all", "--all-namespaces"]).unwrap();
    assert_eq!(stage.objects(), Vec::<Value>::new());
    for role in NAMESPACES {
        let history = stage.sandbox.inspect(&format!("history/{role}")).unwrap();
        assert!(history.as_array().unwrap().last().unwrap()["document"].is_null(), "{history}");
    }
    assert_eq!(stage.entries(), 0);
}

#[test]
fn when_one_shard_is_killed_the_other_goes_on_and_the_next_operator_catches_up() {
    let stage = Stage::new();
    let Division { operators, regions } = stage.divide(2, REGIONS[0]);
    stage.wait_until_ready(&NAMESPACES);
    let [first, second] = <[OperatorProcess; 2]>::try_from(operators).unwrap();
    assert!([&first, &second].into_iter().all(leads));
    for (namespace, region) in [(OF_THE_FIRST, regions[0]), (OF_THE_SECOND, regions[1])] {
        assert_eq!(stage.writers_of(namespace), [region], "{namespace}");
    }
    first.kill();
    for namespace in [OF_THE_FIRST, OF_THE_SECOND] {
        stage.edit(namespace, true);
    }
    stage.wait_until_ready(&[OF_THE_SECOND]);
    assert!(
        !stage
            .objects()
            .iter()
            .filter(|object| object["metadata"]["namespace"] == OF_THE_FIRST)
            .any(is_ready)
    );
    let next = stage.start(0, 2, REGIONS[1][0]);
    wait_until_leads(&next);
    stage.wait_until_ready(&NAMESPACES);
    assert!(leads(&second));
    stage.assert_no_policy_was_absent();
    let holder = ["get", "lease", "bedrock-access", "-n", RELEASE, "-o", "jsonpath={.spec.holderIdentity}"];
    assert_eq!(stage.cluster.kubectl().unwrap().run(holder).unwrap(), "shards-of-2");
}

#[test]
fn an_object_that_moves_by_its_label_is_served_and_deleted_by_its_new_shard() {
    let stage = Stage::new();
    let [one_signs, rest_signs, _] = REGIONS[0];
    let one = stage.start_with(&[&format!("--shard-selector={ONE}")], one_signs);
    let rest = stage.start_with(&[&format!("--shard-selector={REST}")], rest_signs);
    stage.wait_until_ready(&NAMESPACES);
    assert!([&one, &rest].into_iter().all(leads));
    let label = |value: &str| {
        let key = format!("sharding.bedrockaccess.io/key{value}");
        stage.kubectl.run(["label", "bedrockaccess", "assistant", "-n", OF_THE_FIRST, &key]).unwrap();
    };
    for (value, has_more) in [("=one", true), ("-", false), ("=one", true)] {
        label(value);
        stage.edit(OF_THE_FIRST, has_more);
        stage.wait_until_ready(&NAMESPACES);
    }
    assert_eq!(stage.writers_of(OF_THE_FIRST), [rest_signs, one_signs, rest_signs, one_signs]);
    stage.assert_no_policy_was_absent();
    stage.kubectl.run(["delete", "bedrockaccess", "assistant", "-n", OF_THE_FIRST]).unwrap();
    assert_eq!(*stage.writers_of(OF_THE_FIRST).last().unwrap(), one_signs);
    wait_until("its entry to go", LIMIT, || match stage.entries() {
        5 => Ok(()),
        entries => Err(entries.to_string()),
    })
    .unwrap();
    let others = NAMESPACES.into_iter().filter(|namespace| *namespace != OF_THE_FIRST);
    assert!(others.into_iter().all(|namespace| stage.writers_of(namespace) == [rest_signs]));
}
